"""Tables for people: as wide as the terminal; no word is broken, for one may be a routing key that is copied.

But in a column of prose, where that is what lets the table stay one.
"""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import click

from typed_pubsub.cli.printing import columns_of_terminal
from typed_pubsub.texts import printable

_GAP = "  "
# Columns of sentences, and how narrow they may become.
_PROSE = frozenset({"detail"})
_NARROWEST = 24


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table without lines; where not even its words fit beside one another, a block for each row."""
    shown = [[printable(cell) for cell in row] for row in rows]
    for line in table_lines(columns, shown, columns_of_terminal()):
        click.echo(line)


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """The lines of a table at most ``width`` wide, its head in bold."""
    widths = _fitting(columns, rows, width)
    if widths is None:
        yield from _blocks(columns, rows, width)
        return
    yield from (click.style(line, bold=True) for line in _row(columns, columns, widths))
    for row in rows:
        yield from _row(columns, row, widths)


def _fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """The widths of the columns, the widest ones narrowed; None: there is a word too many."""
    cells = list(zip(columns, *rows, strict=True))
    widths = [max(map(len, column)) for column in cells]
    least = [max(len(word) for cell in column for word in cell.split() or [""]) for column in cells]
    least = [min(size, _NARROWEST) if name in _PROSE else size for name, size in zip(columns, least, strict=True)]
    room = width - len(_GAP) * (len(columns) - 1)
    if sum(least) > room:
        return None
    while sum(widths) > room:
        at = max(range(len(widths)), key=lambda at: (widths[at] > least[at], widths[at]))
        widths[at] -= 1
    return widths


def _row(columns: Sequence[str], cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    folded = [
        _folded(cell, width, broken=name in _PROSE) for name, cell, width in zip(columns, cells, widths, strict=True)
    ]
    for parts in zip_longest(*folded, fillvalue=""):
        yield _GAP.join(f"{part:{width}}" for part, width in zip(parts, widths, strict=True)).rstrip()


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    longest = max(map(len, columns))
    for at, row in enumerate(rows):
        if at:
            yield ""
        for name, cell in zip(columns, row, strict=True):
            first, *others = _folded(cell, max(width - longest - len(_GAP), 1), broken=False)
            if cell:
                yield f"{name:{longest}}{_GAP}{first}"
                yield from (" " * longest + _GAP + other for other in others)


def _folded(text: str, width: int, *, broken: bool) -> list[str]:
    if len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_long_words=broken, break_on_hyphens=False)
