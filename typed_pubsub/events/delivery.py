"""What the broker handed us, and what its headers say: total functions over any message at all."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeGuard

import msgspec

from typed_pubsub.events import message as wire
from typed_pubsub.events.keys import MAX_KEY_BYTES
from typed_pubsub.events.shapes import is_list, is_mapping

MAX_ID_BYTES = wire.MAX_ID_BYTES
_TEXTS = (wire.ID, wire.SOURCE, wire.CORRELATION_ID, wire.TRACEPARENT)
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


# Structs rather than dataclasses, here and wherever a value is made for each event: frozen as well, and made by C code.
class Delivery(msgspec.Struct, frozen=True):
    """A message as it came, copied and not yet believed.

    ``random_id`` is the event id of a message that brings none, or gives one when it is called; ``wire_error`` says
    what of its frames could not be read (then headers and properties are empty and ``raw_properties`` holds their
    bytes).
    """

    routing_key: str
    body: bytes
    random_id: str | Callable[[], str]
    exchange: str = ""
    headers: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    properties: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    redelivered: bool = False
    tag: int = 0
    wire_error: str | None = None
    raw_properties: bytes = b""


class Metadata(msgspec.Struct, frozen=True):
    """What a delivery's headers and properties say.

    ``routing_key`` is the key that decides the model; ``ours`` tells a message with CloudEvents headers from a legacy
    one; ``problem`` says why the message cannot be read, or is None.
    """

    routing_key: str
    event_id: str
    source: str = ""
    type: str | None = None
    version: int | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    ours: bool = False
    has_id: bool = False
    problem: str | None = None

    def task_headers(self) -> dict[str, str]:
        """The headers that every task of this event carries; no other header of a message reaches a task."""
        carried = {
            wire.ID: self.event_id,
            wire.SOURCE: self.source,
            wire.TYPE: self.type if self.type is not None else self.routing_key,
            wire.CORRELATION_ID: self.correlation_id if self.correlation_id is not None else self.event_id,
        }
        if self.traceparent is not None:
            carried[wire.TRACEPARENT] = self.traceparent
        return carried


def read_metadata(delivery: Delivery) -> Metadata:
    """What ``delivery`` says of itself. Never raises; what cannot be read is named in ``problem``.

    A ``random_id`` that is made by a call is another one each time: whoever needs it twice reads once.
    """
    headers, properties = delivery.headers, delivery.properties
    # An empty header counts as absent.
    texts = [headers.get(name, "") for name in _TEXTS]
    version = _version(headers)
    problem = None
    if not (all(map(wire.is_text, texts)) and version != 0 and _is_readable(delivery)):
        problem = "; ".join(_problems(delivery))
        texts = [text if wire.is_text(text) else "" for text in texts]
    event_id, source, correlation_id, traceparent = texts
    event_id = event_id or _lenient(properties, "message_id")
    made = "" if event_id else delivery.random_id
    return Metadata(
        routing_key=delivery.routing_key if delivery.exchange != "" else _noted_key(delivery),
        event_id=event_id or (made if isinstance(made, str) else made()),
        source=source,
        # Never decisive, and a row's key may be of any characters: not worth a dead letter.
        type=_lenient(headers, wire.TYPE),
        version=version or None,
        correlation_id=correlation_id or _lenient(properties, "correlation_id"),
        traceparent=traceparent or None,
        ours=wire.SPEC_VERSION in headers,
        has_id=bool(event_id),
        problem=problem,
    )


def _is_readable(delivery: Delivery) -> bool:
    """Whether the frames were sound and the body is plain JSON, the only content that is read."""
    properties = delivery.properties
    return (
        delivery.wire_error is None
        and _is_json(properties.get("content_type"))
        and _is_utf8(properties.get("content_encoding"))
        and "compression" not in delivery.headers
    )


def _problems(delivery: Delivery) -> Iterator[str]:
    headers, properties = delivery.headers, delivery.properties
    if delivery.wire_error is not None:
        yield delivery.wire_error
    for name in _TEXTS:
        if not wire.is_text(headers.get(name, "")):
            yield f"header {name}: expected a printable text of at most {wire.MAX_ID_BYTES} bytes"
    if _version(headers) == 0:
        yield f"header {wire.SCHEMA_VERSION}: expected a whole number from 1"
    if not _is_json(properties.get("content_type")):
        yield f"content type: expected {wire.JSON}"
    if not _is_utf8(properties.get("content_encoding")):
        yield "content encoding: expected utf-8"
    if "compression" in headers:
        yield "header compression: compressed bodies are not read"


def _version(headers: Mapping[str, Any]) -> int | None:
    """The version that a message says, None if it says none, 0 if what it says is no version."""
    if wire.SCHEMA_VERSION not in headers:
        return None
    value = headers[wire.SCHEMA_VERSION]
    readable = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10  # noqa: PLR2004
    return int(value) if readable else 0


def _is_json(kind: Any) -> bool:
    # Nobody has to say so: what has no content type is JSON, in UTF-8.
    return (
        kind == wire.JSON or not kind or (isinstance(kind, str) and kind.partition(";")[0].strip().lower() == wire.JSON)
    )


def _is_utf8(encoding: Any) -> bool:
    return not encoding or (isinstance(encoding, str) and encoding.lower() in _UTF8)


def _lenient(values: Mapping[str, Any], name: str) -> str | None:
    """A text that anyone may have set for purposes of his own: what is no id or name counts as absent."""
    value = values.get(name)
    return value if value and wire.is_text(value) else None


def _noted_key(delivery: Delivery) -> str:
    """The key under which an event was published that was put straight on the queue, through the default exchange.

    A message that came through another exchange came under its own key. Only such a one may carry another: ours in a
    header, else the one that the broker noted when it first dead-lettered the message.
    """
    noted = delivery.headers.get(wire.ROUTING_KEY)
    if _is_key(noted):
        return noted
    return _first_death(delivery.headers.get("x-death")) or delivery.routing_key


def _is_key(value: Any) -> TypeGuard[str]:
    # Anyone may write headers: what no broker could have carried as a routing key is none.
    return isinstance(value, str) and len(value.encode(errors="replace")) <= MAX_KEY_BYTES


def _first_death(deaths: Any) -> str | None:
    # RabbitMQ keeps the newest death first: the last entry with an exchange is the original publication.
    for death in reversed(deaths) if is_list(deaths) else ():
        keys: Any = death.get("routing-keys") if is_mapping(death) and death.get("exchange") else None
        if is_list(keys) and keys and _is_key(keys[0]):
            return keys[0]
    return None
