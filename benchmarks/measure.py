"""One round of one contender: started, warmed up, let go, counted, ended."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.broker import EVENTS, TASKS, Bench
from benchmarks.child import Child, python
from benchmarks.contenders import CONSUME, HAND_OFF, PUBLISH, Contender
from benchmarks.events import BODY_BYTES, WARM
from benchmarks.program import WARM_UP, Job

_TIMEOUT = 60.0


class WrongAnswer(RuntimeError):
    """Messages are missing, or came twice: the round says nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one round measured: events a second, microseconds of CPU an event, the most memory in MB."""

    rate: float
    cpu: float
    rss: float


class Drainer:
    """The process that empties queues and counts what it takes off them."""

    def __init__(self, child: Child) -> None:
        self._child = child
        child.expect("ready")

    def begin(self, queue: str, count: int, timeout: float = _TIMEOUT) -> None:
        """Takes so many messages off a queue, from now on; what then comes within a moment is taken too."""
        self._child.say(f"{queue} {count} {timeout}")
        self._child.expect("draining")

    def found(self, count: int, timeout: float = _TIMEOUT) -> dict[str, Any]:
        """What it has taken; there must be exactly so many, and all different."""
        return _exactly(count, self._child.told(timeout + 10))


@dataclass(frozen=True, slots=True)
class World:
    """Where all is measured: a broker's virtual host with the queues, and who empties them."""

    bench: Bench
    drainer: Drainer


@contextmanager
def world(url: str) -> Iterator[World]:
    """Queues declared, drainer started."""
    with Bench(url) as bench, Child(python("drain", url)) as child:
        yield World(bench, Drainer(child))


def measure(where: World, one: Contender, count: int, size: int = BODY_BYTES) -> Sample:
    """One round.

    Raises:
        WrongAnswer: not every message arrived, exactly once.
    """
    where.bench.purge()
    job = one.job(where.bench.url, count, size, WARM_UP)
    match one.work:
        case work if work == PUBLISH:
            return _publishing(where, one, job)
        case work if work in (HAND_OFF, CONSUME):
            return subscribing(where, one, job)
        case _:
            raise ValueError(one.work)


def _publishing(where: World, one: Contender, job: Job) -> Sample:
    """Until the contender has its last confirm, or, unconfirmed, the queue its last event."""
    with Child(one.command(job)) as child:
        child.expect("ready")
        where.bench.wait_for(EVENTS, job.warm, child.check)
        where.bench.purge()
        cpu, begun = child.cpu(), time.perf_counter()
        child.say("go")
        child.told()
        if one.unconfirmed:
            where.bench.wait_for(EVENTS, job.count, child.check)
        seconds = time.perf_counter() - begun
        cpu, rss = child.cpu() - cpu, child.peak_rss()
        where.drainer.begin(EVENTS, job.count)
        where.drainer.found(job.count)
    return Sample(job.count / seconds, cpu / job.count * 1e6, rss)


def subscribing(where: World, one: Contender, job: Job) -> Sample:
    """Warmed up, frozen while the queue is filled; from its going on to the last task's arrival."""
    with subscriber(where, one, job) as child:
        child.pause()
        where.bench.fill(job.count, kind=one.kind, size=job.size)
        if one.work == HAND_OFF:
            where.drainer.begin(TASKS, job.count)
        cpu, begun = child.cpu(), time.monotonic()
        child.go_on()
        found = where.drainer.found(job.count) if one.work == HAND_OFF else _exactly(job.count, child.told())
        cpu, rss = child.cpu() - cpu, child.peak_rss()
    return Sample(job.count / (found["at"] - begun), cpu / job.count * 1e6, rss)


@contextmanager
def subscriber(where: World, one: Contender, job: Job) -> Iterator[Child]:
    """A subscriber that has handled its first events; what a dead one held is not in its way."""
    where.bench.purge()
    with Child(one.command(job), {"BENCH_URL": job.url}) as child:
        where.bench.wait_for_consumers(EVENTS, 1, child.check)
        if one.work == HAND_OFF:
            where.drainer.begin(TASKS, job.warm)
        where.bench.fill(job.warm, kind=one.kind, size=job.size, first=WARM)
        if one.work == HAND_OFF:
            where.drainer.found(job.warm)
        else:
            child.told()
        yield child
    where.bench.wait_for_consumers(EVENTS, 0)


def _exactly(count: int, found: dict[str, Any]) -> dict[str, Any]:
    if (found["count"], found["distinct"]) != (count, count):
        msg = f"{count} messages expected, {found['count']} came, {found['distinct']} of them different"
        raise WrongAnswer(msg)
    return found
