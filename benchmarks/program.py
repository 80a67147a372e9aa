"""The measured side of ``benchmarks.child``: what a program that publishes or subscribes has in common with others.

It connects, warms up, says ``ready``, waits for ``go``, does its work, and tells what it knows. It ends when its
standard input does, so that none outlives the run.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, TypeVar

from benchmarks.events import BODY_BYTES, WARM

T = TypeVar("T")
#: Events with which everybody warms up.
WARM_UP = 200
#: Events by number, size and first id.
Maker: TypeAlias = Callable[[int, int, int], Iterator[T]]


@dataclass(frozen=True, slots=True)
class Job:
    """What a program is told: broker, size of events, how many, how many to warm up with, and who of a kind it is."""

    url: str
    count: int
    size: int = BODY_BYTES
    warm: int = WARM_UP
    kind: str = "Event"
    confirm: bool = False
    routes: int = 1
    shape: str = "exact"
    prefetch: int = 200

    def text(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))


def ready() -> None:
    """Says so, and waits to be told to go."""
    print("ready", flush=True)
    wait()


def wait() -> None:
    """Until it is told something; it ends with whoever started it."""
    if not sys.stdin.readline():
        sys.exit(0)


def tell(value: Any) -> None:
    """Says a line of JSON."""
    print(json.dumps(value), flush=True)


def many(job: Job, make: Maker[T], publish: Callable[[Iterator[T]], object]) -> None:
    """Publishes the job's events in one go; the connection stays open until all are counted."""
    publish(make(job.warm, job.size, WARM))
    ready()
    cpu = time.process_time()
    publish(make(job.count, job.size, 0))
    tell({"cpu": time.process_time() - cpu})
    wait()


def one_by_one(job: Job, make: Maker[T], publish: Callable[[T], object], pause: float = 0.001) -> None:
    """Publishes as a web request does, now and then, and tells how many seconds each call took."""
    for event in make(job.warm, job.size, WARM):
        publish(event)
    ready()
    took: list[float] = []
    for event in make(job.count, job.size, 0):
        time.sleep(pause)
        begun = time.perf_counter()
        publish(event)
        took.append(time.perf_counter() - begun)
    tell({"took": took})
    wait()


class Tally:
    """Counts what a program that only consumes has consumed: first what warms it up, then the job."""

    def __init__(self, job: Job) -> None:
        self._wanted = [job.warm, job.count]
        self._seen: set[Any] = set()
        self._count = 0

    def add(self, event_id: Any) -> None:
        """One event more; tells when a part is complete."""
        self._count += 1
        self._seen.add(event_id)
        if self._wanted and self._count == self._wanted[0]:
            del self._wanted[0]
            tell({"count": self._count, "distinct": len(self._seen), "at": time.monotonic()})
            self._count = 0
            self._seen.clear()


def run(programs: Mapping[str, Callable[[Job], None]]) -> None:
    """One of a module's programs, as the command line says."""
    programs[sys.argv[1]](Job(**json.loads(sys.argv[2])))
    # Clients that still have something under way must not hold the process up.
    sys.stdout.flush()
    os._exit(0)
