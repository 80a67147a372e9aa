"""``manage.py pubsub ...``: the commands of typed-pubsub; the settings are Django's."""

# Django has no types of its own.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

import argparse
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from typed_pubsub.cli.commands import main
from typed_pubsub.cli.groups import CommandGroup, without_app
from typed_pubsub.cli.service import Service
from typed_pubsub.config import PubSubConfig


@click.group(cls=CommandGroup, context_settings=main.context_settings)
def pubsub() -> None:
    """The commands of typed-pubsub for this project (its PUBSUB_ settings)."""


for _name, _command in main.commands.items():
    pubsub.add_command(without_app(_command), _name)


class Command(BaseCommand):  # type: ignore[misc]  # django has no types
    """Hands its arguments to click as they are."""

    help = "The commands of typed-pubsub: manage.py pubsub --help."
    requires_system_checks: Sequence[str] = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """From the command line: options, help and exit codes are click's."""
        pubsub.main(_without_djangos(argv[2:]), prog_name=f"{Path(argv[0]).name} {argv[1]}", obj=_service())

    def add_arguments(self, parser: Any) -> None:
        """From code: ``call_command("pubsub", "dlq", "list")``."""
        parser.add_argument("args", nargs=argparse.REMAINDER)

    def handle(self, *args: str, **_options: Any) -> None:
        """From code: what is printed goes to ``stdout``, an exit code other than 0 is a CommandError with it."""
        out: Any = self.stdout
        err: Any = self.stderr
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _exit_code(args)
        if code:
            msg = f"pubsub {' '.join(args)}: exit code {code}"
            raise CommandError(msg, returncode=code)


def _without_djangos(args: list[str]) -> list[str]:
    """The arguments without the options that manage.py itself has read by now, and every command of it accepts."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--settings")
    parser.add_argument("--pythonpath")
    return parser.parse_known_args(args)[1]


def _exit_code(args: Sequence[str]) -> int:
    try:
        # It ends by SystemExit, whatever came of it.
        run: Callable[..., object] = pubsub.main
        run(list(args), prog_name="pubsub", obj=_service())
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _service() -> Service:
    return Service(lambda: PubSubConfig.from_object(settings), close_old_connections)
