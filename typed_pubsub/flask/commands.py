"""``flask subscriber``: the settings are the app's config, rows and handlers run inside its context."""

from collections.abc import Callable
from contextlib import ExitStack

import click
from flask import current_app
from flask.cli import with_appcontext

from typed_pubsub.cli.options import log_options
from typed_pubsub.cli.run import failing_in_one_line, run_subscriber
from typed_pubsub.config import PubSubConfig


@click.command()
@log_options
def subscriber(log_level: str | None, log_format: str | None) -> None:
    """Consume the queue of this app (its PUBSUB_ settings) until SIGTERM or SIGINT."""
    with failing_in_one_line():
        _run(log_level, log_format)


@with_appcontext
def _run(log_level: str | None, log_format: str | None) -> None:
    with ExitStack() as context:
        run_subscriber(
            lambda: PubSubConfig.from_object(current_app.config),
            log_level=log_level,
            log_format=log_format,
            before_batch=_renewing(context),
        )


def _renewing(context: ExitStack) -> Callable[[], None]:
    """Ends the app context of one batch and begins that of the next: extensions drop sessions at a context's end."""

    def before_batch() -> None:
        context.close()
        context.enter_context(current_app.app_context())

    return before_batch
