"""What each step costs by itself, without a broker: ``python -m benchmarks.micro``."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import uuid4

from benchmarks import service
from benchmarks.broker import EVENTS
from benchmarks.events import KINDS, make
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.message import Context, compose
from typed_pubsub.events.registry import default_registry, meta_of
from typed_pubsub.routing.decisions import Schedule
from typed_pubsub.routing.mapping import TaskMapping
from typed_pubsub.routing.table import Policy, RoutingTable
from typed_pubsub.tasks.builder import TaskBuilder

DECODE, DECIDE, ENCODE, BUILD = "decode a body", "decide", "encode and compose", "build the task's message"
_SECONDS, _REPEATS = 0.1, 5


def paths(kind: str, mapping: TaskMapping = service.mapping) -> dict[str, Callable[[], object]]:
    """The steps of the hot path by name, ready to be called."""
    meta = meta_of(KINDS[kind])
    event = next(iter(make(kind, 1)))
    context = Context("bench", datetime.now(UTC))
    routing_key, body = write_event(event)
    message = compose(meta, routing_key, body, str(uuid4()), context)
    delivery = Delivery(
        routing_key, body, str(uuid4()), exchange="events", headers=message.headers, properties=message.properties
    )
    table = RoutingTable(mapping, default_registry, Policy(EVENTS))
    decision = table.decide(delivery)
    assert isinstance(decision, Schedule), decision
    builder = TaskBuilder(service.app)
    call, headers = decision.calls[0], decision.headers

    def encode() -> Any:
        key, written = write_event(event)
        return compose(meta, key, written, message.event_id, context)

    return {
        DECODE: lambda: read_event(meta, routing_key, body),
        DECIDE: lambda: table.decide(delivery),
        ENCODE: encode,
        BUILD: lambda: builder.build(call, headers),
    }


def microseconds(step: Callable[[], object], seconds: float = _SECONDS) -> float:
    """Of CPU that a call takes, the median of some repeats."""
    took = _timed(step, 100)
    times = max(int(seconds / (took / 100)), 10)
    return median(_timed(step, times) / times for _ in range(_REPEATS)) * 1e6


def _timed(step: Callable[[], object], times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        step()
    return time.process_time() - begun


def measured() -> dict[str, dict[str, float]]:
    """Microseconds of every step, by kind of event."""
    return {kind: {name: microseconds(step) for name, step in paths(kind).items()} for kind in KINDS}


if __name__ == "__main__":
    for kind_, steps in measured().items():
        for name_, cost in steps.items():
            print(f"{kind_:<14}{name_:<28}{cost:>8.2f} us")
