"""Recorded messages: the body comes back byte for byte, and nothing that acts comes back at all."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from typed_pubsub.brokers.letters import read_letter
from typed_pubsub.errors import EventError
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.ops.recordings import message_of, read_lines, write_letter, write_line

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
names = st.text() | st.sampled_from(["CC", "BCC", "x-death", "ce-id", "ce-source", "traceparent"])
bodies = st.binary() | st.sampled_from(
    [
        b'{"a": 1}',
        b'{"a":1e400}',
        b' {"a":1}',
        b'{"a":\n1}',
        b'{"a":"\xff"}',
        b'{"a":1,"a":2}',
        b"NaN",
        b"",
        b'"\xc3\xbc"',
    ]
)
deliveries = st.builds(
    Delivery,
    routing_key=st.text(max_size=60),
    body=bodies,
    random_id=st.just("random"),
    exchange=st.text(max_size=20),
    headers=st.dictionaries(names, values, max_size=4),
    properties=st.dictionaries(st.sampled_from(["message_id", "type", "expiration", "user_id", "timestamp"]), values),
)


@given(deliveries)
def test_any_delivery_is_one_line_and_comes_back(delivery: Delivery) -> None:
    line = write_line(delivery, NOW)
    assert line.count(b"\n") == 1
    (recorded,) = read_lines("file", [line])
    message = message_of(recorded)
    assert message.body == delivery.body
    assert message.routing_key == delivery.routing_key
    assert not {"CC", "BCC", "x-death"} & message.headers.keys()
    assert not {"expiration", "user_id"} & message.properties.keys()
    assert message.properties["delivery_mode"] == 2


@given(deliveries)
def test_any_dead_letter_is_one_line_too_and_comes_back_as_what_it_was(delivery: Delivery) -> None:
    letter = read_letter(delivery)
    line = write_letter(letter, NOW)
    assert line.count(b"\n") == 1
    (recorded,) = read_lines("file", [line])
    assert recorded.is_dead_letter
    message = message_of(recorded)
    assert (message.body, message.routing_key) == (delivery.body, letter.routing_key)
    assert not {"CC", "BCC", "x-death"} & message.headers.keys()
    assert not {"expiration", "user_id"} & message.properties.keys()


def test_json_stands_in_the_line_as_it_came() -> None:
    line = write_line(Delivery("a.key", b'{"b": 1.50, "a": "\xc3\xbc"}', "id"), NOW)
    assert b'"body":{"b": 1.50, "a": "\xc3\xbc"}' in line


def replayed(delivery: Delivery, **how: Any) -> Delivery:
    (recorded,) = read_lines("file", [write_line(delivery, NOW)])
    message = message_of(recorded, **how)
    return Delivery(
        message.routing_key, message.body, "random", "events", headers=message.headers, properties=message.properties
    )


HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "an-id",
    "ce-source": "app1",
    "ce-type": "a.key",
    "ce-schemaversion": "2",
    "ce-correlationid": "order-1",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}


def test_a_subscriber_reads_the_same_of_it() -> None:
    came = Delivery("a.key", b"{}", "random", "events", headers=HEADERS, properties={"message_id": "an-id"})
    assert read_metadata(replayed(came)) == read_metadata(came)


def test_a_new_id_is_new_in_both_places_and_all_else_is_as_it_was() -> None:
    came = Delivery("a.key", b"{}", "random", "events", headers=HEADERS, properties={"message_id": "an-id"})
    again = replayed(came, new_id=True)
    said = read_metadata(again)
    assert said.event_id != "an-id"
    assert again.properties["message_id"] == said.event_id
    assert msgspec.structs.replace(said, event_id="an-id") == read_metadata(came)


def test_a_legacy_message_has_its_id_as_a_property_only() -> None:
    came = Delivery("a.key", b"{}", "random", "events", properties={"message_id": "old"})
    again = replayed(came, new_id=True)
    assert again.headers == {}
    assert read_metadata(again).event_id == again.properties["message_id"] != "old"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "Input data was truncated"),
        (b"[]", "Expected `object`"),
        (b'{"routing_key":1,"exchange":"e","received":"2026-03-01T12:30:15Z"}', r"\$.routing_key"),
        (b'{"routing_key":"' + b"k" * 256 + b'","exchange":"e","received":"2026-03-01T12:30:15Z"}', "at most 255"),
    ],
)
def test_a_line_that_is_none_is_named(line: bytes, problem: str) -> None:
    good = write_line(Delivery("a.key", b"{}", "id"), NOW)
    with pytest.raises(EventError, match=f"a.ndjson, line 3: expected a recorded message: .*{problem}"):
        list(read_lines("a.ndjson", [good, b"\n", line]))
