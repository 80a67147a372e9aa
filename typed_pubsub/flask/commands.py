"""``flask subscriber`` and ``flask pubsub ...``: the settings are the app's config, code runs inside its context."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from typed_pubsub.cli.commands import main
from typed_pubsub.cli.failing import failing_in_one_line
from typed_pubsub.cli.groups import CommandGroup, without_app
from typed_pubsub.cli.options import RunOptions, run_options
from typed_pubsub.cli.run import run_subscriber
from typed_pubsub.cli.service import Service
from typed_pubsub.cli.supervise import supervise_if_asked
from typed_pubsub.config import PubSubConfig


@click.command()
@run_options
def subscriber(**options: Any) -> None:
    """Consume the queue of this app (its PUBSUB_ settings) until SIGTERM or SIGINT."""
    with failing_in_one_line():
        # A supervisor needs no app, and outlives one that is broken.
        supervise_if_asked(RunOptions(**options))
        _run(RunOptions(**options))


@with_appcontext
def _run(options: RunOptions) -> None:
    with ExitStack() as context:
        service = _service(context)
        run_subscriber(service.read_config, options, before_batch=service.before_batch)


@click.group(cls=CommandGroup)
@click.pass_context
@with_appcontext
def pubsub(context: click.Context) -> None:
    """The commands of typed-pubsub for this app (its PUBSUB_ settings)."""
    context.obj = _service(context.with_resource(ExitStack()))


for _name, _command in main.commands.items():
    pubsub.add_command(without_app(_command), _name)


def _service(context: ExitStack) -> Service:
    return Service(lambda: PubSubConfig.from_object(current_app.config), _renewing(context))


def _renewing(context: ExitStack) -> Callable[[], None]:
    """Ends the app context of one batch and begins that of the next: extensions drop sessions at a context's end."""

    def before_batch() -> None:
        context.close()
        context.enter_context(current_app.app_context())

    return before_batch
