"""Arguments of tasks: models and their like in the JSON form that pydantic gives them, the rest as it is."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pydantic
import pytest
from kombu.utils import json as kombu_json
from pydantic import BaseModel, Field
from pydantic.dataclasses import dataclass as pydantic_dataclass

from tests.routing.kit import Paid, Scored
from typed_pubsub.routing.arguments import plain, portable

ID = UUID(int=5)
NOW = datetime(2026, 8, 1, 12, 30, tzinfo=UTC)
TYPED = [ID, NOW, NOW.replace(tzinfo=None), date(2026, 8, 1), time(12, 30), Decimal("1.10")]


class Colour(Enum):
    RED = "red"
    WHEN = date(2026, 8, 1)


class Level(IntEnum):
    LOW = 1


class Word(StrEnum):
    YES = "yes"


class Mode(Flag):
    READ = 1
    WRITE = 2


class Line(BaseModel):
    sku: str = Field(serialization_alias="SKU")
    price: Decimal = Decimal("2.50")
    made: date | None = date(2026, 8, 1)
    colours: set[Colour] = {Colour.RED}


class Order(BaseModel):
    order_id: UUID = Field(default=ID, alias="orderId")
    at: datetime = NOW
    lines: list[Line] = [Line(sku="x")]
    by: dict[UUID, Line | None] = {ID: None}


@dataclass
class Point:
    x: int
    y: Decimal = Decimal("0.5")
    tags: tuple[Word, ...] = (Word.YES,)
    order: Order = field(default_factory=Order)


@pydantic_dataclass
class Aliased:
    some_field: int = Field(default=1, serialization_alias="someField")


class Cell(msgspec.Struct, rename="camel"):
    row_number: int
    at: datetime = NOW
    price: Decimal = Decimal("1.5")
    by: dict[int, int] = msgspec.field(default_factory=lambda: {1: 2})
    pair: tuple[int, int] = (1, 2)


class Holder(msgspec.Struct):
    held: Any


class Anything(BaseModel):
    value: Any


class Pair(NamedTuple):
    left: int
    right: int


class Subclass(str):
    __slots__ = ()


JSON_FORMS = [
    *(Order(), [Order()], {"a": Order()}, Line(sku="x"), Anything(value=Line(sku="y")), Paid(number=1, note="x")),
    *(Point(1), [Point(2)], {"p": {"q": (Point(3),)}}, Aliased(), Anything(value=Aliased())),
    *(Colour.RED, Level.LOW, Word.YES, Mode.READ | Mode.WRITE, [Colour.RED, {"x": Word.YES}], {Word.YES: 1}),
    *(1, 1.5, "x", True, None, [], {}, [1, [2, [3]]], {"a": {"b": None}}),
]


@pytest.mark.parametrize("value", JSON_FORMS, ids=repr)
def test_the_portable_form_is_the_one_that_pydantic_gives(value: Any) -> None:
    expected = Anything(value=value).model_dump(mode="json", by_alias=True)["value"]
    assert msgspec.json.encode(portable(value)) == msgspec.json.encode(expected)
    assert msgspec.json.encode(plain(value)) == msgspec.json.encode(expected)


@pytest.mark.parametrize("value", TYPED, ids=repr)
def test_typed_scalars_stay_and_kombus_json_gives_them_back(value: Any) -> None:
    for given in (value, [value], {"a": [value]}):
        assert portable(given) == given
        assert kombu_json.loads(kombu_json.dumps(portable(given))) == given


@pytest.mark.parametrize("value", [*TYPED, Colour.WHEN], ids=repr)
def test_plain_makes_json_of_typed_scalars_too(value: Any) -> None:
    expected = Anything(value=value).model_dump(mode="json")["value"]
    assert plain(value) == expected
    assert plain(([value], {"a": (value,)})) == ([expected], {"a": (expected,)})


def test_an_enum_of_typed_scalars_is_portable_as_its_value() -> None:
    assert portable(Colour.WHEN) == date(2026, 8, 1)


def test_enums_lose_their_type() -> None:
    assert [type(portable(value)) for value in (Colour.RED, Level.LOW, Word.YES)] == [str, int, str]


def test_keys_of_dicts_are_converted_as_values_are() -> None:
    assert portable({Colour.RED: 1, Word.YES: {Level.LOW: 2}}) == {"red": 1, "yes": {1: 2}}
    assert plain({ID: 1}) == {str(ID): 1}


def test_a_struct_is_what_its_json_says() -> None:
    for value in (Cell(row_number=1), Scored(home=1), [Cell(row_number=1)], {"a": (Cell(row_number=2),)}):
        assert msgspec.json.encode(portable(value)) == msgspec.json.encode(value)


def test_the_keys_of_a_structs_dicts_are_those_of_json() -> None:
    assert portable(Cell(row_number=1))["by"] == {"1": 2}


def test_structs_and_models_may_hold_each_other() -> None:
    line = {"SKU": "x", "price": "2.50", "made": "2026-08-01", "colours": ["red"]}
    cell = msgspec.to_builtins(Cell(row_number=1), str_keys=True)
    assert portable(Holder(Line(sku="x"))) == {"held": line}
    assert portable(Anything(value=Holder([Line(sku="x")]))) == {"value": {"held": [line]}}
    assert portable(Anything(value=Cell(row_number=1))) == {"value": msgspec.json.decode(msgspec.json.encode(cell))}


def test_what_pydantic_and_msgspec_do_not_know_is_a_type_error_without_the_value() -> None:
    for value in (Holder(object()), Anything(value=object()), Anything(value=Holder(object()))):
        with pytest.raises((TypeError, pydantic.ValidationError, ValueError), match="object"):
            portable(value)


def test_containers_are_copied_so_that_later_changes_do_not_reach_the_task() -> None:
    inner: list[int] = [1]
    outer = {"a": inner, "b": (inner,)}
    made = portable(outer)
    inner.append(2)
    assert made == {"a": [1], "b": ([1],)}


def test_what_is_portable_and_cannot_change_is_not_copied() -> None:
    for value in ("x", (), (1, "x", None, ID, NOW, Decimal(1))):
        assert portable(value) is value
    assert portable((1, (Colour.RED,))) == (1, ("red",))


@pytest.mark.parametrize(
    "value",
    [Pair(1, 2), OrderedDict(a=1), {1, 2}, b"x", timedelta(1), object(), Subclass("x"), Point, Order],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_the_serializers_to_judge(value: Any) -> None:
    assert portable(value) is value
    assert plain(value) is value
