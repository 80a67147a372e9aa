"""A legacy row and the typed route that says the same give equal decisions, calls and task ids included."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils import json as kombu_json
from pydantic import AwareDatetime

from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.routing import DeadLetter, Policy, RoutingTable, TaskMapping, call, remote_task

REGISTRY = Registry()


class Paid(Event, routing_key="orders.paid", registry=REGISTRY):
    number: int
    order_id: UUID
    at: AwareDatetime
    total: Decimal
    note: str | None = None


class Sent(StructEvent, routing_key="orders.sent", registry=REGISTRY):
    number: int
    order_id: UUID
    at: datetime
    total: Decimal
    note: str | None = None


@remote_task("shop.tasks.index")
def index(number: int, order_id: UUID, *, note: str | None = None, at: datetime, total: Decimal) -> None: ...


@remote_task("shop.tasks.bill", queue="billing")
def bill(number: int, order_id: UUID, *, note: str | None = None, at: datetime, total: Decimal) -> None: ...


@dataclass(frozen=True)
class Rule:
    """One route, to be said in both ways."""

    model: Any
    task: Any
    least: int
    failing: int
    countdown: int | None


rules = st.builds(
    Rule,
    model=st.sampled_from([Paid, Sent]),
    task=st.sampled_from([index, bill]),
    least=st.integers(0, 5),
    failing=st.integers(0, 20),
    countdown=st.none() | st.integers(0, 9),
)


def as_row(rule: Rule) -> dict[str, Any]:
    def get_args(routing_key: str, body: Any) -> Any:
        if body["number"] == rule.failing:
            raise LookupError(body["number"])
        # Plain JSON and kombu's tags: the values of either.
        order_id, at, total = body["order_id"], body["at"], body["total"]
        arguments = {
            "note": body.get("note"),
            "at": datetime.fromisoformat(at) if isinstance(at, str) else at,
            "total": Decimal(total),
        }
        return [body["number"], UUID(order_id) if isinstance(order_id, str) else order_id], arguments

    row: dict[str, Any] = {
        "routing_key": rule.model.__event_meta__.key.text,
        "task": rule.task.name,
        "should_schedule": lambda key, body: body["number"] >= rule.least,
        "get_args": get_args,
    }
    options = dict(rule.task.options)
    if rule.countdown is not None:
        row["celery_kwargs"] = lambda key, body: {**options, "countdown": rule.countdown}
    elif options:
        row["celery_kwargs"] = options
    return row


def add_typed(mapping: TaskMapping, rule: Rule, name: str, *, one_liner: bool) -> None:
    def arguments(event: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if event.number == rule.failing:
            raise LookupError(event.number)
        return (event.number, event.order_id), {"note": event.note, "at": event.at, "total": event.total}

    def handler(event: Any) -> Any:
        args, kwargs = arguments(event)
        made = call(rule.task, *args, **kwargs)
        return made if rule.countdown is None else [made.using(countdown=rule.countdown)]

    def build(event: Any, send: Any) -> Any:
        args, kwargs = arguments(event)
        return send(*args, **kwargs)

    options: Any = {} if rule.countdown is None else {"countdown": rule.countdown}
    if one_liner:
        mapping.route(rule.model, when=lambda e: e.number >= rule.least).to(rule.task, build, name=name, **options)
    else:
        mapping.on(rule.model, when=lambda e: e.number >= rule.least, name=name)(handler)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  # aware there
fitting = st.fixed_dictionaries(
    {
        "number": st.integers(0, 9),
        "order_id": st.uuids(),
        "at": moments,
        "total": st.decimals(allow_nan=False, allow_infinity=False, places=2),
    },
    optional={"note": st.none() | texts, "unknown": texts},
)
misfits = st.dictionaries(st.sampled_from(["number", "order_id", "at", "total"]), st.integers() | texts)
ours = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "s1", "ce-schemaversion": "1"}


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    body = draw(fitting | misfits)
    key = draw(st.sampled_from(["orders.paid", "orders.sent", "orders.lost"]))
    if draw(st.booleans()):
        return Delivery(key, kombu_json.dumps(body).encode(), "r1", "events")
    return Delivery(key, msgspec.json.encode(body), "r1", "events", ours)


@given(st.lists(rules, max_size=4), deliveries(), st.booleans())
def test_a_row_and_the_typed_route_that_says_the_same_decide_alike(
    said: list[Rule], delivery: Delivery, one_liner: bool
) -> None:
    rows = TaskMapping().add_legacy([as_row(rule) for rule in said])
    typed = TaskMapping()
    for rule, route in zip(said, rows.routes, strict=True):
        add_typed(typed, rule, route.name, one_liner=one_liner)
    of_rows, of_typed = (RoutingTable(mapping, REGISTRY, Policy("q")) for mapping in (rows, typed))
    assert of_rows.binding_keys == of_typed.binding_keys
    one, other = of_rows.decide(delivery), of_typed.decide(delivery)
    if isinstance(one, DeadLetter) and one.reason == "mapping_error":
        # The same route, and the same error on another line.
        assert isinstance(other, DeadLetter)
        assert (one.reason, one.private, one.detail.split(" at ")[0]) == (
            other.reason,
            other.private,
            other.detail.split(" at ")[0],
        )
    else:
        assert one == other


def test_a_one_liner_and_a_row_have_the_same_name_without_being_told() -> None:
    rule = Rule(Paid, index, 0, 99, 5)
    typed = TaskMapping()
    typed.route(Paid).to(
        index, lambda e, send: send(e.number, e.order_id, note=e.note, at=e.at, total=e.total), countdown=5
    )
    rows = TaskMapping().add_legacy([as_row(rule)])
    body = {"number": 1, "order_id": str(UUID(int=1)), "at": "2026-08-01T12:00:00+00:00", "total": "1.50"}
    delivery = Delivery("orders.paid", msgspec.json.encode(body), "r1", "events", ours)
    one, other = (RoutingTable(mapping, REGISTRY, Policy("q")).decide(delivery) for mapping in (rows, typed))
    assert one == other
