"""``python -m tests.faults``: the fault matrix as a table, ours and, with ``--peers``, others' beside it."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.matrix import MATRIX
from tests.faults.oracle import Verdict
from tests.faults.row import Row, run_row
from tests.faults.world import OURS
from typed_pubsub.testing.nodes import RabbitMQNode, RedisNode

PEERS = {
    "hand-written": ("-m", "tests.faults.peers.handwritten"),
    "hand-written, confirmed": ("-m", "tests.faults.peers.handwritten", "confirmed"),
    "FastStream": ("-m", "tests.faults.peers.stream"),
}
_WIDTH = 62
_HEAD = f"{'':{_WIDTH}} events  tasks distinct   lost duplicates dead letters seconds"


@dataclass
class Table:
    """One run of the table: private servers, what broke a promise of ours, and the figures of every line."""

    node: RabbitMQNode
    redis: RedisNode
    size: int
    broken: list[str] = field(default_factory=list[str])
    figures: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    def line(self, row: Row, name: str, program: tuple[str, ...]) -> None:
        """Runs and prints one line; ``name`` is a peer's, or empty."""
        title = f"{'    ' if name else ''}{name or row.name}"
        what: dict[str, object] = {"row": row.name, "brokers": row.brokers, "peer": name}
        try:
            verdict = self.run(row, program)
        except AssertionError as error:
            problems, told = [str(error)], str(error).splitlines()[0]
            self.figures.append({**what, "error": told})
        else:
            problems, told = verdict.problems(), _figures(verdict)
            self.figures.append({**what, **_numbers(verdict)})
        if not name and row.promised:
            self.broken += [f"{row.name} ({row.brokers}): {problem}" for problem in problems]
        print(f"{title:{_WIDTH}} {told}", flush=True)

    def run(self, row: Row, program: tuple[str, ...]) -> Verdict:
        """The verdict on a row."""
        with tempfile.TemporaryDirectory(prefix="faults-") as directory:
            return run_row(row, Path(directory), size=self.size, node=self.node, redis=self.redis, program=program)


def main() -> int:
    """Prints the table; 1 if anything of ours broke the promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--size", type=int, default=2000, help="events a row, at least (default: %(default)s)")
    parser.add_argument("--peers", action="store_true", help="also subscribers that are written without this library")
    parser.add_argument("--only", default="", help="rows whose name holds this text")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    given = parser.parse_args()
    rows = [row for row in MATRIX if given.only in row.name]
    with ExitStack() as stack:
        node, redis = stack.enter_context(RabbitMQNode(vhosts=60)), stack.enter_context(RedisNode())
        table = Table(node, redis, given.size)
        for brokers, title in _TITLES.items():
            print(f"\n{title}\n\n{_HEAD}", flush=True)
            for row in (row for row in rows if row.brokers == brokers):
                for name, program in _programs(row, peers=given.peers):
                    table.line(row, name, program)
    if given.json:
        given.json.write_text(json.dumps(table.figures, indent=1))
    print("\n" + ("\n".join(table.broken) or f"{len(rows)} rows: nothing lost."))
    return 1 if table.broken else 0


def _programs(row: Row, *, peers: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "", OURS
    if peers and row.peers and row.brokers == "rabbitmq":
        yield from PEERS.items()


def _numbers(verdict: Verdict) -> dict[str, object]:
    return {
        "events": verdict.events,
        "expected": verdict.expected,
        "distinct": verdict.distinct,
        "lost": len(verdict.lost),
        "duplicates": verdict.duplicates,
        "dead_letters": verdict.dead_letters,
        "seconds": round(verdict.seconds, 1),
    }


def _figures(verdict: Verdict) -> str:
    return (
        f"{verdict.events:6} {verdict.expected:6} {verdict.distinct:8} {len(verdict.lost):6} "
        f"{verdict.duplicates:10} {verdict.dead_letters:12} {verdict.seconds:7.1f}"
    )


_TITLES = {
    "rabbitmq": "Events and tasks on RabbitMQ",
    "quorum": "Events on a quorum queue of RabbitMQ",
    "embedded": "Events and tasks on the embedded broker",
    "redis": "Events on RabbitMQ, tasks on Redis (appendfsync always)",
}

if __name__ == "__main__":
    sys.exit(main())
