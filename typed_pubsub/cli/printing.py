"""What commands print: lines for people, one JSON document for programs, progress for who waits.

Results go to standard output; progress, and what went wrong, to standard error.
"""

import contextlib
import json
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Generator, Sequence
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar

import click
import msgspec

from typed_pubsub.cli.output import Unwritable
from typed_pubsub.texts import printable

C = TypeVar("C", bound=Callable[..., Any])

# Columns of what is no terminal: nothing is cut or wrapped there.
_ENDLESS = 100_000
# Seconds between two lines of progress where there is no terminal.
_TELL_EVERY = 5.0


def format_option(command: C) -> C:
    """Adds ``--format``: text, or json."""
    return _format_of(("text", "json"), "TYPED_PUBSUB_FORMAT", "Text for people, or one JSON document.")(command)


def findings_format_option(envvar: str) -> Callable[[C], C]:
    """Adds ``--format``: text, json, or github; ``envvar`` is its name in the environment."""
    return _format_of(("text", "json", "github"), envvar, "Text, JSON, or annotations of a GitHub workflow.")


def _format_of(choices: Sequence[str], envvar: str, told: str) -> Callable[[C], C]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(choices, case_sensitive=False),
        default="text",
        show_default=True,
        envvar=envvar,
        show_envvar=True,
        help=told,
    )


def echo_json(value: Any) -> None:
    """Prints a value as one JSON document, indented: whatever msgspec can encode."""
    click.echo(printable_json(msgspec.json.format(msgspec.json.encode(value)).decode()))


def printable_json(document: str) -> str:
    """The same document with escapes for what could steer a terminal, which JSON allows in its strings."""
    if document.isprintable():
        return document
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in document)


def echo_wrapped(mark: str, text: str, *, colour: str | None = None, indent: int = 0) -> None:
    """Prints a line: ``mark`` in a colour, then the text; on a terminal wrapped, from the second line on indented."""
    line = mark + printable(text, keep="\n")
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, indent + 20)
        line = textwrap.fill(
            line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
        )
        line = "\n".join(part.rstrip() for part in line.splitlines())
    click.echo((mark if colour is None else click.style(mark, fg=colour)) + line[len(mark) :])


def columns_of_terminal() -> int:
    """How wide standard output is; what is no terminal has no end."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _ENDLESS


def has_rich() -> bool:
    """Whether there is rich, which the extra ``cli`` brings: what it is not needed for is told without."""
    return find_spec("rich") is not None


class Bar(Protocol):
    """What tells how many are done: called with how many more are."""

    def __call__(self, more: int, /) -> None:
        """So many more are done."""
        ...

    def say(self, text: str) -> None:
        """Prints a line beside it, on standard error."""
        ...


@contextlib.contextmanager
def progress(label: str, total: int | None) -> Generator[Bar]:
    """Tells on standard error how many of ``total`` are done.

    A bar on a terminal, elsewhere a line every few seconds.
    """
    if not sys.stderr.isatty() or not has_rich():
        yield _Lines(label, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield _Shown(shown, shown.add_task(label, total=total))


class _Shown:
    """A bar of rich's."""

    def __init__(self, shown: Any, task: Any) -> None:
        self._shown = shown
        self._task = task

    def __call__(self, more: int, /) -> None:
        self._shown.advance(self._task, more)

    def say(self, text: str) -> None:
        self._shown.console.print(text, markup=False, highlight=False)


class _Lines:
    """A line now and then."""

    def __init__(self, label: str, total: int | None) -> None:
        self._label = label
        self._of = "" if total is None else f" of {total:,}"
        self._done = 0
        self._told = time.monotonic()

    def __call__(self, more: int, /) -> None:
        self._done += more
        if (now := time.monotonic()) - self._told >= _TELL_EVERY:
            self._told = now
            self.say(f"{self._label}: {self._done:,}{self._of}")

    def say(self, text: str) -> None:
        try:
            click.echo(text, err=True)
        except BrokenPipeError as error:
            # Said while a connection is open, whose faults are errors of the system too.
            raise Unwritable(error) from error
