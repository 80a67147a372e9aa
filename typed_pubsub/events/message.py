"""The wire form of an event, outwards: body bytes, headers and properties as docs/wire-format.md says.

The body is the event's JSON and nothing else. Metadata travels in headers, after the CloudEvents binding for RabbitMQ
(``ce-*``, all strings), and what AMQP has a property for stands there too.
"""

from datetime import datetime
from typing import Any

import msgspec

from typed_pubsub.errors import EventError
from typed_pubsub.events.registry import EventMeta

JSON = "application/json"
PERSISTENT = 2
#: Ids and names: an AMQP short string carries no more, and they are written to headers, tasks and logs.
MAX_ID_BYTES = 255

SPEC_VERSION = "ce-specversion"
ID = "ce-id"
SOURCE = "ce-source"
TYPE = "ce-type"
TIME = "ce-time"
DATA_SCHEMA = "ce-dataschema"
SCHEMA_VERSION = "ce-schemaversion"
CORRELATION_ID = "ce-correlationid"
CAUSATION_ID = "ce-causationid"
TRACEPARENT = "traceparent"

#: The routing key of a message that was put straight on a queue (replay, migration, shovel).
ROUTING_KEY = "x-pubsub-routing-key"


# Given from outside; the others are made here. ce-type is not: rows may use keys of any characters.
_CHECKED = (ID, SOURCE, CORRELATION_ID, CAUSATION_ID, TRACEPARENT)


class Message(msgspec.Struct, frozen=True):
    """A message to write: ``properties`` are AMQP's basic properties by name, without the headers."""

    event_id: str
    routing_key: str
    body: bytes
    headers: dict[str, str]
    properties: dict[str, Any]


class Context(msgspec.Struct, frozen=True):
    """What a publication carries beside the event: who says it, when, and what it belongs to.

    ``time`` is aware; ``correlation_id`` defaults to the event's own id (the event starts a conversation); the others
    are left out where None.
    """

    source: str
    time: datetime
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None


def is_text(value: Any) -> bool:
    """Whether ``value`` can be an id or a name on the wire: printable, at most 255 bytes of UTF-8."""
    # A character has at most four bytes: few texts are long enough to be counted.
    return (
        isinstance(value, str)
        and value.isprintable()
        and (len(value) * 4 <= MAX_ID_BYTES or len(value.encode()) <= MAX_ID_BYTES)
    )


def compose(meta: EventMeta | None, routing_key: str, body: bytes, event_id: str, context: Context) -> Message:
    """The message of one publication; ``meta`` is None for a key that no model is bound to.

    Raises:
        EventError: an id or the source could not be read back by a subscriber.
    """
    template = routing_key if meta is None else meta.key.text
    correlation_id = context.correlation_id if context.correlation_id is not None else event_id
    headers = {
        SPEC_VERSION: "1.0",
        ID: event_id,
        SOURCE: context.source,
        TYPE: template,
        TIME: context.time.isoformat(),
        CORRELATION_ID: correlation_id,
    }
    if meta is not None:
        headers[DATA_SCHEMA] = meta.data_schema
        headers[SCHEMA_VERSION] = str(meta.version)
    if context.causation_id is not None:
        headers[CAUSATION_ID] = context.causation_id
    if context.traceparent is not None:
        headers[TRACEPARENT] = context.traceparent
    for name in _CHECKED:
        value = headers.get(name)
        if value is not None and not (value and is_text(value)):
            msg = f"{name}: expected a printable text of 1 to {MAX_ID_BYTES} bytes, got {value[:40]!r}"
            raise EventError(routing_key, msg)
    properties = {
        "content_type": JSON,
        "content_encoding": "utf-8",
        "delivery_mode": PERSISTENT,
        "message_id": event_id,
        "timestamp": int(context.time.timestamp()),
        "type": template,
        "app_id": context.source,
        "correlation_id": correlation_id,
    }
    return Message(event_id, routing_key, body, headers, properties)
