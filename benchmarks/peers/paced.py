"""``python -m benchmarks.peers.paced RATE JOB``: publishes at a steady rate, each event with its time in its title."""

import json
import sys
import time
from collections.abc import Iterator
from uuid import UUID

from benchmarks.events import EXCHANGE, WARM, BenchMatchPublished, make_events, title_of
from benchmarks.program import Job, ready, tell, wait
from typed_pubsub import Publisher, PubSubConfig

#: Ahead of time by more than this it sleeps: a sleep for every event would cost more than the event.
_AHEAD = 0.001


def paced(count: int, rate: float, size: int) -> Iterator[BenchMatchPublished]:
    """Events that come when they are due."""
    template = next(make_events(1, size))
    title = title_of(size)
    begun = time.monotonic()
    for number in range(count):
        ahead = begun + number / rate - time.monotonic()
        if ahead > _AHEAD:
            time.sleep(ahead)
        stamped = f"T{time.monotonic_ns():016d};"
        yield BenchMatchPublished(
            match_id=UUID(int=number),
            competition=template.competition,
            kickoff=template.kickoff,
            title=stamped + title[len(stamped) :],
        )


def main() -> None:
    """One run."""
    rate, job = float(sys.argv[1]), Job(**json.loads(sys.argv[2]))
    with Publisher(PubSubConfig(broker_url=job.url, exchange=EXCHANGE, unroutable="raise")) as publisher:
        publisher.publish_many(make_events(job.warm, job.size, WARM))
        ready()
        begun = time.monotonic()
        publisher.publish_many(paced(job.count, rate, job.size))
        tell({"seconds": time.monotonic() - begun})
        wait()


if __name__ == "__main__":
    main()
