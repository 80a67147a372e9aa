"""What cannot be published: that which has no JSON form, or which the model would not take back as it was."""

import contextlib
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, Field, PlainSerializer, field_validator

from typed_pubsub.errors import EventError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.keyed import write_event
from typed_pubsub.events.registry import meta_of
from typed_pubsub.events.values import non_finite


class Numbers(Event, routing_key="numbers", registry=Registry()):
    x: Any = None
    n: int = 0


class StructNumbers(StructEvent, routing_key="numbers", registry=Registry()):
    x: Any = None
    f: float = 0.0


@pytest.mark.parametrize("event", [Numbers, StructNumbers])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_cannot_be_published_wherever_they_are(event: Any, number: float) -> None:
    for value, path in [(number, r"\$\.x"), ([1, {"y": number}], r"\$\.x\[1\]\.y"), ((number,), r"\$\.x\[0\]")]:
        with pytest.raises(EventError, match=f"numbers: {path}: expected a finite number, got NaN or Infinity"):
            write_event(event(x=value))


def test_a_float_field_of_an_event_takes_no_nan_to_begin_with() -> None:
    class Priced(Event, routing_key="priced", registry=Registry()):
        price: float

    with pytest.raises(ValueError, match="finite number"):
        Priced(price=math.nan)
    with pytest.raises(EventError, match=r"\$\.f: Expected `float`, got `null`: the model does not accept"):
        write_event(StructNumbers(f=math.nan))


def test_nan_as_a_constant_is_no_way_around() -> None:
    class Constants(Event, routing_key="c", registry=Registry(), allow_inf_nan=True, ser_json_inf_nan="constants"):
        x: float

    with pytest.raises(EventError, match="the model does not accept what it writes itself"):
        write_event(Constants(x=math.nan))


class Sub(BaseModel):
    n: int = 0


class Half(Enum):
    HALF = 0.5


class Endless(float, Enum):
    ENDLESS = math.inf


EXACT = [str, int, bool, UUID, date, time, AwareDatetime, timedelta, Decimal, Half, Literal["a", 1], list[int]]
EXACT += [tuple[int, ...], tuple[int, str], set[int], dict[str, int], int | str | None, None, Sub, list[Sub] | int]
INEXACT = [
    float,
    Endless | None,
    Literal[Endless.ENDLESS],
    list[float],
    float | None,
    Any,
    object,
    Annotated[int, PlainSerializer(lambda n: n)],
    bytes,
    complex,
]
HOLDERS = [math.nan, [math.nan], (math.nan, ""), {math.nan}, {"a": math.nan}, Sub.model_construct(n=math.nan), 1.5]
HOLDERS += [Sub.model_construct(m=math.nan), Endless.ENDLESS]


def model_of(kind: Any, **config: Any) -> Any:
    class Made(Event, routing_key="made", registry=Registry(), **config):
        x: kind

    return Made


@pytest.mark.parametrize("kind", EXACT, ids=repr)
def test_of_a_model_without_floats_nothing_that_holds_one_is_written(kind: Any) -> None:
    model = model_of(kind)
    codec = meta_of(model).codec
    assert codec.exact
    for held in HOLDERS:
        event = model.model_construct(x=held)
        with contextlib.suppress(EventError):
            _, body = write_event(event)
            assert not [path for plain in codec.plain(event) for path in non_finite(plain)], body


def test_of_any_other_model_the_event_is_held_against_what_it_becomes() -> None:
    codecs = [meta_of(model_of(kind)).codec for kind in INEXACT]
    codecs += [meta_of(model_of(int, extra="allow")).codec, meta_of(StructNumbers).codec]
    assert not any(codec.exact for codec in codecs)
    with pytest.raises(EventError, match=r"\$\.y: expected a finite number"):
        write_event(model_of(int, extra="allow")(x=1, y=math.nan))
    with pytest.raises(EventError, match=r"\$\.x: expected a finite number"):
        write_event(model_of(Endless | None)(x=Endless.ENDLESS))


def test_what_has_no_json_form_is_an_event_error() -> None:
    for event in (Numbers(x=object()), StructNumbers(x=object())):
        with pytest.raises(EventError, match=r"^numbers: \$: expected an event that has a JSON form, got "):
            write_event(event)


def test_an_event_that_holds_itself_is_an_event_error() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for event in (Numbers.model_construct(x=loop), StructNumbers(x=loop)):
        with pytest.raises(EventError):
            write_event(event)


def test_a_value_of_another_type_than_its_fields_is_told_without_the_value() -> None:
    with pytest.raises(EventError, match=r"got a value that is no int in the field 'n'$"):
        write_event(Numbers.model_construct(n="hunter2"))
    with pytest.raises(EventError, match=r"\$\.f: Expected `float`, got `str`: the model does not accept") as refused:
        write_event(StructNumbers(f="hunter2"))  # type: ignore[arg-type]
    assert "hunter2" not in str(refused.value)


def test_what_the_model_would_not_take_back_is_not_published() -> None:
    class Renamed(Event, routing_key="renamed", registry=Registry()):
        title: str = Field(validation_alias="t")

    with pytest.raises(
        EventError, match=r"\$\.t: Field required \(missing\): the model does not accept what it writes"
    ):
        write_event(Renamed.model_validate({"t": "x"}))


def test_a_value_that_the_model_would_lose_is_not_published() -> None:
    class Renamed(Event, routing_key="renamed", registry=Registry()):
        n: int = 0
        title: str = Field("", validation_alias="t")

    with pytest.raises(EventError, match=r"renamed: \$\.title: written under a name that the model does not read"):
        write_event(Renamed.model_validate({"t": "x"}))


def test_a_value_that_changes_its_python_type_on_the_way_is_published() -> None:
    assert write_event(Numbers(x=(1, 2.5))) == ("numbers", b'{"x":[1,2.5],"n":0}')
    assert write_event(StructNumbers(x={"y": (1, None)})) == ("numbers", b'{"x":{"y":[1,null]},"f":0.0}')
    when = datetime(2026, 1, 2, tzinfo=UTC)
    assert write_event(Numbers(x=when))[1] == b'{"x":"2026-01-02T00:00:00Z","n":0}'


def test_a_validator_that_is_not_idempotent_is_found_by_the_publisher() -> None:
    class Picky(Event, routing_key="picky", registry=Registry()):
        x: str

        @field_validator("x")
        @classmethod
        def _mark(cls, value: str) -> str:
            if value.startswith("!"):
                raise ValueError(f"marked already: {value}")
            return f"!{value}"

    with pytest.raises(
        EventError, match=r"\$\.x: refused by a validator, got str \(value_error\): the model does not accept"
    ):
        write_event(Picky(x="hunter2"))
