"""nameko: a service with one ``consume`` entry point, on eventlet."""
# ruff: noqa: E402  # eventlet has to patch the standard library before anything uses it

import eventlet

eventlet.monkey_patch()

from collections.abc import Callable
from typing import Any, TypeAlias

import kombu
from nameko.containers import ServiceContainer
from nameko.messaging import consume

from benchmarks import service
from benchmarks.broker import EVENTS
from benchmarks.events import PlainMatch
from benchmarks.program import Job, run

Handler: TypeAlias = Callable[[Any, Any], None]


_consume: Callable[[Handler], Handler] = consume(kombu.Queue(EVENTS, no_declare=True))


class Matches:
    """The service."""

    name = "matches"

    @_consume
    def handle(self, body: Any) -> None:
        """One event, which kombu has decoded."""
        event = PlainMatch.model_validate(body)
        if event.competition == "league":
            service.execute.apply_async((event.match_id,), {"title": event.title})


def hand_off(job: Job) -> None:
    """As many workers as others have deliveries in hand: nameko's prefetch is the number of its workers."""
    container = ServiceContainer(Matches, {"AMQP_URI": job.url, "max_workers": job.prefetch})
    container.start()
    container.wait()


if __name__ == "__main__":
    run({"hand_off": hand_off})
