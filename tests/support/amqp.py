"""AMQP by hand: messages with properties and keys that no client library would write."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import NotFound

from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.event_broker import event_connection, open_link
from typed_pubsub.brokers.topology import dead_letter_arguments

#: Deadlines of the tests: generous, the machine is shared.
TIMEOUT = 30.0

CONTENT_TYPE, HEADERS, TIMESTAMP = 0x8000, 0x2000, 0x0040


class RawMessage(Message):
    """A message whose properties are these bytes: two of flags, then the values in the order of the flags."""

    def __init__(self, body: bytes, properties: bytes) -> None:
        super().__init__(body)
        self._raw = properties

    def _serialize_properties(self) -> bytes:
        return self._raw


def properties(flags: int, values: bytes) -> bytes:
    return struct.pack(">H", flags) + values


def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def table(*entries: tuple[bytes, bytes]) -> bytes:
    """A table of names and values, each value with its type's letter in front."""
    inside = b"".join(short(name) + value for name, value in entries)
    return struct.pack(">I", len(inside)) + inside


def text(value: bytes) -> bytes:
    return b"S" + struct.pack(">I", len(value)) + value


def timestamp(seconds: int) -> bytes:
    return struct.pack(">Q", seconds)


def nested(depth: int) -> bytes:
    """A table in a table in a table."""
    inside = b""
    for _ in range(depth):
        inside = short(b"n") + b"F" + struct.pack(">I", len(inside)) + inside
    return struct.pack(">I", len(inside)) + inside


@contextmanager
def linked(url: str, timeout: float = TIMEOUT) -> Iterator[Link]:
    link = open_link(event_connection(url), timeout)
    try:
        yield link
    finally:
        link.close()


def send(url: str, exchange: str, key: str | bytes, message: Any) -> None:
    """Publishes one message and waits until the broker has it in a queue."""
    with broker(url) as connection:
        channel = connection.connection.channel()
        channel.confirm_select()
        confirmed: list[int] = []
        returned: list[Any] = []
        channel.events["basic_ack"].add(lambda tag, multiple: confirmed.append(tag))
        channel.events["basic_return"].add(lambda *told: returned.append(told))
        channel.send_method(spec.Basic.Publish, "Bssbb", (0, exchange, key, True, False), message)
        while not confirmed:
            connection.drain_events(timeout=TIMEOUT)
        assert not returned, "no queue took the message"


def message(body: bytes, headers: Mapping[str, Any] | None = None, **more: Any) -> Message:
    return Message(body, application_headers=dict(headers or {}), **{"content_type": "application/json", **more})


def take_all(url: str, queue: str) -> list[Any]:
    """Every message that is in the queue now, acknowledged; bodies are bytes."""
    with broker(url) as connection:
        channel = connection.default_channel
        channel.auto_decode = False
        found: list[Any] = []
        try:
            while (taken := channel.basic_get(queue, no_ack=True)) is not None:
                found.append(taken)
        except NotFound:
            pass
        return found


def declare(url: str, queue: str, arguments: Mapping[str, Any] | None = None, **bindings: str) -> None:
    """A durable queue; ``exchange=key`` binds it."""
    with broker(url) as connection:
        channel = connection.default_channel
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments=dict(arguments or {}))
        for exchange, key in bindings.items():
            channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
            channel.queue_bind(queue, exchange, routing_key=key)


def wait_for_count(url: str, queue: str, count: int) -> None:
    """Waits until a queue holds this many messages that are ready to be delivered."""
    eventually(
        lambda: (state := queue_state(url, queue)) is not None and state.message_count == count,
        what=f"{count} messages in {queue!r}",
    )


def of_dead_letters(url: str, *, quorum: bool = True) -> dict[str, Any]:
    """The arguments that a dead-letter queue is declared with at this broker: they differ by its version."""
    with linked(url) as link:
        return dead_letter_arguments(
            quorum=quorum, limits_deliveries=link.limits_deliveries, server_version=link.server_version
        )
