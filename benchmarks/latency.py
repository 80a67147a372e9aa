"""How long it takes: one confirmed publication, and the way from ``publish()`` to the task on Celery's queue."""

import itertools
from collections.abc import Iterator

from benchmarks.aims import LATENCY, OURS_HAND_OFF
from benchmarks.broker import TASKS
from benchmarks.child import Child, python
from benchmarks.contenders import HAND_OFF, REQUESTS, SUBSCRIBERS, Contender, why_not
from benchmarks.events import BODY_BYTES
from benchmarks.measure import World, measure, subscriber
from benchmarks.program import WARM_UP, Job
from benchmarks.results import Results, Waits
from benchmarks.sections import tell

LOADS = (0.1, 0.5, 0.9)
_PEAK_EVENTS = 4_000


def requests(where: World, count: int, rounds: int) -> list[Waits]:
    """One publication now and then, as a web request makes it, each waiting for its confirm."""
    all_of_them = {one: Waits(one.work, one.name, ours=one.ours) for one in REQUESTS if why_not(one) is None}
    for number, (one, waits) in itertools.product(range(rounds), all_of_them.items()):
        tell(f"{one.work}, round {number + 1} of {rounds}: {one.name}")
        waits.add(_request(where, one, count))
    return list(all_of_them.values())


def _request(where: World, one: Contender, count: int) -> list[float]:
    where.bench.purge()
    with Child(one.command(one.job(where.bench.url, count, BODY_BYTES, WARM_UP))) as child:
        child.expect("ready")
        child.say("go")
        took: list[float] = child.told()["took"]
    return took


def loads(where: World, results: Results, seconds: float, rounds: int) -> Iterator[Waits]:
    """At shares of the peak hand-off rate of this run."""
    ours = next(one for one in SUBSCRIBERS if one.name == OURS_HAND_OFF)
    line = results.line(HAND_OFF, ours.name, BODY_BYTES)
    peak = line.rate if line is not None else measure(where, ours, _PEAK_EVENTS).rate
    all_of_them = {load: Waits(LATENCY, ours.name, load=load) for load in LOADS}
    for number, (load, waits) in itertools.product(range(rounds), all_of_them.items()):
        tell(f"{LATENCY}, round {number + 1} of {rounds}: at {load:.0%} of {peak:,.0f} events/s")
        count = max(int(peak * load * seconds), 100)
        took, rate = _under_load(where, ours, count, peak * load)
        waits.add(took, rate)
    yield from all_of_them.values()


def _under_load(where: World, one: Contender, count: int, rate: float) -> tuple[list[float], float]:
    """Seconds of each event from its ``publish`` to its task's arrival, and the events a second that were published."""
    job = Job(where.bench.url, count, warm=WARM_UP, kind=one.kind)
    with subscriber(where, one, job) as child, Child(python("peers.paced", f"{rate}", job.text())) as publisher:
        publisher.expect("ready")
        where.drainer.begin(TASKS, WARM_UP)
        where.drainer.found(WARM_UP)
        where.drainer.begin(TASKS, count, timeout=count / rate + 60)
        publisher.say("go")
        seconds: float = publisher.told()["seconds"]
        took: list[float] = where.drainer.found(count, count / rate + 60)["took"]
        child.check()
    assert len(took) == count
    return took, count / seconds
