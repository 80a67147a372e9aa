"""``manage.py subscriber``: the settings are Django's, stale database connections are closed before each batch."""

# Django has no types of its own.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

import dataclasses
import os
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from typing import Any

import click
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from typed_pubsub.cli.failing import one_line
from typed_pubsub.cli.options import RunOptions, params_of_run
from typed_pubsub.cli.output import ending_with_output, watch_output
from typed_pubsub.cli.run import run_subscriber
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import PubSubError


class Command(BaseCommand):  # type: ignore[misc]  # django has no types
    """The command; its exit codes are those of every face, so library errors are CommandErrors with a return code."""

    help = "Consume the queue of this service (its PUBSUB_ settings) until SIGTERM or SIGINT."

    # A wrong setting would end the command with Django's 1 instead of 2; the subscriber checks its settings itself.
    requires_system_checks: Sequence[str] = ()

    def __init__(self, *args: Any, **how: Any) -> None:
        """See Django, which takes standard output here."""
        watch_output()
        super().__init__(*args, **how)

    def add_arguments(self, parser: Any) -> None:
        """The options of every face."""
        for option in params_of_run():
            _add(parser, option)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Runs until it is asked to stop."""
        try:
            with ending_with_output():
                run_subscriber(
                    lambda: PubSubConfig.from_object(settings),
                    RunOptions(**{field.name: options[field.name] for field in dataclasses.fields(RunOptions)}),
                    before_batch=close_old_connections,
                    echo=self._echo,
                )
        except PubSubError as error:
            raise CommandError(one_line(error), returncode=error.exit_code) from error

    def _echo(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _add(parser: Any, option: click.Option) -> None:
    """Adds an option of click's to a parser of argparse's: with the same values, and the environment's default."""
    given = os.environ.get(str(option.envvar)) or None
    # What click has in place of no default is nobody else's business.
    default = option.default if isinstance(option.default, int | float) else None
    shown = f" [default: {default:g}]" if default is not None and not option.is_flag else ""
    told = f"{option.help}{shown} [env var: {option.envvar}]"
    if option.is_flag:
        on = given is not None and click.BOOL.convert(given, option, None)
        parser.add_argument(*option.opts, dest=option.name, action="store_true", default=on, help=told)
        return
    # A default that is a text goes through type=, so the environment's is checked as well.
    parser.add_argument(
        *option.opts,
        dest=option.name,
        type=_read(option.type),
        default=default if given is None else given,
        metavar=f"{{{','.join(option.type.choices)}}}" if isinstance(option.type, click.Choice) else option.metavar,
        help=told,
    )


def _read(kind: Any) -> Callable[[str], Any]:
    def read(value: str) -> Any:
        try:
            return kind.convert(value, None, None)
        except click.BadParameter as error:
            raise ArgumentTypeError(error.message) from None

    return read
