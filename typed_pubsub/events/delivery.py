"""What the broker handed us, and what its headers say: total functions over any message at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from typed_pubsub.events import message as wire
from typed_pubsub.events.keys import MAX_KEY_BYTES
from typed_pubsub.events.shapes import is_list, is_mapping

MAX_ID_BYTES = wire.MAX_ID_BYTES
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came, copied and not yet believed.

    ``random_id`` is the event id of a message that brings none; ``wire_error`` says what of its frames could not be
    read (then headers and properties are empty and ``raw_properties`` holds their bytes).
    """

    routing_key: str
    body: bytes
    random_id: str
    exchange: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    redelivered: bool = False
    tag: int = 0
    wire_error: str | None = None
    raw_properties: bytes = b""


@dataclass(frozen=True, slots=True)
class Metadata:
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
    """What ``delivery`` says of itself. Never raises; what cannot be read is named in ``problem``."""
    headers, properties = delivery.headers, delivery.properties
    problems = [delivery.wire_error] if delivery.wire_error is not None else []
    texts: dict[str, str | None] = {}
    for name in (wire.ID, wire.SOURCE, wire.CORRELATION_ID, wire.TRACEPARENT):
        texts[name], problem = _text(headers, name)
        problems += problem
    version, problem = _version(headers)
    problems += problem + _encoding_problems(headers, properties)
    event_id = texts[wire.ID] or _lenient(properties, "message_id")
    return Metadata(
        routing_key=_routing_key(delivery),
        event_id=event_id if event_id is not None else delivery.random_id,
        source=texts[wire.SOURCE] or "",
        # Never decisive, and a row's key may be of any characters: not worth a dead letter.
        type=_lenient(headers, wire.TYPE),
        version=version,
        correlation_id=texts[wire.CORRELATION_ID] or _lenient(properties, "correlation_id"),
        traceparent=texts[wire.TRACEPARENT] or None,
        ours=wire.SPEC_VERSION in headers,
        has_id=event_id is not None,
        problem="; ".join(problems) or None,
    )


def _text(headers: Mapping[str, Any], name: str) -> tuple[str | None, list[str]]:
    if name not in headers:
        return None, []
    value = headers[name]
    if not wire.is_text(value):
        return None, [f"header {name}: expected a printable text of at most {wire.MAX_ID_BYTES} bytes"]
    return value, []


def _lenient(values: Mapping[str, Any], name: str) -> str | None:
    """A text that anyone may have set for purposes of his own: what is no id or name counts as absent."""
    value = values.get(name)
    return value if value and wire.is_text(value) else None


def _version(headers: Mapping[str, Any]) -> tuple[int | None, list[str]]:
    if wire.SCHEMA_VERSION not in headers:
        return None, []
    value = headers[wire.SCHEMA_VERSION]
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 and int(value) > 0:  # noqa: PLR2004
        return int(value), []
    return None, [f"header {wire.SCHEMA_VERSION}: expected a whole number from 1"]


def _encoding_problems(headers: Mapping[str, Any], properties: Mapping[str, Any]) -> list[str]:
    """Only plain JSON is read; a missing content type or encoding means JSON in UTF-8."""
    problems: list[str] = []
    kind, encoding = properties.get("content_type"), properties.get("content_encoding")
    if kind and (not isinstance(kind, str) or kind.partition(";")[0].strip().lower() != wire.JSON):
        problems.append(f"content type: expected {wire.JSON}")
    if encoding and (not isinstance(encoding, str) or encoding.lower() not in _UTF8):
        problems.append("content encoding: expected utf-8")
    if "compression" in headers:
        problems.append("header compression: compressed bodies are not read")
    return problems


def _routing_key(delivery: Delivery) -> str:
    """The key under which the event was published.

    A message that came through an exchange came under its own key. Only one put straight on the queue (through the
    default exchange) may carry another: ours in a header, else the one that the broker noted when it first
    dead-lettered the message.
    """
    if delivery.exchange != "":
        return delivery.routing_key
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
