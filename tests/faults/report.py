"""``python -m tests.faults.report FILE``: the figures of a run (``python -m tests.faults --json FILE``) as Markdown."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Figures: TypeAlias = Sequence[dict[str, Any]]

_TITLES = {
    "rabbitmq": "Events and tasks on RabbitMQ",
    "quorum": "Events on a quorum queue of RabbitMQ",
    "embedded": "Events and tasks on the embedded broker",
    "redis": "Events on RabbitMQ, tasks on Redis",
}
_PEERS = ("hand-written", "hand-written, confirmed", "FastStream")


def ours(figures: Figures, brokers: str) -> Iterator[str]:
    """A table of our lines on one kind of broker."""
    yield f"| {_TITLES[brokers]} | events | tasks expected | distinct | lost | duplicates | dead letters | s |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for line in figures:
        if line["brokers"] == brokers and not line["peer"] and "error" not in line:
            keys = ("events", "expected", "distinct", "lost", "duplicates", "dead_letters", "seconds")
            yield f"| {line['row']} | {' | '.join(f'{line[key]:,}' for key in keys)} |"


def beside(figures: Figures) -> Iterator[str]:
    """A table of what others lose where we do not."""
    yield f"| lost of the tasks expected (duplicates) | this library | {' | '.join(_PEERS)} |"
    yield f"|---|--:|{'--:|' * len(_PEERS)}"
    cells = {(line["row"], line["peer"]): _cell(line) for line in figures if line["brokers"] == "rabbitmq"}
    for row in dict.fromkeys(line["row"] for line in figures if line["peer"]):
        yield f"| {row} | {' | '.join(cells[row, peer] for peer in ('', *_PEERS))} |"


def _cell(line: dict[str, Any]) -> str:
    if "error" in line:
        return "did not end"
    lost = f"**{line['lost']:,}**" if line["lost"] else "0"
    return f"{lost} of {line['expected']:,} ({line['duplicates']:,})"


if __name__ == "__main__":
    measured: Figures = json.loads(Path(sys.argv[1]).read_text())
    for kind in _TITLES:
        print("\n".join(ours(measured, kind)), end="\n\n")
    print("\n".join(beside(measured)))
