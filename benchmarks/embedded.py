"""``python -m benchmarks.embedded``: the embedded broker beside kombu's other transports that need no server.

Two things of each, from one run: how fast it publishes and hands off, and what it loses: of the events that one process
publishes to a topic exchange for another one's queue, and of those that a subscriber holds when it is killed.
"""

import argparse
import contextlib
import json
import os
import platform
import sqlite3
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import kombu

from benchmarks.broker import EVENTS, TASKS
from benchmarks.events import BODY_BYTES, EXCHANGE, KEY
from benchmarks.noserver import Broker, embedded, filesystem, publish, running, sqlalchemy

#: So often is a subscriber killed, each time after so many tasks more.
_KILLS, _TASKS_A_KILL = 10, 60
_SILENT_FOR = 3.0


@dataclass
class Contender:
    """A way to do the whole work, and what was measured of it."""

    name: str
    make: Callable[[Path], Broker]
    ours: bool = False
    publishes: list[float] = field(default_factory=list[float])
    handoffs: list[float] = field(default_factory=list[float])
    arrived: str = ""
    lost: str = ""

    def told(self) -> dict[str, Any]:
        """For the JSON file."""
        measured = {name: value for name, value in asdict(self).items() if name not in ("make", "ours")}
        return measured | {"publishes/s": median(self.publishes), "handoffs/s": median(self.handoffs)}


def contenders() -> list[Contender]:
    """Ours twice: with the library, and with the code that the peers run."""
    return [
        Contender("typed_pubsub, embedded broker", embedded, ours=True),
        Contender("hand-written, embedded broker", embedded),
        Contender("hand-written, kombu filesystem", filesystem),
        Contender("hand-written, kombu SQLAlchemy", sqlalchemy),
    ]


class Bench:
    """An empty broker with the queues declared, and one connection that looks at them."""

    def __init__(self, one: Contender, directory: Path) -> None:
        """Another process declares them and goes away, as a subscriber does at its start."""
        self.broker = one.make(directory)
        with running("declare", self.broker) as process:
            assert process.wait() == 0
        self._connection = self.broker.connect()
        self._channel: Any = self._connection.default_channel

    def count(self, queue: str) -> int:
        """How many messages wait on a queue."""
        return int(self._channel.queue_declare(queue, passive=True, durable=True).message_count)

    def tasks(self) -> Iterable[str]:
        """The match ids of the tasks that stand on Celery's queue, which is emptied."""
        queue = kombu.Queue(TASKS)(self._channel)
        while self.count(TASKS):
            # A writer that was killed leaves half a file with kombu's filesystem transport: nobody can read it.
            with contextlib.suppress(ValueError):
                message = queue.get(no_ack=True, accept=["json"])
                if message is not None:
                    yield str(message.payload[0][0])

    def close(self) -> None:
        """Closes the connection."""
        self._connection.release()


def measure_publishing(one: Contender, events: int) -> float:
    """Publishes a second, into a queue that is there."""
    with fresh(one) as bench:
        begun = time.perf_counter()
        # kombu's SQLAlchemy transport knows no binding of another process: straight to the queue, for all peers.
        exchange, key = (EXCHANGE, KEY) if one.ours else ("", EVENTS)
        publish(bench.broker, events, ours=one.ours, exchange=exchange, key=key)
        seconds = time.perf_counter() - begun
        assert bench.count(EVENTS) == events
    return events / seconds


def measure_handing_off(one: Contender, events: int) -> float:
    """Hand-offs a second, from the first task on Celery's queue to the last."""
    with fresh(one) as bench:
        publish(bench.broker, events, ours=False, exchange="", key=EVENTS)
        with running("subscribe", bench.broker, ours=one.ours) as process:
            first, begun = wait_for_tasks(bench, 1, process), time.perf_counter()
            last = wait_for_tasks(bench, events, process)
            seconds = time.perf_counter() - begun
    return (last - first) / seconds


