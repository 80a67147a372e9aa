"""Recorded messages: one JSON object a line, the body as it came, and back to messages that can be published again.

    {"routing_key": "app1.matches.deleted", "exchange": "events", "received": "2026-03-01T12:30:15+00:00",
     "headers": {"ce-id": "..."}, "properties": {"content_type": "application/json"}, "body": {"match_id": 7}}

A body that is JSON on one line stands there byte for byte; any other one as ``body_base64``. A dead letter is recorded
as the message that it was, with its reason and the like as ``dead_letter``.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec

from typed_pubsub.brokers.dead_letters import ORIGINAL
from typed_pubsub.brokers.letters import Letter, as_replayed
from typed_pubsub.brokers.tables import as_json, as_text, harmless_headers, harmless_properties
from typed_pubsub.errors import EventError
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.keys import check_amqp_key
from typed_pubsub.events.message import ID, Message


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True):
    """One recorded message; ``headers`` and ``properties`` in JSON's types."""

    routing_key: str
    exchange: str
    received: datetime
    headers: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    properties: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    dead_letter: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    body_base64: bytes | msgspec.UnsetType = msgspec.UNSET

    @property
    def is_dead_letter(self) -> bool:
        """Whether it was one when it was recorded."""
        return self.dead_letter is not msgspec.UNSET

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body_base64, bytes):
            return self.body_base64
        return bytes(self.body) if isinstance(self.body, msgspec.Raw) else b""


def write_line(delivery: Delivery, received: datetime) -> bytes:
    """A delivery as one line, with its end."""
    return _line(delivery, received)


def write_letter(letter: Letter, now: datetime) -> bytes:
    """A dead letter as one line, with its end: the message that it was, and why it is dead.

    Args:
        letter: as it was read.
        now: stands for the time when it was dead-lettered where nobody knows that.
    """
    was = letter.original
    # What a replay would set right: content type and event id.
    properties = {**was.properties, **as_replayed(letter, "").properties}
    message = Delivery(letter.routing_key, letter.body, letter.event_id, letter.exchange, was.headers, properties)
    more = {"cut": was.cut, **({"raw": was.raw} if was.raw else {})}
    return _line(message, letter.time or now, dead_letter=as_json(what_killed(letter) | more))


def what_killed(letter: Letter) -> dict[str, Any]:
    """What a dead letter says beyond the message that it was, for JSON; headers and properties are its own."""
    return {
        "reason": letter.reason,
        "detail": letter.detail,
        "event_id": letter.event_id,
        "attempts": letter.attempts,
        "time": None if letter.time is None else letter.time.isoformat(),
        "headers": as_json({name: value for name, value in letter.headers.items() if name != ORIGINAL}),
        "properties": as_json(letter.properties),
    }


def _line(delivery: Delivery, received: datetime, *, dead_letter: Any = msgspec.UNSET) -> bytes:
    verbatim = _is_one_line_of_json(delivery.body)
    recorded = Recorded(
        routing_key=as_text(delivery.routing_key),
        exchange=as_text(delivery.exchange),
        received=received,
        headers=as_json(delivery.headers),
        properties=as_json(delivery.properties),
        dead_letter=dead_letter,
        body=msgspec.Raw(delivery.body) if verbatim else msgspec.UNSET,
        body_base64=msgspec.UNSET if verbatim else delivery.body,
    )
    return msgspec.json.encode(recorded) + b"\n"


def read_lines(name: str, lines: Iterable[bytes]) -> Iterator[Recorded]:
    """The recorded messages of a file; empty lines are passed over.

    Raises:
        EventError: a line is none; the text names ``name`` and the line's number.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            recorded = msgspec.json.decode(line, type=Recorded)
            check_amqp_key(recorded.routing_key)
        except (ValueError, RecursionError) as error:
            raise EventError(f"{name}, line {number}", f"expected a recorded message: {error}") from error
        yield recorded


def message_of(recorded: Recorded, *, new_id: bool = False) -> Message:
    """The message to publish again: under its own key and id, with the headers and properties that act on nobody.

    Args:
        recorded: as it was read.
        new_id: it is to be a new event, with an id of its own.
    """
    headers = harmless_headers(recorded.headers)
    properties = harmless_properties(recorded.properties)
    if new_id:
        properties["message_id"] = str(uuid4())
        if ID in headers:
            headers[ID] = properties["message_id"]
    event_id = headers.get(ID) or properties.get("message_id") or ""
    return Message(str(event_id), recorded.routing_key, recorded.content, headers, properties)


def _is_one_line_of_json(body: bytes) -> bool:
    # Space around it would not come back.
    if b"\n" in body or b"\r" in body or body != body.strip():
        return False
    try:
        body.decode()
        msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return False
    return True
