"""The options that the faces of the subscriber share: click's, which Django's command makes its own of."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from typed_pubsub.cli.logs import DEFAULT_FORMAT, DEFAULT_LEVEL, FORMATS, LEVELS, LOG_FORMAT_ENV, LOG_LEVEL_ENV
from typed_pubsub.handoff.health import MOST_PROCESSES

C = TypeVar("C", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a subscriber runs, as the options say; the defaults are those of the options.

    ``log_level`` and ``log_format``: see ``configure_logging``. ``processes`` that consume; ``reload``: they start anew
    when the code changes. ``stats``: seconds between two lines that tell how much was handed off; 0: none.
    """

    log_level: str | None = None
    log_format: str | None = None
    processes: int = 1
    reload: bool = False
    stats: float = 60.0


def directory_option(told: str) -> Callable[[C], C]:
    """Adds ``--dir``: where the schema files stand; ``told`` is its help."""
    return click.option(
        "--dir",
        "directory",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("schemas"),
        show_default=True,
        envvar="TYPED_PUBSUB_SCHEMAS",
        show_envvar=True,
        help=told,
    )


def timeout_option(told: str) -> Callable[[C], C]:
    """Adds ``--timeout``, in seconds; ``told`` is its help."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=10.0,
        show_default=True,
        show_envvar=True,
        help=told,
    )


def run_options(command: C) -> C:
    """Adds the options of the subscriber, which a command gets as keywords: those of ``RunOptions``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def params_of_run() -> list[click.Option]:
    """The same options as values, for faces that are none of click's."""
    return [param for param in click.command()(run_options(lambda: None)).params if isinstance(param, click.Option)]


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--processes",
        type=click.IntRange(1, MOST_PROCESSES),
        metavar="N",
        default=1,
        show_default=True,
        envvar="TYPED_PUBSUB_PROCESSES",
        show_envvar=True,
        help="Processes that consume; one more looks after them if there are several.",
    ),
    click.option(
        "--reload",
        is_flag=True,
        envvar="TYPED_PUBSUB_RELOAD",
        show_envvar=True,
        help="Start anew when a Python file changes: for development.",
    ),
    click.option(
        "--stats",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        default=60.0,
        show_default=True,
        envvar="TYPED_PUBSUB_STATS",
        show_envvar=True,
        help="Seconds between two lines that tell how much was handed off; 0: no such lines.",
    ),
    click.option(
        "--log-level",
        type=click.Choice(LEVELS, case_sensitive=False),
        envvar=LOG_LEVEL_ENV,
        show_envvar=True,
        help=f"Least level of what is logged (default: {DEFAULT_LEVEL}, or the service's own set-up).",
    ),
    click.option(
        "--log-format",
        type=click.Choice(FORMATS, case_sensitive=False),
        envvar=LOG_FORMAT_ENV,
        show_envvar=True,
        help=f"How log lines are written (default: {DEFAULT_FORMAT}, or the service's own set-up).",
    ),
)
