"""``python -m benchmarks.growth``: what happens to the hand-off when things grow, on a private RabbitMQ.

Routes, size of events, prefetch, subscribers on one queue, and how many events wait on it.
"""

import argparse
import itertools
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.broker import EVENTS, TASKS
from benchmarks.child import Child, cpu_of
from benchmarks.contenders import SUBSCRIBERS, Contender
from benchmarks.events import BODY_BYTES, WARM
from benchmarks.grown import Growth, Point, show
from benchmarks.measure import Sample, World, subscribing, world
from benchmarks.peers.routes import SHAPES
from benchmarks.program import WARM_UP, Job
from benchmarks.results import setting
from benchmarks.sections import tell
from typed_pubsub.testing.nodes import RabbitMQNode

ROUTES, BODIES, PREFETCHES, PROCESSES = (1, 100, 10_000), (220, 1_500, 20_000, 100_000), (10, 50, 200, 1_000), (1, 2, 4)
PARTS = ("routes", "size", "prefetch", "processes", "backlog")
#: Of 100 KB events ten thousand would be a gigabyte.
_MOST_BYTES = 50_000_000


class Runner:
    """Measures the library's subscriber under changed conditions."""

    def __init__(self, where: World, options: argparse.Namespace) -> None:
        self._where = where
        self._events: int = options.events
        self._rounds: int = options.rounds
        self._backlog: list[int] = options.backlog
        self._ours: Contender = next(one for one in SUBSCRIBERS if one.ours)
        self._broker_pid = 0

    def run(self, parts: Sequence[str], broker_pid: int) -> Iterator[Point]:
        """The points of each part."""
        self._broker_pid = broker_pid
        if "routes" in parts:
            yield from self._rounds_of(
                [("routes", f"{shape}, {n:,}", self._routes(n, shape)) for shape in SHAPES for n in ROUTES]
            )
        if "size" in parts:
            yield from self._rounds_of([("size", f"{size:,}", self._size(size)) for size in BODIES])
        if "prefetch" in parts:
            yield from self._rounds_of([("prefetch", f"{n:,}", self._prefetch(n)) for n in PREFETCHES])
        if "processes" in parts:
            yield from self._processes()
        if "backlog" in parts:
            yield from self._backlogs()

    def _rounds_of(self, cases: list[tuple[str, str, Job]]) -> Iterator[Point]:
        points = {case[1]: Point(case[0], case[1]) for case in cases}
        for number, (part, name, job) in itertools.product(range(self._rounds), cases):
            tell(f"{part}, round {number + 1} of {self._rounds}: {name}")
            points[name].add(self._once(job))
        yield from points.values()

    def _job(self) -> Job:
        return Job(self._where.bench.url, self._events)

    def _routes(self, count: int, shape: str) -> Job:
        return replace(self._job(), routes=count, shape=shape)

    def _size(self, size: int) -> Job:
        return replace(self._job(), size=size, count=max(min(self._events, _MOST_BYTES // size), WARM_UP))

    def _prefetch(self, prefetch: int) -> Job:
        return replace(self._job(), prefetch=prefetch)

    def _once(self, job: Job) -> Sample:
        self._where.bench.renew()
        return subscribing(self._where, self._ours, job)

    def _processes(self) -> Iterator[Point]:
        """Several subscribers on one queue; of one it is told how many cores it keeps busy, the broker's counted."""
        points = {count: Point("processes", str(count)) for count in PROCESSES}
        for number, (count, point) in itertools.product(range(self._rounds), points.items()):
            tell(f"processes, round {number + 1} of {self._rounds}: {count}")
            sample, busy = self._several(count)
            point.add(sample)
            point.busy.append(busy)
        yield from points.values()

    def _several(self, processes: int) -> tuple[Sample, float]:
        where, job = self._where, replace(self._job(), count=self._events * 2)
        where.bench.purge()
        with ExitStack() as stack:
            command, told = self._ours.command(job), {"BENCH_URL": job.url}
            children = [stack.enter_context(Child(command, told)) for _ in range(processes)]
            where.bench.wait_for_consumers(EVENTS, processes, children[0].check)
            where.drainer.begin(TASKS, job.warm * processes)
            where.bench.fill(job.warm * processes, first=WARM)
            where.drainer.found(job.warm * processes)
            for child in children:
                child.pause()
            where.bench.fill(job.count)
            where.drainer.begin(TASKS, job.count)
            cpu, broker, begun = sum(child.cpu() for child in children), cpu_of(self._broker_pid), time.monotonic()
            for child in children:
                child.go_on()
            at: float = where.drainer.found(job.count)["at"]
            seconds = at - begun
            cpu = sum(child.cpu() for child in children) - cpu
            busy = (cpu + cpu_of(self._broker_pid) - broker) / seconds
            sample = Sample(job.count / seconds, cpu / job.count * 1e6, max(child.peak_rss() for child in children))
        where.bench.wait_for_consumers(EVENTS, 0)
        return sample, busy

    def _backlogs(self) -> Iterator[Point]:
        """The subscriber starts when all the events wait: the time of its start is counted, its memory is the point."""
        for count in self._backlog:
            tell(f"backlog: {count:,}")
            where, job = self._where, replace(self._job(), count=count)
            where.bench.purge()
            where.bench.fill(count)
            where.drainer.begin(TASKS, count, timeout=count / 200 + 60)
            point = Point("backlog", f"{count:,}")
            with Child(self._ours.command(job), {"BENCH_URL": job.url}) as child:
                begun = time.monotonic()
                at: float = where.drainer.found(count, count / 200 + 60)["at"]
                point.add(Sample(count / (at - begun), child.cpu() / count * 1e6, child.peak_rss()))
            where.bench.wait_for_consumers(EVENTS, 0)
            yield point


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    add = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    add("--events", type=int, default=8_000, help="events of a round (default: %(default)s)")
    add("--rounds", type=int, default=5, help="interleaved rounds (default: %(default)s)")
    add("--backlog", nargs="+", type=int, default=[1_000, 1_000_000], help="events that wait (default: 1000 1000000)")
    add("--json", type=Path, default=Path("build/growth.json"), help="default: %(default)s")
    options = parser.parse_args()
    with RabbitMQNode(vhosts=1) as node, world(node.vhost()) as where:
        growth = Growth(setting(node.ctl("version").strip(), options.rounds))
        growth.setting["body"] = BODY_BYTES
        growth.setting["cores"] = os.cpu_count()
        growth.points += Runner(where, options).run(options.parts, node.pid)
    tell("")
    show(growth)
    growth.write(options.json)
    print(f"\n{options.json}")


if __name__ == "__main__":
    main()
