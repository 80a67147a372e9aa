"""Which values cannot be published: numbers that are none, and what is not of its field's type."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from pydantic import BaseModel, Field, computed_field
from typing_extensions import TypedDict

from typed_pubsub.errors import EventError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.keyed import write_event


class Line(msgspec.Struct):
    price: Decimal


class TitledLine(Line):
    title: str


class Counted(msgspec.Struct):
    count: int = 0


class BareCounted(Counted, omit_defaults=True):
    pass


class TitledRow(msgspec.Struct, array_like=True):
    a: int


@dataclass
class Point:
    x: int


@dataclass
class Place(Point):
    name: str


class Member(TypedDict):
    a: int


def model_of(kind: Any, **config: Any) -> Any:
    class Made(Event, routing_key="made", registry=Registry(), **config):
        x: kind

    return Made


NO_NUMBERS = [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")]


def struct_of(kind: Any) -> Any:
    class Made(StructEvent, routing_key="made", registry=Registry()):
        x: kind

    return Made


@pytest.mark.parametrize("number", NO_NUMBERS, ids=str)
def test_a_decimal_that_is_no_number_cannot_be_published_wherever_it_is(number: Decimal) -> None:
    held: list[tuple[Any, Any, str]] = [
        (Decimal, number, "x"),
        (list[Decimal | None], [None, number], r"x\[1\]"),
        (dict[str, tuple[Decimal, ...]], {"y": (number,)}, r"x\.y\[0\]"),
        (Line, Line(number), r"x\.price"),
    ]
    for kind, value, path in held:
        with pytest.raises(EventError, match=rf"made: \$\.{path}: expected a finite number, got NaN or Infinity"):
            write_event(struct_of(kind)(x=value))
    for event in (model_of(Decimal, allow_inf_nan=True), model_of(Annotated[Decimal, Field(allow_inf_nan=True)])):
        with pytest.raises(EventError, match=r"\$\.x: expected a finite number"):
            write_event(event(x=number))


@pytest.mark.parametrize("made", [model_of, struct_of])
@pytest.mark.parametrize("number", [math.nan, math.inf, *NO_NUMBERS[2:]], ids=str)
def test_a_key_that_is_no_number_cannot_be_published(made: Any, number: Any) -> None:
    kind: Any = type(number)
    config = {"allow_inf_nan": True} if made is model_of else {}
    event = made(dict[kind, int], **config)
    with pytest.raises(EventError, match=r"\$\.x\.\S+: expected a finite number"):
        write_event(event(x={number: 1}))
    assert write_event(event(x={kind("1.5"): 1}))[1] == b'{"x":{"1.5":1}}'


def test_a_text_that_only_says_so_is_published() -> None:
    class Said(StructEvent, routing_key="said", registry=Registry()):
        text: str
        price: Decimal

    assert write_event(Said(text="NaN", price=Decimal("1.50")))[1] == b'{"text":"NaN","price":"1.50"}'


def test_infinity_as_a_text_is_no_way_around() -> None:
    class Endless(BaseModel, ser_json_inf_nan="strings"):
        ratio: float

    with pytest.raises(EventError, match=r"\$\.x\.ratio: expected a finite number"):
        write_event(model_of(Endless)(x=Endless(ratio=math.inf)))
    with pytest.raises(EventError, match=r"\$\.x: expected a finite number"):
        write_event(model_of(float, ser_json_inf_nan="strings", allow_inf_nan=True)(x=math.inf))


def test_a_computed_number_that_is_none_cannot_be_published() -> None:
    class Share(Event, routing_key="share", registry=Registry()):
        part: int

        @computed_field
        def ratio(self) -> float:
            return math.inf if self.part == 0 else 1 / self.part

    assert write_event(Share(part=2))[1] == b'{"part":2,"ratio":0.5}'
    with pytest.raises(EventError, match=r"\$\.ratio: expected a finite number"):
        write_event(Share(part=0))


def test_a_value_of_a_subclass_or_with_other_members_cannot_be_published() -> None:
    told = "expected a value of its field's type, got one with other members, or of another form"
    strangers: list[tuple[Any, Any, str]] = [
        (Line, TitledLine(Decimal(1), "x"), r"x\.title"),
        (list[Line], [Line(Decimal(1)), TitledLine(Decimal(1), "x")], r"x\[1\]\.title"),
        (Counted, BareCounted(), r"x\.count"),
        (Point, Place(1, "x"), r"x\.name"),
        (Member, {"a": 1, "b": 2}, r"x\.b"),
        (Decimal, 1, "x"),
    ]
    for kind, value, path in strangers:
        with pytest.raises(EventError, match=rf"made: \$\.{path}: {told}"):
            write_event(struct_of(kind)(x=value))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (float, 1),
        (list[float], (2, 1.5)),
        (dict[float, int], {1: 2}),
        (set[str], {"b", "a", "c", "e", "d"}),
        (set[float], {10, 9.5, 2}),
        (Line | None, Line(Decimal("1.0"))),
        (list[Counted], [Counted(), Counted(1)]),
        (Member, {"a": 1}),
        (Any, {"a": {1: (Decimal(1), TitledRow(1))}}),
        (timedelta, timedelta(days=400, microseconds=1)),
        (datetime, datetime(2026, 1, 2, tzinfo=timezone(timedelta(seconds=20_000)))),
    ],
    ids=repr,
)
def test_a_value_that_is_only_spelled_otherwise_is_published(kind: Any, value: Any) -> None:
    event = struct_of(kind)(x=value)
    assert write_event(event)[1] == msgspec.json.encode(event)
