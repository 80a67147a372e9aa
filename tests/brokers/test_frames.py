"""Messages that would crash py-amqp reach the consumer, marked; the message after them too."""

import inspect
import struct
from typing import Any

import amqp
import pytest
from amqp import spec
from amqp.exceptions import UnexpectedFrame
from amqp.serialization import loads
from hypothesis import given
from hypothesis import strategies as st

from tests.support.amqp import (
    CONTENT_TYPE,
    HEADERS,
    TIMEOUT,
    TIMESTAMP,
    RawMessage,
    linked,
    message,
    nested,
    properties,
    send,
    short,
    table,
    text,
    timestamp,
)
from tests.support.rabbit import eventually
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.frames import tolerant_frame_handler
from typed_pubsub.brokers.topology import Topology

MILLISECONDS = 1_700_000_000_000

POISON = {
    "header timestamp in milliseconds": properties(HEADERS, table((b"sent", b"T" + timestamp(MILLISECONDS)))),
    "content type that is not UTF-8": properties(CONTENT_TYPE, short(b"text/\xff\xfe")),
    "headers nested 3,000 deep": properties(HEADERS, nested(3_000)),
}
#: Read by py-amqp, as a number or as bytes, and so no wire error.
ODD = {
    "timestamp in milliseconds": properties(TIMESTAMP, timestamp(MILLISECONDS)),
    "header that is not UTF-8": properties(HEADERS, table((b"name", text(b"\xff\xfe")))),
    "header name that is not UTF-8": properties(HEADERS, table((b"\xff\xfe", text(b"value")))),
    "content type with a surrogate": properties(CONTENT_TYPE, short(b"text/\xed\xa0\x80")),
}


class Received:
    """What a handler hands over."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, Any, Any]] = []
        self.bytes_recv = 0
        self.on_frame = tolerant_frame_handler(self, self._on_message)

    def _on_message(self, channel: int, method: Any, arguments: Any, content: Any) -> None:
        self.messages.append((channel, method, content))

    def deliver(self, raw_properties: bytes, *body: bytes, key: bytes = b"a.key", channel: int = 1) -> None:
        arguments = short(b"tag") + struct.pack(">QB", 200, 0) + short(b"exchange") + short(key)
        self.on_frame((1, channel, struct.pack(">HH", *spec.Basic.Deliver) + arguments))
        self.on_frame((2, channel, struct.pack(">HHQ", 60, 0, sum(map(len, body))) + raw_properties))
        for part in body:
            self.on_frame((3, channel, part))


@pytest.fixture
def received() -> Received:
    return Received()


def test_py_amqp_still_takes_a_frame_handler_and_calls_it_as_we_expect(vhost_url: str) -> None:
    assert "frame_handler" in inspect.signature(amqp.Connection.__init__).parameters
    with linked(vhost_url) as link:
        assert link.raw.on_inbound_frame.__module__ == "typed_pubsub.brokers.frames"
        assert link.raw.bytes_recv > 0, "heartbeats count what came"


@pytest.mark.parametrize("kind", POISON)
@pytest.mark.parametrize("body", [(), (b"{}",), (b"{", b"}")], ids=["no body", "one frame", "two frames"])
def test_properties_that_cannot_be_read_leave_the_body_as_it_came(
    received: Received, kind: str, body: tuple[bytes, ...]
) -> None:
    received.deliver(POISON[kind], *body)
    received.deliver(properties(CONTENT_TYPE, short(b"application/json")), b"{}")
    (_, _, bad), (_, _, good) = received.messages
    assert "cannot be read" in bad.wire_error
    assert (bad.body or b"") == b"".join(body)
    assert bad.properties == {}
    assert bad.raw_properties == POISON[kind]
    assert good.properties == {"content_type": "application/json"}
    assert not hasattr(good, "wire_error")


@pytest.mark.parametrize("kind", ODD)
def test_odd_properties_that_py_amqp_reads_are_no_wire_error(received: Received, kind: str) -> None:
    received.deliver(ODD[kind], b"{}")
    ((_, _, odd),) = received.messages
    assert not hasattr(odd, "wire_error")
    assert odd.body == b"{}"


@pytest.mark.parametrize("key", [b"a.\xff.key", b"\xed\xa0\x80", b"\xff" * 255], ids=["byte", "surrogate", "long"])
def test_a_key_that_is_not_utf8_is_made_readable_and_told(received: Received, key: bytes) -> None:
    received.deliver(properties(0, b""), b"{}", key=key)
    ((_, _, bad),) = received.messages
    assert bad.wire_error == "the routing key is not UTF-8"
    # What py-amqp reads of a delivery: consumer tag, delivery tag, redelivered, exchange, routing key.
    *_, read_key = loads("sLbss", bytes(bad.frame_args), 4)[0]
    assert read_key.startswith(("a.\\xff", "\\xed", "\\xff"))
    assert len(read_key) <= 255


def test_frames_of_two_channels_may_alternate(received: Received) -> None:
    for channel in (1, 2):
        arguments = short(b"tag") + struct.pack(">QB", channel, 0) + short(b"") + short(b"k")
        received.on_frame((1, channel, struct.pack(">HH", *spec.Basic.Deliver) + arguments))
    for channel in (2, 1):
        received.on_frame((2, channel, struct.pack(">HHQ", 60, 0, 1) + properties(0, b"")))
    received.on_frame((8, 0, b""))
    for channel in (1, 2):
        received.on_frame((3, channel, b"%d" % channel))
    assert [(channel, content.body) for channel, _, content in received.messages] == [(1, b"1"), (2, b"2")]


def test_a_frame_out_of_turn_ends_the_connection(received: Received) -> None:
    with pytest.raises(UnexpectedFrame):
        received.on_frame((3, 1, b"body"))


@given(raw=st.binary(max_size=80), body=st.binary(max_size=20), key=st.binary(max_size=255))
def test_no_properties_and_no_key_at_all_raise(raw: bytes, body: bytes, key: bytes) -> None:
    received = Received()
    received.deliver(raw, *([body] if body else []), key=key)
    received.deliver(properties(CONTENT_TYPE, short(b"application/json")), b"{}")
    assert [content.body or b"" for _, _, content in received.messages] == [body, b"{}"]


def test_the_consumer_gets_wire_poison_marked_and_the_message_behind_it(vhost_url: str) -> None:
    topology = Topology("an_exchange", "a_queue", ("#",))
    with linked(vhost_url) as link:
        consumer = Consumer(link, topology, prefetch=100)
        for raw in (*POISON.values(), *ODD.values()):
            send(vhost_url, "an_exchange", "a.key", RawMessage(b"poison", raw))
        send(vhost_url, "an_exchange", b"a.\xff.key", message(b"poison"))
        send(vhost_url, "an_exchange", "a.key", message(b"good"))
        eventually(
            lambda: consumer.receive(1) and len(consumer.deliveries) == len(POISON) + len(ODD) + 2, timeout=TIMEOUT
        )
        *bad, keyed, good = consumer.take(100)
    assert [delivery.body for delivery in bad] == [b"poison"] * (len(POISON) + len(ODD))
    assert [delivery.wire_error is not None for delivery in bad] == [True] * len(POISON) + [False] * len(ODD)
    assert (keyed.wire_error, keyed.routing_key) == ("the routing key is not UTF-8", "a.\\xff.key")
    assert (good.wire_error, good.body, good.routing_key) == (None, b"good", "a.key")
