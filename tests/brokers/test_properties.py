"""Properties written and read here are those that py-amqp writes and reads, value for value and byte for byte."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from amqp.basic_message import Message
from hypothesis import example, given
from hypothesis import strategies as st

from typed_pubsub.brokers import properties
from typed_pubsub.brokers.frames import UNREADABLE

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 2**31 - 1, -(2**31) + 1, 2**31, -(2**31)])
TEXTS = st.text(max_size=300) | st.sampled_from(["", "x" * 255, "x" * 256, "\ud800", "ü" * 128])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.binary(max_size=20) | st.floats(allow_nan=False)
    | st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None))
    | st.decimals(-1000, 1000, places=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
HEADERS = st.dictionaries(TEXTS | st.sampled_from(["ce-id", "id", "eta"]), VALUES, max_size=8)
KINDS: dict[str, st.SearchStrategy[Any]] = {"s": TEXTS, "o": st.integers(-1, 300), "L": NUMBERS, "F": HEADERS}
ALL = st.fixed_dictionaries({}, optional={name: st.none() | KINDS[kind] for name, kind in Message.PROPERTIES})


def by_py_amqp(given_properties: dict[str, Any]) -> bytes:
    content: Any = Message(b"", **given_properties)
    written: bytes = content._serialize_properties()
    return written


def outcome(write: Any, given_properties: dict[str, Any]) -> Any:
    """The bytes, or the kind of error and what it says."""
    try:
        return write(given_properties)
    except UNREADABLE as error:
        return type(error), str(error)


@pytest.mark.once
@given(ALL)
@example({"application_headers": {"x": {1, 2}}})
@example({"application_headers": {"x" * 256: 1}})
@example({"message_id": 5})
@example({"delivery_mode": "2", "timestamp": "5"})
def test_written_as_py_amqp_writes_them(given_properties: dict[str, Any]) -> None:
    assert outcome(properties.encode, given_properties) == outcome(by_py_amqp, given_properties)


NAMES = st.sets(st.sampled_from([name for name, _ in Message.PROPERTIES[3:]]))


@pytest.mark.once
@given(ALL, ALL, st.data())
def test_a_form_writes_what_is_written_without_it(
    given_properties: dict[str, Any], other: dict[str, Any], data: st.DataObject
) -> None:
    names = data.draw(NAMES)
    headers = given_properties.get("application_headers") or {}
    varying = data.draw(st.sets(st.sampled_from(sorted(headers)))) if headers else set[str]()
    # The varying ones last, as a form writes them.
    headers = {name: headers[name] for name in sorted(headers, key=varying.__contains__)}
    given_properties["application_headers"] = headers
    try:
        properties.encode({name: value for name, value in given_properties.items() if name not in names})
    except UNREADABLE:
        return
    form = properties.Form(given_properties, headers=varying, others=names)
    values = {name: data.draw(VALUES) for name in headers if name in varying}
    another = {
        **given_properties,
        **{name: other.get(name) for name in names},
        "application_headers": {**headers, **values},
    }
    assert outcome(form.encode, another) == outcome(properties.encode, another)


@pytest.mark.once
@given(ALL)
def test_read_as_py_amqp_reads_them(given_properties: dict[str, Any]) -> None:
    with contextlib.suppress(*UNREADABLE):
        written = b"before" + by_py_amqp(given_properties) + b"after"
        message: Any = Message(b"")
        message._load_properties(Message.CLASS_ID, written, 6)
        assert properties.decode(written, 6) == message.properties


@pytest.mark.once
@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_py_amqp_reads_them_or_not_at_all(raw: bytes) -> None:
    message: Any = Message(b"")
    try:
        message._load_properties(Message.CLASS_ID, raw, 0)
    except UNREADABLE:
        with contextlib.suppress(*UNREADABLE):
            properties.decode(raw, 0)
    else:
        assert repr(properties.decode(raw, 0)) == repr(message.properties)


@pytest.mark.parametrize("value", [True, 7, -7, 2**40, 1.5, None, [None, "a", 1], {"a": {"b": None}}, Decimal("1.5")])
def test_each_kind_of_header_comes_back(value: Any) -> None:
    written = properties.encode({"application_headers": {"a": value}})
    assert properties.decode(written, 0) == {"application_headers": {"a": value}}


def test_what_is_remembered_of_header_names_has_an_end() -> None:
    for number in range(3_000):
        properties.encode({"application_headers": {f"invented-{number}": ""}})
    assert len(properties._names) <= 1_000
