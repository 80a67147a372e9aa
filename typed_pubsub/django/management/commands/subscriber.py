"""``manage.py subscriber``: the settings are Django's, stale database connections are closed before each batch."""

# Django has no types of its own.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

import os
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from typed_pubsub.cli.failing import one_line
from typed_pubsub.cli.logs import FORMATS, LEVELS, LOG_FORMAT_ENV, LOG_LEVEL_ENV
from typed_pubsub.cli.options import LOG_FORMAT_HELP, LOG_LEVEL_HELP
from typed_pubsub.cli.run import run_subscriber
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import PubSubError


class Command(BaseCommand):  # type: ignore[misc]  # django has no types
    """The command; its exit codes are those of every face, so library errors are CommandErrors with a return code."""

    help = "Consume the queue of this service (its PUBSUB_ settings) until SIGTERM or SIGINT."

    # A wrong setting would end the command with Django's 1 instead of 2; the subscriber checks its settings itself.
    requires_system_checks: Sequence[str] = ()

    def add_arguments(self, parser: Any) -> None:
        """The options of every face."""
        for name, choices, env, text in (
            ("--log-level", LEVELS, LOG_LEVEL_ENV, LOG_LEVEL_HELP),
            ("--log-format", FORMATS, LOG_FORMAT_ENV, LOG_FORMAT_HELP),
        ):
            # A default that is a text goes through type=, so the environment's is checked as well.
            parser.add_argument(
                name,
                type=_one_of(choices),
                default=os.environ.get(env) or None,
                metavar=f"{{{','.join(choices)}}}",
                help=f"{text} [env var: {env}]",
            )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Runs until it is asked to stop."""
        try:
            run_subscriber(
                lambda: PubSubConfig.from_object(settings),
                log_level=options["log_level"],
                log_format=options["log_format"],
                before_batch=close_old_connections,
                echo=self._echo,
            )
        except PubSubError as error:
            raise CommandError(one_line(error), returncode=error.exit_code) from error

    def _echo(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in choices:
            msg = f"{value!r} is not one of {', '.join(choices)}"
            raise ArgumentTypeError(msg)
        return value.lower()

    return read
