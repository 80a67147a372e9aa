"""Groups of commands: what the library raises is one line and an exit code. Suggestions are click's."""

import copy
import sys
from typing import Any

import click

from typed_pubsub.cli.failing import INTERRUPTED, failing_in_one_line


class CommandGroup(click.Group):
    """The group of every face."""

    def main(self, *args: Any, **how: Any) -> Any:
        """See click; Ctrl-C ends it quietly also before and after the command itself."""
        try:
            return super().main(*args, **how)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def invoke(self, ctx: click.Context) -> Any:
        """See click; a library error ends the process with its exit code."""
        with failing_in_one_line():
            return super().invoke(ctx)


def without_app(command: click.Command) -> click.Command:
    """The same command where the service is known: it has no ``-A``, nor has any command below it."""
    twin = copy.copy(command)
    twin.params = [param for param in command.params if param.name != "app"]
    if isinstance(twin, click.Group):
        twin.commands = {name: without_app(below) for name, below in twin.commands.items()}
    return twin
