"""Events, deliveries and tables for the tests of routing."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.routing import (
    DeadLetter,
    Decision,
    Policy,
    RoutingTable,
    Schedule,
    TaskCall,
    TaskMapping,
    remote_task,
)

REGISTRY = Registry()


class Paid(Event, routing_key="orders.paid", registry=REGISTRY):
    number: int
    note: str | None = None


class Cancelled(Event, routing_key="orders.cancelled", registry=REGISTRY):
    number: int


class Loaded(Event, routing_key="etl.{source}.loaded", registry=REGISTRY):
    source: str
    rows: int = 0


class Scored(StructEvent, routing_key="scores.changed", registry=REGISTRY):
    home: int


@remote_task("shop.tasks.ship", queue="shop")
def ship(number: int, note: str = "") -> None: ...


@remote_task("shop.tasks.bill")
def bill(number: int) -> None: ...


def deliver(key: str, body: Any = None, headers: Mapping[str, Any] | None = None, **fields: Any) -> Delivery:
    """A delivery; a body that is not bytes is written as JSON."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode({"number": 1} if body is None else body)
    fields = {"random_id": "r1", "exchange": "events", **fields}
    return Delivery(key, raw, headers=headers or {}, **fields)


def table_of(mapping: TaskMapping, *, registry: Registry = REGISTRY, **policy: Any) -> RoutingTable:
    return RoutingTable(mapping, registry, Policy("q", **policy))


def decide(mapping: TaskMapping, delivery: Delivery | None = None, **policy: Any) -> Decision:
    """What the mapping makes of a delivery; default: of a legacy message of ``Paid``."""
    return table_of(mapping, **policy).decide(delivery if delivery is not None else deliver("orders.paid"))


def calls(decision: Decision) -> list[TaskCall]:
    """The calls of a Schedule."""
    assert isinstance(decision, Schedule), decision
    return list(decision.calls)


def dead(decision: Decision) -> DeadLetter:
    """A decision that is a dead letter."""
    assert isinstance(decision, DeadLetter), decision
    return decision


def row(key: str = "orders.paid", task: str = "t", **values: Any) -> dict[str, Any]:
    """A row that always schedules, with the body as the only argument."""
    get_args: Callable[[str, Any], Any] = lambda routing_key, body: ([body], {})  # noqa: E731  # as rows are written
    return {
        "routing_key": key,
        "task": task,
        "should_schedule": lambda routing_key, body: True,
        "get_args": get_args,
        **values,
    }
