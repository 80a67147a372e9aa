"""``python -m tests.faults``: the fault matrix as a table, ours and, with ``--peers``, others' beside it."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import TypeAlias

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
Servers: TypeAlias = tuple[RabbitMQNode, RedisNode]

_WIDTH = 68
_HEAD = f"{'':{_WIDTH}} events  tasks distinct   lost duplicates dead letters seconds"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the matrix under one subscriber: ours, where ``peer`` is empty."""

    row: Row
    peer: str
    program: tuple[str, ...]

    def run(self, servers: "Queue[Servers]", size: int) -> "Result":
        """Runs it on servers that nobody else uses meanwhile."""
        node, redis = own = servers.get()
        try:
            with tempfile.TemporaryDirectory(prefix="faults-") as directory:
                verdict = run_row(self.row, Path(directory), size=size, node=node, redis=redis, program=self.program)
        except AssertionError as error:
            told = str(error).splitlines()[0]
            return Result(self, told, [str(error)], {"error": told})
        finally:
            servers.put(own)
        return Result(self, _figures(verdict), verdict.problems(), _numbers(verdict))


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a line: what is printed, what broke the promise, the figures."""

    line: Line
    told: str
    problems: list[str]
    numbers: dict[str, object]

    def __str__(self) -> str:
        title = f"    {self.line.peer}" if self.line.peer else self.line.row.name
        return f"{title:{_WIDTH}} {self.told}"

    def figures(self) -> dict[str, object]:
        """For the file."""
        row = self.line.row
        return {"row": row.name, "brokers": row.brokers, "peer": self.line.peer, **self.numbers}


def main() -> int:
    """Prints the table; 1 if anything of ours broke the promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--size", type=int, default=2000, help="events a row, at least (default: %(default)s)")
    parser.add_argument("--peers", action="store_true", help="also subscribers that are written without this library")
    parser.add_argument("--only", default="", help="rows whose name holds this text")
    parser.add_argument("--jobs", type=int, default=3, help="rows at a time, most of which wait (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    given = parser.parse_args()
    rows = [row for kind in _TITLES for row in MATRIX if row.brokers == kind and given.only in row.name]
    lines = [Line(row, *one) for row in rows for one in _programs(row, peers=given.peers)]
    results: list[Result] = []
    servers: Queue[Servers] = Queue()
    with ExitStack() as stack, ThreadPoolExecutor(given.jobs) as pool:
        for _ in range(given.jobs):
            servers.put((stack.enter_context(RabbitMQNode(vhosts=60)), stack.enter_context(RedisNode())))
        for result in pool.map(lambda line: line.run(servers, given.size), lines):
            if not results or results[-1].line.row.brokers != result.line.row.brokers:
                print(f"\n{_TITLES[result.line.row.brokers]}\n\n{_HEAD}")
            print(result, flush=True)
            results.append(result)
    if given.json:
        given.json.write_text(json.dumps([result.figures() for result in results], indent=1))
    broken = [
        f"{result.line.row.name} ({result.line.row.brokers}): {problem}"
        for result in results
        if not result.line.peer and result.line.row.promised
        for problem in result.problems
    ]
    print("\n" + ("\n".join(broken) or f"{len(rows)} rows: nothing lost where it is promised."))
    return 1 if broken else 0


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
