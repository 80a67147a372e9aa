# ruff: noqa: PT017, RUF012  # either way is right, and each has demands; the models copy their defaults
# either way is right, and each has demands; the models copy their defaults
"""Round trips of every kind of event, and readers that are total over whatever may come."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import AliasChoices, AwareDatetime, BaseModel, Discriminator, Field

from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.delivery import Delivery, Metadata, read_metadata
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.message import Context, compose
from typed_pubsub.events.registry import meta_of
from typed_pubsub.events.tagged import plain, revive

REGISTRY = Registry()
T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Card(BaseModel):
    kind: Literal["card"] = "card"
    digits: str


class Cash(BaseModel):
    kind: Literal["cash"] = "cash"
    amount: Decimal


class Line(BaseModel):
    sku: str
    price: Annotated[Decimal, Field(max_digits=20, decimal_places=4)]
    colours: set[Colour] = set()


class OrderPaid(Event, routing_key="orders.paid", registry=REGISTRY):
    order_id: UUID
    at: AwareDatetime
    day: date
    clock: time
    took: timedelta
    total: Decimal
    ratio: float
    level: Level
    lines: list[Line]
    paid_by: Annotated[Card | Cash, Discriminator("kind")]
    note: str | None = None
    raw: int | str | None = None
    tags: dict[str, list[int]] = {}
    pair: tuple[int, str] = (0, "")
    flag: bool = False


class Renamed(Event, routing_key="renamed.{shop}", registry=REGISTRY):
    shop: str = Field(alias="shopName")
    title: str = Field(validation_alias=AliasChoices("title", "name"))
    count: int = Field(validation_alias="n", serialization_alias="n")


class Changed(Event, Generic[T], registry=REGISTRY):
    old: T
    new: T | None


class DayChanged(Changed[date], routing_key="day.changed"):
    reason: str = ""


class Loaded(Event, routing_key="etl.{source}.{year}.{colour}.loaded", registry=REGISTRY):
    source: str
    year: int
    colour: Colour
    rows: int


class StructLine(msgspec.Struct, frozen=True):
    sku: str
    price: Decimal


class StructPaid(StructEvent, routing_key="struct.paid", registry=REGISTRY):
    order_id: UUID
    at: datetime
    day: date
    clock: time
    took: timedelta
    total: Decimal
    ratio: float
    colour: Colour
    level: Level
    lines: list[StructLine]
    raw: int | str | None = None
    blob: bytes = b""
    tags: dict[str, list[int]] = {}
    seen: frozenset[int] = frozenset()


class StructChanged(StructEvent, Generic[T], registry=REGISTRY):
    old: T
    new: T | None


class StructDayChanged(StructChanged[date], routing_key="struct.day.changed"):
    reason: str = ""


class StructLoaded(
    StructEvent, routing_key="struct.{source}.{year}.{colour}.loaded", registry=REGISTRY, rename="camel"
):
    source: str
    year: Annotated[int, msgspec.Meta(ge=0)]
    colour: Colour
    row_count: int = 0


texts = st.text(st.characters(exclude_categories=["Cs"]))
whole = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False)
prices = st.decimals(-(10**12), 10**12, places=4)
moments = st.datetimes(timezones=st.just(UTC))
spans = st.timedeltas(min_value=timedelta(days=-10_000), max_value=timedelta(days=10_000))
key_words = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
colours, levels = st.sampled_from(Colour), st.sampled_from(Level)
tags = st.dictionaries(texts, st.lists(whole, max_size=3), max_size=3)

cards = st.builds(Card, digits=texts) | st.builds(Cash, amount=decimals)
lines = st.builds(Line, sku=texts, price=prices, colours=st.sets(colours))
common: dict[str, Any] = {
    "order_id": st.uuids(),
    "at": moments,
    "day": st.dates(),
    "clock": st.times(),
    "took": spans,
    "total": decimals,
    "ratio": floats,
    "level": levels,
    "raw": st.none() | whole | texts,
    "tags": tags,
}
orders = st.builds(
    OrderPaid,
    **common,
    lines=st.lists(lines, max_size=3),
    paid_by=cards,
    note=st.none() | texts,
    pair=st.tuples(whole, texts),
    flag=st.booleans(),
)
renamed = st.builds(lambda **fields: Renamed.model_validate(fields), shopName=key_words, title=texts, n=whole)
days = st.builds(DayChanged, old=st.dates(), new=st.none() | st.dates(), reason=texts)
loaded = st.builds(Loaded, source=key_words, year=whole, colour=colours, rows=whole)
struct_lines = st.builds(StructLine, sku=texts, price=decimals)
struct_orders = st.builds(
    StructPaid,
    **common,
    colour=colours,
    lines=st.lists(struct_lines, max_size=3),
    blob=st.binary(),
    seen=st.frozensets(whole),
)
struct_days = st.builds(StructDayChanged, old=st.dates(), new=st.none() | st.dates(), reason=texts)
struct_loaded = st.builds(
    StructLoaded, source=key_words, year=st.integers(0, 2**63 - 1), colour=colours, row_count=whole
)
EVENTS: list[Any] = list(REGISTRY)
events: st.SearchStrategy[Any] = st.one_of(orders, renamed, days, loaded, struct_orders, struct_days, struct_loaded)


@given(events)
def test_every_event_comes_back_equal_from_its_own_bytes(event: Any) -> None:
    key, body = write_event(event)
    assert REGISTRY.find(key) is type(event)
    back = read_event(meta_of(type(event)), key, body)
    assert back == event
    assert type(back) is type(event)
    again = write_event(back)
    assert (again[0], len(again[1])) == (key, len(body))  # a set has no order


@given(events)
def test_a_body_is_one_json_object_in_utf_8(event: Any) -> None:
    _, body = write_event(event)
    assert isinstance(msgspec.json.decode(body.decode()), dict)


@given(st.one_of(renamed, loaded, struct_loaded), st.data())
def test_a_template_event_comes_back_without_the_members_that_its_key_has(event: Any, data: st.DataObject) -> None:
    meta = meta_of(type(event))
    key, body = write_event(event)
    members = msgspec.json.decode(body)
    for field in data.draw(st.sets(st.sampled_from(sorted(meta.key.fields)))):
        del members[meta.codec.read_names[field][-1]]
    assert read_event(meta, key, msgspec.json.encode(members)) == event


@given(st.one_of(loaded, struct_loaded), st.data())
def test_a_template_event_under_another_key_is_refused(event: Any, data: st.DataObject) -> None:
    meta = meta_of(type(event))
    key, body = write_event(event)
    other = ".".join(data.draw(key_words) if "{" in word else word for word in meta.key.words)
    try:
        assert read_event(meta, other, body) == event
        assert other == key
    except BodyError as error:
        assert other != key
        assert error.readable


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def near_misses(draw: st.DrawFn) -> bytes:
    """A real body with members exchanged, cut off or broken."""
    _, body = write_event(draw(events))
    members = msgspec.json.decode(body)
    for name in draw(st.sets(st.sampled_from(sorted(members)))):
        members[name] = draw(json_values | st.just({"__type__": "uuid", "__value__": 1}))
    body = msgspec.json.encode(members)
    start, end = draw(st.integers(0, 3)), draw(st.integers(0, len(body)))
    return draw(st.sampled_from([body, body[:end], body[start:], body[:end] + b"\xff" + body[end:], body * 2]))


junk = st.one_of(st.binary(), texts.map(str.encode), json_values.map(msgspec.json.encode), near_misses())


@given(st.sampled_from(EVENTS), junk)
@example(OrderPaid, b"[" * 100_000)
@example(StructPaid, b'{"lines":' + b"[" * 100_000)
@example(Loaded, b'{"source":"\\ud800"}')
def test_any_bytes_are_an_event_or_a_body_error(event: Any, body: bytes) -> None:
    meta = meta_of(event)
    key = ".".join("2026" if "{" in word else word for word in meta.key.words)
    try:
        assert type(read_event(meta, key, body)) is event
    except BodyError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 2_000


@given(junk)
def test_any_bytes_are_a_tagged_body_or_a_body_error(body: bytes) -> None:
    for read in (revive, plain):
        try:
            read(body)
        except BodyError as error:
            assert str(error)


ids = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co", "Cf"]), min_size=1, max_size=60
)


@given(events, st.tuples(ids, ids), st.none() | ids, st.none() | ids, moments)
def test_a_composed_message_is_read_back_whole(
    event: Any, names: tuple[str, str], correlation_id: str | None, causation_id: str | None, now: datetime
) -> None:
    event_id, source = names
    key, body = write_event(event)
    meta = meta_of(type(event))
    message = compose(meta, key, body, event_id, Context(source, now, correlation_id, causation_id))
    said = read_metadata(Delivery(key, body, "r1", "events", message.headers, message.properties))
    assert said == Metadata(
        routing_key=key,
        event_id=event_id,
        source=source,
        type=meta.key.text,
        version=meta.version,
        correlation_id=correlation_id if correlation_id is not None else event_id,
        ours=True,
        has_id=True,
    )
