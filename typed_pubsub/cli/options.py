"""The options that the click faces share; Django's command has the same by argparse."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from typed_pubsub.cli.logs import DEFAULT_FORMAT, DEFAULT_LEVEL, FORMATS, LEVELS, LOG_FORMAT_ENV, LOG_LEVEL_ENV

C = TypeVar("C", bound=Callable[..., Any])

LOG_LEVEL_HELP = f"Least level of what is logged (default: {DEFAULT_LEVEL}, or the service's own set-up)."
LOG_FORMAT_HELP = f"How log lines are written (default: {DEFAULT_FORMAT}, or the service's own set-up)."


def app_option(*, required: bool) -> Callable[[C], C]:
    """Adds ``-A``: where the settings are."""
    return click.option(
        "-A",
        "--app",
        required=required,
        metavar="MODULE:OBJECT",
        envvar="TYPED_PUBSUB_APP",
        show_envvar=True,
        help="A PubSubConfig, an object with PUBSUB_ settings (a module too), or a function that gives one of these.",
    )


def log_options(command: C) -> C:
    """Adds ``--log-level`` and ``--log-format`` to a command."""
    level = click.option(
        "--log-level",
        type=click.Choice(LEVELS, case_sensitive=False),
        envvar=LOG_LEVEL_ENV,
        show_envvar=True,
        help=LOG_LEVEL_HELP,
    )
    form = click.option(
        "--log-format",
        type=click.Choice(FORMATS, case_sensitive=False),
        envvar=LOG_FORMAT_ENV,
        show_envvar=True,
        help=LOG_FORMAT_HELP,
    )
    return level(form(command))
