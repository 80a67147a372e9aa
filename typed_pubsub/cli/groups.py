"""Groups of commands: what the library raises is one line and an exit code. Suggestions are click's."""

import copy
from typing import Any

import click

from typed_pubsub.cli.failing import failing_in_one_line


class CommandGroup(click.Group):
    """The group of every face."""

    def main(self, *args: Any, **how: Any) -> Any:
        """See click; Ctrl-C, too, and output that nobody reads, before and after the command itself."""
        with failing_in_one_line():
            return super().main(*args, **how)

    def make_context(self, *args: Any, **how: Any) -> click.Context:
        """See click; help is printed here, also where the group is one of Flask's commands."""
        with failing_in_one_line():
            return super().make_context(*args, **how)

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
