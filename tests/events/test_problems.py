# ruff: noqa: PT017, RUF012  # either way is right, and each has demands; the models copy their defaults
# either way is right, and each has demands; the models copy their defaults
"""What is said of a body that does not fit: enough to mend it, and nothing of what stood in it."""

import traceback
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AnyUrl,
    AwareDatetime,
    BaseModel,
    Discriminator,
    Field,
    IPvAnyAddress,
    Json,
    SecretStr,
    field_validator,
)

from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.codec import BodyError, EventCodec
from typed_pubsub.events.keyed import read_event
from typed_pubsub.events.registry import meta_of

REGISTRY = Registry()


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    BIG = 3


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []


class Strict(BaseModel, extra="forbid"):
    name: str = ""


class Everything(Event, routing_key="everything", registry=REGISTRY):
    """A field of every kind that pydantic's messages treat in a way of their own; none is needed."""

    i: int = 0
    f: float = 0
    b: bool = False
    s: Annotated[str, Field(pattern="^a*$", max_length=3)] = ""
    by: bytes = b""
    d: Decimal = Decimal(0)
    u: UUID | None = None
    when: AwareDatetime | None = None
    day: date | None = None
    at: time | None = None
    span: timedelta | None = None
    url: AnyUrl | None = None
    ip: IPvAnyAddress | None = None
    secret: SecretStr | None = None
    inner: Json[Any] | None = None
    lit: Literal["x", "y"] = "x"
    colour: Colour = Colour.RED
    size: Size = Size.BIG
    numbers: list[int] = []
    pair: tuple[int, str] | None = None
    ids: set[UUID] = set()
    by_name: dict[str, int] = {}
    by_number: dict[int, Colour] = {}
    by_id: dict[UUID, dict[str, Cat]] = {}
    pet: Annotated[Cat | Dog, Discriminator("kind")] | None = None
    either: int | Cat | None = None
    strict: Strict | None = None
    odd: int = 1
    angry: int = 1

    @field_validator("odd")
    @classmethod
    def _odd(cls, value: int) -> int:
        assert value % 2, f"{value} is not odd"
        return value

    @field_validator("angry", mode="before")
    @classmethod
    def _angry(cls, value: object) -> object:
        raise ValueError(f"I do not like {value}")


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    name: str = ""

    def __post_init__(self) -> None:
        if self.name:
            raise ValueError(f"I do not like {self.name}")


class TaggedCat(msgspec.Struct, tag="cat"):
    lives: int = 9


class TaggedDog(msgspec.Struct, tag="dog"):
    tricks: list[str] = []


class StructEverything(StructEvent, routing_key="struct.everything", registry=REGISTRY):
    """The same for msgspec."""

    i: Annotated[int, msgspec.Meta(ge=0, le=10)] = 0
    f: float = 0.0
    b: bool = False
    s: Annotated[str, msgspec.Meta(pattern="^a*$", max_length=3)] = ""
    by: bytes = b""
    d: Decimal = Decimal(0)
    u: UUID | None = None
    when: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    day: date | None = None
    at: time | None = None
    span: timedelta | None = None
    lit: Literal["x", "y"] = "x"
    number: Literal[1, 2] = 1
    colour: Colour = Colour.RED
    size: Size = Size.BIG
    numbers: list[int] = []
    pair: tuple[int, str] | None = None
    ids: set[UUID] = set()
    by_name: dict[str, int] = {}
    by_number: dict[int, Colour] = {}
    pet: TaggedCat | TaggedDog | None = None
    inner: Inner | None = None


EVENTS: list[Any] = [Everything, StructEverything]


def _codec(event: Any) -> EventCodec[Any]:
    return meta_of(event).codec


def _refusal(event: Any, body: bytes) -> BodyError:
    with pytest.raises(BodyError) as refused:
        read_event(meta_of(event), "", body)
    return refused.value


def _everything_said(error: BodyError) -> str:
    """What a log could show of it, traceback and causes included."""
    return str(error) + repr(error) + "".join(traceback.format_exception(error)[-1:]) + str(error.__cause__)


@st.composite
def bodies_with(draw: st.DrawFn, event: Any, secret: str) -> bytes:
    """JSON objects that hold the secret in most of their fields, at some depth, as a value or as a mapping's key."""
    places = st.sampled_from(
        [
            secret,
            [secret],
            {"name": secret, "unknown": [secret]},
            {"kind": secret},
            {"type": secret},
            {"kind": "cat", "lives": secret},
            {"type": "cat", "lives": secret},
            {"kind": "dog", "tricks": [secret, 1]},
            {secret: secret},
            {"1": secret},
            [1, secret],
            {secret: {secret: {"kind": "cat", "lives": secret}}},
            "2020-01-01" + secret,
            "99999" + secret,
            "http://" + secret + ":x/",
            "00000000-0000-0000-0000-" + secret,
        ]
    )
    names = [name for name in _codec(event).read_names if name not in ("strict", "inner")]
    return msgspec.json.encode({name: draw(places) for name in draw(st.lists(st.sampled_from(names), min_size=1))})


