"""What a subscriber says when it starts: one block for people, one record for programs."""

import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from typed_pubsub.ops.wiring import WiredRoute, Wiring

#: Routes that are shown; of more there is a command.
MOST_ROUTES = 30

_COLUMNS = ("routing key", "event", "route", "tasks")
_GAP = "  "
# A terminal that says nothing of its width; what is no terminal has none.
_USUAL_WIDTH = 80


def fields(told: Wiring) -> dict[str, Any]:
    """The fields of the log record: of many routes the first."""
    shown = asdict(told) | {"routes": [asdict(route) for route in told.routes[:MOST_ROUTES]]}
    return shown | {"routes_in_all": len(told.routes)}


def summary(told: Wiring) -> str:
    """One line."""
    return (
        f"from queue {told.queue!r} ({told.queue_type}, prefetch {told.prefetch}) of exchange {told.exchange!r} at "
        f"{told.broker} by {len(told.routes)} routes to Celery at {told.celery_broker}, {told.processes} processes"
    )


def text(told: Wiring, width: int | None) -> str:
    """A block of lines: a table of routes where that fits into ``width`` columns (None: no end), else a list."""
    facts = {
        "broker": told.broker,
        "exchange": told.exchange,
        "queue": f"{told.queue} ({told.queue_type})",
        "prefetch": f"{told.prefetch:,}",
        "processes": f"{told.processes:,}",
        "Celery broker": told.celery_broker,
    }
    longest = max(map(len, facts))
    lines = [f"{name:{longest}}{_GAP}{value}" for name, value in facts.items()]
    shown = [_cells(route) for route in told.routes[:MOST_ROUTES]]
    lines += ["", *_routes(shown, width)] if shown else []
    if (more := len(told.routes) - len(shown)) > 0:
        lines.append(f"and {more:,} more: typed-pubsub topology show")
    return "\n".join(lines)


def width_of_stderr() -> int | None:
    """Columns of the terminal; None: it is none."""
    return shutil.get_terminal_size((_USUAL_WIDTH, 24)).columns if sys.stderr.isatty() else None


def _cells(route: WiredRoute) -> tuple[str, ...]:
    # The name of a row is its key and its task once more.
    name = "a row" if route.event is None else route.route
    return (route.routing_key, route.event or "", name, ", ".join(route.tasks) or "(told by its code)")


def _routes(rows: list[tuple[str, ...]], width: int | None) -> Iterator[str]:
    columns = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    if width is None or sum(columns) + len(_GAP) * (len(columns) - 1) <= width:
        for row in (_COLUMNS, *rows):
            cells = (f"{cell:{length}}" for cell, length in zip(row, columns, strict=True))
            yield _GAP.join(cells).rstrip()
        return
    for key, *others in rows:
        yield key
        yield from textwrap.wrap(
            " -> ".join(filter(None, others)),
            width,
            initial_indent=_GAP,
            subsequent_indent=_GAP * 2,
            break_on_hyphens=False,
        )
