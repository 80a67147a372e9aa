"""Everything that is made from a schema is what the schema, and the model that it came from, accept."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    UUID4,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    Field,
    FutureDate,
    HttpUrl,
    NaiveDatetime,
    PastDatetime,
    PositiveInt,
    StringConstraints,
)
from typing_extensions import TypedDict

from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import schema_of
from typed_pubsub.schema.closed import written
from typed_pubsub.schema.fits import fits
from typed_pubsub.schema.instances import instances

pytestmark = pytest.mark.once

T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Card(BaseModel):
    kind: Literal["card"] = "card"
    number: Annotated[str, Field(pattern=r"^\d{4}-\d{4}$")]


class Cash(BaseModel):
    kind: Literal["cash"] = "cash"
    coins: list[PositiveInt] = Field(min_length=1, max_length=3)


class Place(NamedTuple):
    x: int
    name: str = "home"


class Options(TypedDict, total=False):
    depth: int


@dataclass
class Point:
    x: float
    y: float = 0.0


class Box(BaseModel, Generic[T]):
    content: T


class Texts(Event, routing_key="texts", registry=Registry()):
    any_text: str
    short: Annotated[str, Field(min_length=2, max_length=5)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}\d+$", max_length=8)]
    part: Annotated[str, Field(pattern=r"b+")]
    stripped: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    lower: Annotated[str, StringConstraints(to_lower=True)]
    raw: bytes = Field(min_length=2, max_length=4)
    url: HttpUrl


class Numbers(Event, routing_key="numbers", registry=Registry()):
    count: int
    small: Annotated[int, Field(ge=1, lt=4)]
    even: Annotated[int, Field(multiple_of=2, gt=10)]
    share: Annotated[float, Field(gt=0, le=1)]
    steps: Annotated[float, Field(multiple_of=0.1, ge=0.1)]
    any_float: float
    price: Annotated[Decimal, Field(max_digits=6, decimal_places=2, gt=0)]
    free: Decimal
    fraction: Annotated[Decimal, Field(max_digits=3, decimal_places=3)]


class Moments(Event, routing_key="moments", registry=Registry()):
    at: AwareDatetime
    local: NaiveDatetime
    either: datetime
    day: Annotated[date, Field(ge=date(2020, 2, 29), lt=date(2020, 3, 2))]
    past: PastDatetime
    future: FutureDate
    clock: time
    took: timedelta
    short: Annotated[timedelta, Field(le=timedelta(minutes=1))]


class Holders(Event, routing_key="holders", registry=Registry()):
    ids: set[UUID4]
    pair: tuple[int, str]
    place: Place
    point: Point
    options: Options
    by_number: dict[int, str]
    by_colour: dict[Colour, bool]
    by_code: dict[Annotated[str, Field(pattern="^[a-c]$")], int] = Field(min_length=1)
    paid: Annotated[Card | Cash, Field(discriminator="kind")]
    box: Box[UUID]
    maybe: Annotated[int, Field(ge=3)] | None
    whatever: Any
    mixed: int | str | list[bool]
    named: int = Field(alias="Named")
    renamed: int = Field(validation_alias=AliasChoices("renamed", "old"))


class Tree(Event, routing_key="tree", registry=Registry()):
    name: Literal["a", "b"]
    left: "Tree | None" = None
    others: "tuple[Tree, ...]" = ()


class Leaf(msgspec.Struct, tag=True):
    size: Annotated[int, msgspec.Meta(ge=0, le=9)]


class Twig(msgspec.Struct, tag=True, array_like=False):
    ends: list["Leaf | Twig"]


class Corner(msgspec.Struct, array_like=True):
    x: int
    y: int = 0


class Structs(StructEvent, routing_key="structs", registry=Registry(), rename="camel", omit_defaults=True):
    top_twig: Leaf | Twig
    corner: Corner
    raw: bytes
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    local: Annotated[datetime, msgspec.Meta(tz=False)]
    by_number: dict[int, float]
    code: Annotated[str, msgspec.Meta(pattern="^x", max_length=4)]
    price: Decimal
    colours: frozenset[Colour]
    maybe: int | msgspec.UnsetType | None = msgspec.UNSET
    count: int = 0


EVENTS = [Texts, Numbers, Moments, Holders, Tree, Structs]
WRITTEN = {event: instances(written(schema_of(event))) for event in EVENTS}
READ = {event: instances(schema_of(event)) for event in EVENTS}


@pytest.mark.parametrize("event", EVENTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_made_of_a_writers_schema_is_read_by_the_model_and_by_the_schema(event: Any, data: Any) -> None:
    schema = schema_of(event)
    body = data.draw(WRITTEN[event])
    meta_of(event).codec.read(json.dumps(body).encode())
    assert fits(schema, body)
    assert fits(written(schema), body)


@pytest.mark.parametrize("event", EVENTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_the_model_writes_is_what_its_schema_says(event: Any, data: Any) -> None:
    schema = schema_of(event)
    codec = meta_of(event).codec
    body = json.loads(codec.write(codec.read(json.dumps(data.draw(WRITTEN[event])).encode())))
    assert fits(written(schema), body)
    assert fits(schema, body)


@pytest.mark.parametrize("event", EVENTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_made_of_a_readers_schema_is_read_by_the_model(event: Any, data: Any) -> None:
    meta_of(event).codec.read(json.dumps(data.draw(READ[event])).encode())
