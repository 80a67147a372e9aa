"""What rows and typed routes get of a body: as it was sent, or the model; kombu's tags of legacy messages undone."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from kombu.utils import json as kombu_json

from tests.routing.kit import calls, dead, decide, deliver, row, table_of
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.routing import DeadLetter, RoutingTable, TaskCall, TaskMapping, call, remote_task

REGISTRY = Registry()
ID = UUID(int=7)
NOW = datetime(2026, 8, 1, 12, 30, tzinfo=UTC)
OURS = {"ce-specversion": "1.0"}


class Booked(Event, routing_key="rooms.booked", registry=REGISTRY):
    booking_id: UUID
    at: datetime
    price: Decimal
    guests: int = 1


class Cleaned(StructEvent, routing_key="rooms.cleaned", registry=REGISTRY, rename="camel"):
    booking_id: UUID
    at_time: datetime | None = None


@remote_task("hotel.tasks.note")
def note(value: Any) -> None: ...


def both() -> RoutingTable:
    """A typed route and a row for each model."""
    mapping = TaskMapping()
    mapping.on(Booked)(lambda event: call(note, event))
    mapping.on(Cleaned, name="cleaned")(lambda event: call(note, event.booking_id))
    mapping.add_legacy([row("rooms.*", "row")])
    return table_of(mapping, registry=REGISTRY)


def given(made: list[TaskCall], task: str) -> Any:
    return next(one.args[0] for one in made if one.task == task)


TAGGED = {
    "uuid": ID,
    "datetime": NOW,
    "naive": NOW.replace(tzinfo=None),
    "date": date(2026, 8, 1),
    "time": time(12, 30),
    "decimal": Decimal("1.50"),
    "text": b"abc",
    "blob": b"\xff\x00",
    "nested": [{"id": ID}, [Decimal("2.5")]],
    "plain": [1, None, "x", {"a": True}],
}


def test_a_row_gets_the_python_values_of_kombus_tags() -> None:
    mapping = TaskMapping().add_legacy([row("no.model")])
    (made,) = calls(decide(mapping, deliver("no.model", kombu_json.dumps(TAGGED).encode())))
    assert made.args == (TAGGED,)


def test_what_a_later_row_does_to_the_body_does_not_reach_the_task_of_an_earlier_one() -> None:
    mapping = TaskMapping().add_legacy([row("free"), row("free", get_args=lambda key, body: ([body.pop("x")], body))])
    first, second = calls(decide(mapping, deliver("free", {"x": 1, "y": [2]})))
    assert (first.args, second.args, second.kwargs) == (({"x": 1, "y": [2]},), (1,), {"y": [2]})


def test_in_a_message_of_ours_a_tag_is_nothing_but_json() -> None:
    body = {"at": {"__type__": "datetime", "__value__": NOW.isoformat()}}
    mapping = TaskMapping().add_legacy([row("no.model")])
    assert calls(decide(mapping, deliver("no.model", body, OURS)))[0].args == (body,)
    assert calls(decide(mapping, deliver("no.model", body)))[0].args == ({"at": NOW},)


@pytest.mark.parametrize(
    "tag",
    [
        {"__type__": "set", "__value__": [1]},
        {"__type__": "uuid", "__value__": "x"},
        {"__type__": 5, "__value__": 5},
        {"__type__": "datetime", "__value__": None},
    ],
)
def test_a_tag_of_another_kind_is_an_invalid_body_and_nothing_is_made_of_it(tag: Any) -> None:
    mapping = TaskMapping().add_legacy([row("#")])
    for key in ("no.model", "rooms.booked"):
        verdict = dead(table_of(mapping, registry=REGISTRY).decide(deliver(key, {"x": tag})))
        assert verdict.reason == "invalid_body"
        assert verdict.detail.startswith("$.x: expected ")


def test_a_model_gets_plain_json_of_the_tags_and_a_row_beside_it_the_values() -> None:
    body = {"booking_id": ID, "at": NOW, "price": Decimal("9.90")}
    made = calls(both().decide(deliver("rooms.booked", kombu_json.dumps(body).encode())))
    assert given(made, "row") == body
    assert given(made, "hotel.tasks.note") == {
        "booking_id": str(ID),
        "at": "2026-08-01T12:30:00Z",
        "price": "9.90",
        "guests": 1,
    }


def test_a_struct_gets_plain_json_of_the_tags_too() -> None:
    body = {"bookingId": ID, "atTime": NOW}
    made = calls(both().decide(deliver("rooms.cleaned", kombu_json.dumps(body).encode())))
    assert given(made, "hotel.tasks.note") == ID
    assert given(made, "row") == body


def test_a_row_gets_the_body_as_it_was_sent_and_not_the_models_dump() -> None:
    body = {"booking_id": str(ID), "at": NOW.isoformat(), "price": 9.9, "later": {"unknown": [1]}}
    for headers in ({}, OURS):
        made = calls(both().decide(deliver("rooms.booked", body, headers)))
        assert given(made, "row") == body


def test_a_row_never_sees_a_body_that_does_not_fit_the_model() -> None:
    seen: list[Any] = []
    watching = row("rooms.*", should_schedule=lambda key, body: seen.append(body))
    table = table_of(TaskMapping().add_legacy([watching]), registry=REGISTRY)
    bodies: list[Any] = [{"booking_id": "x"}, {}, [], b"{"]
    for body in bodies:
        assert isinstance(table.decide(deliver("rooms.booked", body)), DeadLetter)
    assert seen == []


def test_a_row_that_raises_takes_the_typed_routes_calls_with_it() -> None:
    mapping = TaskMapping()
    mapping.on(Booked)(lambda event: call(note, event))
    mapping.add_legacy([row("rooms.*", get_args=lambda key, body: ([body["missing"]], {}))])
    body = {"booking_id": str(ID), "at": NOW.isoformat(), "price": 1}
    verdict = dead(table_of(mapping, registry=REGISTRY).decide(deliver("rooms.booked", body)))
    assert (verdict.reason, verdict.private) == ("mapping_error", "'missing'")
    assert verdict.detail.startswith("route rooms.*->t: KeyError at ")


def test_what_a_row_does_to_the_body_is_gone_at_the_next_delivery() -> None:
    mapping = TaskMapping().add_legacy([row("#", get_args=lambda key, body: ([body.pop("x")], {}))])
    table = table_of(mapping)
    for _ in range(2):
        assert calls(table.decide(deliver("a", {"x": 1})))[0].args == (1,)