def measure_arriving(one: Contender, events: int) -> str:
    """Of the events that another process publishes to the topic exchange, how many reach the queue."""
    with fresh(one) as bench:
        publish(bench.broker, events, ours=one.ours, exchange=EXCHANGE, key=KEY)
        return f"{bench.count(EVENTS)} of {events}"


def measure_loss(one: Contender, events: int) -> str:
    """Subscribers are killed (SIGKILL) while they hand off, and others go on: how many events had no task."""
    with fresh(one) as bench:
        publish(bench.broker, events, ours=False, exchange="", key=EVENTS)
        for kill in range(_KILLS):
            with running("subscribe", bench.broker, ours=one.ours) as process:
                wait_for_tasks(bench, (kill + 1) * _TASKS_A_KILL, process)
        with running("subscribe", bench.broker, ours=one.ours):
            wait_until_silent(bench, events)
        found = list(bench.tasks())
    return f"{events - len(set(found))} of {events}"


@contextlib.contextmanager
def fresh(one: Contender) -> Iterator[Bench]:
    """A broker of one's own for one measurement."""
    with tempfile.TemporaryDirectory(prefix="typed-pubsub-bench-") as directory:
        bench = Bench(one, Path(directory))
        try:
            yield bench
        finally:
            bench.close()


def wait_for_tasks(bench: Bench, wanted: int, process: subprocess.Popen[bytes]) -> int:
    """Until so many tasks stand on Celery's queue; how many there are then."""
    deadline = time.monotonic() + 120
    while (found := bench.count(TASKS)) < wanted:
        if time.monotonic() > deadline or process.poll() is not None:
            msg = f"{found} of {wanted} tasks arrived"
            raise RuntimeError(msg)
        time.sleep(0.02)
    return found


def wait_until_silent(bench: Bench, wanted: int) -> None:
    """Until all tasks are there, or none has come for a while after the subscriber had time to start."""
    last, since = bench.count(TASKS), time.monotonic() + _SILENT_FOR
    while last < wanted and time.monotonic() - since < _SILENT_FOR:
        time.sleep(0.05)
        found = bench.count(TASKS)
        if found != last:
            last, since = found, time.monotonic()


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedded", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000, help="events of each measurement (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default: %(default)s)")
    parser.add_argument("--json", type=Path, default=Path("build/embedded.json"), help="default: %(default)s")
    options = parser.parse_args()
    all_of_them = contenders()
    for _ in range(options.rounds):
        for one in all_of_them:
            one.publishes.append(measure_publishing(one, options.events))
            one.handoffs.append(measure_handing_off(one, options.events))
    for one in all_of_them:
        one.arrived = measure_arriving(one, 300)
        one.lost = measure_loss(one, options.events)
    setting = (
        f"SQLite {sqlite3.sqlite_version}, Python {platform.python_version()}, {os.cpu_count()} cores; "
        f"{BODY_BYTES}-byte events, persistent; medians of {options.rounds} interleaved rounds of {options.events}"
    )
    show(setting, all_of_them)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    written = {"setting": setting, "results": [one.told() for one in all_of_them]}
    options.json.write_text(json.dumps(written, indent=1) + "\n")


def show(setting: str, all_of_them: Iterable[Contender]) -> None:
    """Prints the table."""
    print(textwrap.fill(setting, 80))
    print(f"\n{'':<31}{'publishes/s':>12}{'hand-offs/s':>12}{'arrived':>12}{'lost':>13}")
    for one in all_of_them:
        rates = f"{median(one.publishes):>12,.0f}{median(one.handoffs):>12,.0f}"
        print(f"{one.name:<31}{rates}{one.arrived:>12}{one.lost:>13}")
    print("\narrived: of the events that another process publishes to a topic exchange")
    print(f"lost:    events without a task, after {_KILLS} times kill -9 of the subscriber")


if __name__ == "__main__":
    main()
