"""What the demo shows: colours and a progress bar on a terminal, plain lines in a pipe, 80 columns in either."""

import sys
import textwrap
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from typed_pubsub.demo.broker import Found
from typed_pubsub.demo.tally import Row, Tally

_WIDTH = 80
_INDENT = 12
_COLOURS = {"scheduled": "green", "skipped": "yellow", "dead-lettered": "red"}


class Step(Protocol):
    """Called with how many are done."""

    def __call__(self, done: int) -> None: ...


class Screen:
    """Prints the story."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        if not self._console.is_terminal or self._console.width > _WIDTH:
            self._console.width = _WIDTH

    def title(self, text: str) -> None:
        self._console.print(Text(text, style="bold"))
        self._console.print()

    def say(self, who: str, text: str, style: str = "cyan") -> None:
        """One line of the story: who, and what became of him."""
        first, *more = textwrap.wrap(text, self._console.width - _INDENT)
        self._console.print(Text.assemble((f"{who:<{_INDENT}}", style), first), soft_wrap=True)
        for line in more:
            self._console.print(" " * _INDENT + line, soft_wrap=True, markup=False)

    @contextmanager
    def waiting(self, what: str) -> Generator[None]:
        """Shows that something takes its time, on a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(what):
            yield

    @contextmanager
    def progress(self, who: str, what: str, total: int) -> Generator[Step]:
        """A bar on a terminal; a line now and then in a pipe."""
        if not self._console.is_terminal:
            self.say(who, f"{what} {total} events")
            thirds = [total // 3, 2 * total // 3, total]

            def step(done: int) -> None:
                if thirds and done >= thirds[0]:
                    thirds.pop(0)
                    self.say("", f"{done} of {total}")

            yield step
            return
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=34), MofNCompleteColumn())
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(f"[cyan]{who:<{_INDENT}}[/]{what}", total=total)
            yield lambda done: progress.update(task, completed=done)

    def dead_letters(self, found: Iterable[Found]) -> None:
        table = _table("reason", "event", "detail")
        for letter in found:
            headers: Mapping[str, str] = letter.headers
            reason = Text(headers["x-pubsub-reason"], style="red")
            table.add_row(reason, Text(headers["x-pubsub-routing-key"]), Text(headers["x-pubsub-detail"]))
        self._show("Dead letters, in the queue query.dlq", table)

    def outcomes(self, rows: Iterable[Row]) -> None:
        table = _table("event", "route", "outcome", "task", "executed")
        table.columns[-1].justify = "right"
        for row in rows:
            outcome = Text(f"{row.events:>3} {row.outcome}", style=_COLOURS[row.outcome])
            executed = "" if row.executed is None else str(row.executed)
            table.add_row(row.kind, row.route, outcome, row.task, executed)
        self._show("What became of the events", table)

    def _show(self, title: str, table: Table) -> None:
        self._console.print()
        self._console.print(Text(title, style="bold"))
        with self._console.capture() as captured:
            self._console.print(table)
        for line in captured.get().splitlines():
            self._console.file.write(f"{line.rstrip()}\n")

    def total(self, tally: Tally) -> None:
        self._console.print()
        self._console.print(Text(tally.line, style="bold green" if tally.adds_up else "bold red"))

    def hint(self, text: str) -> None:
        """After the last line: on stderr, so that a pipe's last line is the total."""
        sys.stdout.flush()
        Console(stderr=True, highlight=False, width=self._console.width).print(Text(text, style="dim"), soft_wrap=True)

    def trouble(self, text: str) -> None:
        sys.stdout.flush()
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(text, style="red"))


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, no_wrap=name != "detail")
    return table