@given(st.data(), st.sampled_from(EVENTS), st.from_regex(r"[a-z]{2}-hunter2-[0-9]{5}", fullmatch=True))
def test_what_is_said_of_a_bad_body_never_repeats_it(data: st.DataObject, event: Any, secret: str) -> None:
    body = data.draw(bodies_with(event, secret))
    try:
        read_event(meta_of(event), "", body)
    except BodyError as error:
        assert error.readable
        assert "hunter2" not in _everything_said(error)


@pytest.mark.parametrize("event", EVENTS)
def test_no_field_alone_repeats_its_input_either(event: Any) -> None:
    values: list[Any] = ["hunter2", 4711471147, 4711.4711, -4711471147, ["hunter2"], {"hunter2": "hunter2"}, [[4711]]]
    refused = 0
    # Of a closed model the names of unknown members are told: see below.
    for name in _codec(event).read_names.keys() - {"strict", "inner"}:
        for value in values:
            try:
                read_event(meta_of(event), "", msgspec.json.encode({name: value}))
            except BodyError as error:
                refused += 1
                assert "hunter2" not in _everything_said(error), name
                assert "4711" not in _everything_said(error), name
    assert refused > 90


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[]", "$: Input should be an object, got list (model_type)"),
        (b'{"i":"x"}', "$.i: Input should be a valid integer, got str (int_parsing)"),
        (b'{"numbers":[1,"x"]}', "$.numbers[1]: Input should be a valid integer, got str (int_parsing)"),
        (b'{"u":"x"}', "$.u: Input should be a valid UUID, got str (uuid_parsing)"),
        (b'{"by_name":{"k":"x"}}', "$.by_name[...]: Input should be a valid integer, got str (int_parsing)"),
        (b'{"by_number":{"7":1}}', "$.by_number[...]: Input should be 'red', got int (enum)"),
        (
            b'{"by_number":{"k":"red"}}',
            "$.by_number[...].[key]: Input should be a valid integer, got str (int_parsing)",
        ),
        (b'{"odd":2}', "$.odd: refused by a validator, got int (assertion_error)"),
        (b'{"angry":2}', "$.angry: refused by a validator, got int (value_error)"),
        (b'{"pet":{"kind":"eel"}}', "$.pet: Input tag is none of those expected, got dict (union_tag_invalid)"),
        (
            b'{"pet":{"kind":"cat","lives":"x"}}',
            "$.pet.cat.lives: Input should be a valid integer, got str (int_parsing)",
        ),
        (b'{"lit":"z"}', "$.lit: Input should be 'x' or 'y', got str (literal_error)"),
        (
            b'{"inner":"{"}',
            "$.inner: Invalid JSON: EOF while parsing an object at line 1 column 1, got str (json_invalid)",
        ),
        (b'{"strict":{"k\\u0007":1}}', "$.strict.k\\x07: Extra inputs are not permitted, got int (extra_forbidden)"),
    ],
)
def test_pydantics_complaints_name_path_expectation_and_type(body: bytes, said: str) -> None:
    error = _refusal(Everything, body)
    assert str(error) == said
    assert error.readable


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[]", "$: Expected `object`, got `array`"),
        (b'{"i":"x"}', "$.i: Expected `int`, got `str`"),
        (b'{"i":11}', "$.i: Expected `int` <= 10"),
        (b'{"u":"x"}', "$.u: Invalid UUID"),
        (b'{"by_name":{"k":"x"}}', "$.by_name[...]: Expected `int`, got `str`"),
        (b'{"lit":"z"}', "$.lit: Invalid enum value"),
        (b'{"number":7}', "$.number: Invalid enum value"),
        (b'{"pet":{"type":"eel"}}', "$.pet.type: Invalid value"),
        (b'{"inner":{"name":"x"}}', "$.inner: refused by a validator"),
        (b'{"inner":{"k\\n":1}}', "$.inner: Object contains unknown field `k\\n`"),
    ],
)
def test_msgspecs_complaints_name_path_and_expectation(body: bytes, said: str) -> None:
    error = _refusal(StructEverything, body)
    assert str(error) == said
    assert error.readable


def test_of_many_problems_five_are_told_and_the_rest_counted() -> None:
    error = _refusal(Everything, msgspec.json.encode({"numbers": ["x"] * 8}))
    assert str(error).count("$.numbers[") == 5
    assert str(error).endswith("; and 3 more")


def test_the_name_of_an_unknown_member_is_cut() -> None:
    said = str(_refusal(Everything, msgspec.json.encode({"strict": {"k" * 5000: 1}})))
    assert "k" * 64 + "..." in said
    assert len(said) < 300
    assert len(str(_refusal(StructEverything, msgspec.json.encode({"inner": {"k" * 5000: 1}})))) < 300


def test_a_missing_field_has_no_type() -> None:
    class Needs(Event, routing_key="needs", registry=Registry()):
        x: int

    assert str(_refusal(Needs, b"{}")) == "$.x: Field required (missing)"
