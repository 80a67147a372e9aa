"""Strategies of events: what they give can be published, and Hypothesis finds them by type."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, Field, field_validator

from typed_pubsub import Event, Registry, StructEvent, TaskMapping, remote_task, upcast
from typed_pubsub.demo.events import MatchesPublished, ScoreChanged, TableLoaded
from typed_pubsub.errors import DefinitionError, SchemaError
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.registry import meta_of, registry_of
from typed_pubsub.routing import Policy, RoutingTable, Schedule
from typed_pubsub.schema import canonical, path_of, schema_of
from typed_pubsub.testing.strategies import committed, events


class Paid(Event, routing_key="paid.{shop}.{kind}.{number}", registry=Registry()):
    shop: str
    kind: Literal["card", "cash", "not a word"]
    number: int
    amount: Annotated[Decimal, Field(gt=0, max_digits=6, decimal_places=2)]
    at: AwareDatetime
    code: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None

    @field_validator("number")
    @classmethod
    def _is_odd(cls, number: int) -> int:
        if number % 2 == 0:
            raise ValueError("even")
        return number


class Moved(StructEvent, routing_key="moved.{place}", registry=Registry()):
    place: Annotated[str, msgspec.Meta(min_length=3, max_length=4)]
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5


class Renamed(Event, routing_key="paid.{shop}.{kind}.{number}", version=2, registry=Registry()):
    shop: str
    kind: str
    number: int
    total: Decimal
    at: AwareDatetime


@upcast.body(Renamed, version=1)
def v1_to_v2(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "total": body["amount"]}


@remote_task("a.task")
def a_task(total: Decimal) -> None: ...


MODELS: list[Any] = [MatchesPublished, TableLoaded, ScoreChanged, Paid, Moved]


@pytest.mark.parametrize("model", MODELS)
@given(data=st.data())
def test_an_event_can_be_published_and_read_again(model: Any, data: st.DataObject) -> None:
    event = data.draw(events(model))
    assert type(event) is model
    key, body = write_event(event)
    assert read_event(meta_of(model), key, body) == event


@pytest.mark.parametrize("model", MODELS)
@given(data=st.data())
def test_hypothesis_finds_the_strategy_by_type(model: Any, data: st.DataObject) -> None:
    write_event(data.draw(st.from_type(model)))


@settings(max_examples=5)
@given(st.data())
def test_also_of_a_class_that_is_defined_later(data: st.DataObject) -> None:
    class Later(Event, routing_key="later.{word}", registry=Registry()):
        word: Annotated[str, Field(pattern="^x+$")]

    assert set(data.draw(st.from_type(Later)).word) == {"x"}


@pytest.mark.once
def test_small_readable_events_come_first() -> None:
    # The fields that are looked at alone: among more, and values that are refused, Hypothesis gives up at times.
    class Small(Event, routing_key="small.{shop}", registry=Registry()):
        shop: str
        amount: Annotated[Decimal, Field(gt=0, max_digits=6, decimal_places=2)]
        code: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None

    event = find(events(Small), lambda _event: True, settings=settings(database=None))
    assert event.amount == Decimal("0.01")
    assert event.code in (None, "AAA")
    assert event.shop.isalnum()
    assert len(event.shop) == 1


def test_what_is_no_event_or_abstract_is_refused() -> None:
    class Base(Event, abstract=True):
        pass

    with pytest.raises(DefinitionError, match="is abstract"):
        events(Base)
    with pytest.raises(DefinitionError, match="is not an event"):
        events(int)  # type: ignore[type-var]  # as it is meant


def test_deliveries_of_a_committed_version_are_decided_as_the_newest(tmp_path: Path) -> None:
    path = tmp_path / path_of(meta_of(Paid))
    path.parent.mkdir()
    path.write_text(canonical(schema_of(Paid)))
    mapping = TaskMapping()
    mapping.route(Renamed).to(a_task, lambda event, send: send(event.total))
    table = RoutingTable(mapping, registry_of(Renamed), Policy("a_queue"))

    @given(committed(path))
    def check(delivery: Delivery) -> None:
        assert delivery.headers["ce-schemaversion"] == "1"
        decision = table.decide(delivery)
        assert isinstance(decision, Schedule)
        assert str(decision.calls[0].args[0]) == json.loads(delivery.body)["amount"]

    check()


def test_what_is_no_schema_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="No such file"):
        committed(tmp_path / "paid" / "1.json")
