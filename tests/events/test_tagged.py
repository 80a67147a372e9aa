# ruff: noqa: PT017  # either way is right, and each has demands
# either way is right, and each has demands
"""Bodies of the replaced library, with kombu itself as the oracle."""

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import kombu.utils.json as kombu_json
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime

from typed_pubsub.events import Event, Registry
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.keyed import read_event
from typed_pubsub.events.registry import meta_of
from typed_pubsub.events.tagged import plain, revive

VALUES = [
    datetime(2026, 3, 1, 12, 30, 15, 123456),  # noqa: DTZ001  # the replaced library sends them naive too
    datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
    datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    date(2026, 3, 1),
    time(12, 30, 15),
    time(12, 30, tzinfo=UTC),
    uuid.UUID("12345678-1234-5678-1234-567812345678"),
    Decimal("10.50"),
    Decimal("12345678901234567.12345"),
    b"text",
    "é".encode(),
    b"\xff\x00",
]
tagged_values = st.one_of(
    st.datetimes(timezones=st.none() | st.just(UTC)),
    st.dates(),
    st.times(),
    st.uuids(),
    st.decimals(allow_nan=False),
    st.binary(),
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
)
bodies = st.recursive(
    tagged_values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _sent(value: Any) -> bytes:
    """What the replaced library puts on the wire."""
    text: str = kombu_json.dumps(value)
    return text.encode()


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_each_built_in_tag_is_read_as_kombu_reads_it(value: Any) -> None:
    body = _sent({"x": [value]})
    assert b"__type__" in body
    assert revive(body) == kombu_json.loads(body) == {"x": [value]}
    assert type(revive(body)["x"][0]) is type(value)


@given(bodies)
def test_any_body_is_read_as_kombu_reads_it(value: Any) -> None:
    assert revive(_sent(value)) == kombu_json.loads(_sent(value))


@given(bodies)
def test_plain_leaves_no_tag_and_nothing_but_json(value: Any) -> None:
    body = plain(_sent(value))
    assert b"__value__" not in body or "__value__" in repr(value)
    json.loads(body)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (VALUES[0], "2026-03-01T12:30:15.123456"),
        (VALUES[1], "2026-03-01T12:30:00+00:00"),
        (VALUES[3], "2026-03-01"),
        (VALUES[4], "12:30:15"),
        (VALUES[6], "12345678-1234-5678-1234-567812345678"),
        (VALUES[8], "12345678901234567.12345"),
        (VALUES[10], "é"),
        (VALUES[11], "/wA="),
    ],
    ids=str,
)
def test_a_tag_becomes_the_json_that_a_model_reads(value: Any, written: str) -> None:
    assert json.loads(plain(_sent({"x": value}))) == {"x": written}


def test_a_model_reads_a_tagged_body_once_it_is_plain() -> None:
    class Paid(Event, routing_key="paid", registry=Registry()):
        order: uuid.UUID
        amount: Decimal
        at: AwareDatetime
        day: date
        note: bytes

    sent = {"order": VALUES[6], "amount": VALUES[8], "at": VALUES[1], "day": VALUES[3], "note": b"x"}
    assert read_event(meta_of(Paid), "paid", plain(_sent(sent))).model_dump() == sent


def test_a_body_without_tags_is_not_touched() -> None:
    body = b'{ "b":1,  "a":"__value__" }'
    assert plain(body) is body
    assert revive(body) == {"b": 1, "a": "__value__"}


def test_the_word_type_in_a_text_is_no_tag() -> None:
    body = b'{"note":"about __type__","__type__":"uuid"}'
    assert revive(body) == json.loads(body) == json.loads(plain(body))


def test_whole_numbers_stay_whole() -> None:
    assert json.loads(plain(_sent({"n": 2**80, "d": Decimal(1)}))) == {"n": 2**80, "d": "1"}


class Registered:
    """A type that the process has taught kombu, as kombu's users can."""


def test_a_type_that_the_process_has_registered_with_kombu_is_not_revived() -> None:
    kombu_json.register_type(Registered, "tests-registered", lambda value: "x", lambda value: Registered())
    body = _sent({"a": [Registered()]})
    assert isinstance(kombu_json.loads(body)["a"][0], Registered)
    for read in (revive, plain):
        with pytest.raises(
            BodyError, match=r"^\$\.a\[0\]: expected one of kombu's own types \(base64, bytes, date, .*uuid\)"
        ):
            read(body)


@pytest.mark.parametrize("kind", ["hunter2", 5, None, [], {}, "object", "__import__"])
def test_another_tag_is_refused_without_its_name(kind: Any) -> None:
    body = json.dumps({"x": {"__type__": kind, "__value__": "hunter2"}}).encode()
    with pytest.raises(
        BodyError, match=r"^\$\.x: expected one of kombu's own types .*, got another __type__$"
    ) as refused:
        revive(body)
    assert refused.value.readable
    assert "hunter2" not in str(refused.value)


BAD_VALUES: list[Any] = [
    None,
    5,
    "hunter2",
    [],
    {},
    {"hex": 5},
    {"hex": "hunter2"},
    {"int": 1},
    "é",
    "1e999999999999999999",
]


@pytest.mark.parametrize("kind", ["datetime", "date", "time", "decimal", "uuid", "bytes", "base64"])
@pytest.mark.parametrize("value", BAD_VALUES, ids=repr)
def test_a_tag_that_holds_no_value_of_its_type_raises_nothing_but_a_body_error(kind: str, value: Any) -> None:
    body = json.dumps({"x": {"__type__": kind, "__value__": value}}).encode()
    for read in (revive, plain):
        try:
            read(body)
        except BodyError as error:
            assert str(error).startswith(f"$.x: expected a {kind}, got ")
            assert "hunter2" not in str(error)


def test_tags_nested_too_deep_are_unreadable() -> None:
    body = b'{"__type__":' * 100_000
    # Within what the parser takes, one beyond what the walk takes.
    deep = b'{"a":' * 201 + b'{"__type__":"decimal","__value__":"1"}' + b"}" * 201
    for read in (revive, plain):
        for sent in (body, deep):
            with pytest.raises(BodyError, match=r"^expected JSON: nested too deep$") as refused:
                read(sent)
            assert not refused.value.readable


def test_tags_are_undone_200_levels_deep() -> None:
    value = revive(b'{"a":' * 200 + b'{"__type__":"decimal","__value__":"1"}' + b"}" * 200)
    for _ in range(200):
        value = value["a"]
    assert value == Decimal(1)
