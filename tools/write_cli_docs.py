"""Writes docs/cli.md from the commands: ``make cli-docs``; with ``--check`` it only tells whether that is needed."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from cli_screens import screens

from typed_pubsub.cli import main

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
WIDTH = 80
PROGRAM = "typed-pubsub"

HEAD = """\
# The command line

<!-- Written by `make cli-docs` from the commands; what is changed here by hand is lost. -->

`typed-pubsub COMMAND -A module:object`. Flask has the same commands as `flask pubsub COMMAND`, Django as
`manage.py pubsub COMMAND`; there the settings are the app's own, and `-A` is not needed. Results go to standard output,
progress and problems to standard error; what is no terminal gets no colours.

## Exit codes

| code | meaning |
|---|---|
| 0 | asked to stop, or all well |
| 1 | a finding: of `check`, `health`, `doctor`, `schema`; or anything that has no code of its own |
| 2 | usage or settings: an option, `-A`, a setting, an event or a route is wrong |
| 3 | no connection within the time for it |
| 4 | `MAX_FAULTS` faults in a row without one settled delivery |
| 10 | the broker refuses exchange, queue or bindings |
| 100 | a contract is broken |
| 128 + n | ended by signal n: a second SIGTERM or SIGINT; 130 is Ctrl-C; 141 that nobody reads its output any more |

## Shell completion

Commands, options and their values, for a `typed-pubsub` that is on the `PATH`:

| shell | once, in | line |
|---|---|---|
| bash (4.4 or newer) | `~/.bashrc` | `eval "$(_TYPED_PUBSUB_COMPLETE=bash_source typed-pubsub)"` |
| zsh | `~/.zshrc` | `eval "$(_TYPED_PUBSUB_COMPLETE=zsh_source typed-pubsub)"` |
| fish | `~/.config/fish/completions/typed-pubsub.fish` | `_TYPED_PUBSUB_COMPLETE=fish_source typed-pubsub \\| source` |

That asks the program at each start of a shell. To save it, write what it prints into a file and source that.

## When something is wrong

```console
{screens}
```

## Names in the environment

What an option says comes first, then the environment, then the default.

"""


def page() -> str:
    """The whole page."""
    commands = list(walk(main, context_of(main, PROGRAM, None)))
    helps = (f"## {at.command_path}\n\n```text\n{help_of(command, at)}\n```\n" for command, at in commands)
    head = HEAD.replace("{screens}", "\n".join(screens()).rstrip())
    return f"{head}{environment(commands)}\n" + "\n".join(helps)


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """The command and those below it, by name."""
    yield command, context
    if isinstance(command, click.Group):
        for name, below in sorted(command.commands.items()):
            yield from walk(below, context_of(below, name, context))


def context_of(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """As click makes it when the command runs, on a terminal of 80 columns."""
    settings: dict[str, Any] = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    return click.Context(command, info_name=name, parent=parent, **settings)


def help_of(command: click.Command, context: click.Context) -> str:
    """What ``--help`` prints."""
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def environment(commands: list[tuple[click.Command, click.Context]]) -> str:
    """A table of names, with the option and the commands that each is for."""
    found: dict[tuple[str, str], list[str]] = {}
    for command, context in commands:
        for option in command.params:
            for name in names_of(option, context):
                found.setdefault((name, option.opts[-1]), []).append(context.command_path.removeprefix(f"{PROGRAM} "))
    lines = [f"| `{name}` | `{option}` | {', '.join(used)} |\n" for (name, option), used in sorted(found.items())]
    return "| name | option | commands |\n|---|---|---|\n" + "".join(lines)


def names_of(option: click.Parameter, context: click.Context) -> Iterator[str]:
    """The names that click looks for."""
    if not isinstance(option, click.Option) or option.is_eager:
        return
    if isinstance(option.envvar, str):
        yield option.envvar
    elif option.envvar is None and option.allow_from_autoenv and context.auto_envvar_prefix is not None:
        yield f"{context.auto_envvar_prefix}_{str(option.name).upper()}"


def run() -> int:
    """0; with ``--check`` 1 if the page is not as it would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == page():
        return 0
    print("docs/cli.md is not what the commands say: run make cli-docs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(run())
