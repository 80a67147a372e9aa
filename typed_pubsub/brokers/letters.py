"""Dead letters read back: why they are where they are, what they were, and what puts one on its queue again.

Total functions: anyone may put anything in a dead-letter queue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from typed_pubsub.brokers import dead_letters as written
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.brokers.tables import harmless_properties, is_short
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.events.message import ID, ROUTING_KEY, TRACEPARENT, is_text
from typed_pubsub.events.shapes import is_list, is_mapping

#: The reason of a message that neither we nor the broker have dead-lettered.
UNKNOWN = "unknown"
#: The reasons of the broker's own dead letters, as ``x-death`` has them.
OF_BROKER = ("delivery_limit", "expired", "maxlen", "rejected")

_CLOUD_EVENTS = "ce-"
# What the broker writes on what it has had for a while.
_OF_BROKER = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")


@dataclass(frozen=True, slots=True)
class Original:
    """Headers and properties of the message that became a dead letter.

    ``cut``: something of it is missing, or all of it. ``raw``: its property bytes, in base64, where these could not be
    read.
    """

    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cut: bool = False
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter.

    ``reason`` is one of ours, one of the broker's (``x-death``), or "unknown". ``event_id`` is empty where the message
    has none; ``time`` is when it was dead-lettered, aware, None where nobody says. ``headers`` and ``properties`` are
    its own, ``original`` has those of what it was.
    """

    reason: str
    detail: str
    routing_key: str
    exchange: str
    event_id: str
    body: bytes
    original: Original
    attempts: int | None = None
    time: datetime | None = None
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tag: int = 0


def read_letter(delivery: Delivery) -> Letter:
    """The dead letter in a message of a dead-letter queue. Never raises, whatever the message is."""
    reason = delivery.headers.get(written.REASON)
    return _ours(delivery, reason) if isinstance(reason, str) and reason != "" else _of_others(delivery)


def replay_message(letter: Letter) -> ReadyMessage:
    """The message that puts a dead letter on its queue again: docs/wire-format.md, section 4.

    The body as it came; its key in a header, because the queue's name is its routing key; the ``ce-`` headers of the
    original and what only tells something of its properties. Nothing that acts.
    """
    was = letter.original
    headers = {
        name: value
        for name, value in was.headers.items()
        if (name.startswith(_CLOUD_EVENTS) or name == TRACEPARENT) and _is_carried(name, value)
    }
    headers[ROUTING_KEY] = letter.routing_key
    properties = {**harmless_properties(was.properties), "application_headers": headers}
    # That of the letter: the body's, which is the original's.
    properties.pop("content_type", None)
    if is_short(content_type := letter.properties.get("content_type")):
        properties["content_type"] = content_type
    if not _is_id(headers.get(ID)) and is_short(letter.event_id):
        # The property alone tells which event it is; what it said of itself before was none.
        properties["message_id"] = letter.event_id
    return ReadyMessage(letter.body, properties)


def as_replayed(letter: Letter, queue: str) -> Delivery:
    """The delivery that a subscriber of the queue gets once the letter is replayed."""
    properties = dict(replay_message(letter).properties)
    headers = properties.pop("application_headers")
    return Delivery(queue, letter.body, letter.event_id, "", headers, properties)


def _ours(delivery: Delivery, reason: str) -> Letter:
    headers = delivery.headers
    attempts = headers.get(written.ATTEMPTS)
    event_id = headers.get(written.EVENT_ID)
    said = _said(delivery)
    return Letter(
        reason=reason,
        detail=_text(headers.get(written.DETAIL)),
        routing_key=said[0],
        exchange=_text(headers.get(written.EXCHANGE)),
        event_id=event_id if isinstance(event_id, str) else said[1],
        body=delivery.body,
        original=_original(headers.get(written.ORIGINAL)),
        attempts=attempts if type(attempts) is int else None,
        time=_time(headers.get(written.TIME)),
        headers=headers,
        properties=delivery.properties,
        tag=delivery.tag,
    )


def _of_others(delivery: Delivery) -> Letter:
    death = _last_death(delivery.headers.get("x-death"))
    said = _said(delivery)
    headers = {name: value for name, value in delivery.headers.items() if not str(name).startswith(_OF_BROKER)}
    reason = _text(death.get("reason")) or UNKNOWN
    detail = f"the broker moved it here from queue {_text(death.get('queue'))!r}" if death else ""
    return Letter(
        reason=reason,
        detail=delivery.wire_error or detail,
        routing_key=said[0],
        exchange=_text(death.get("exchange")),
        event_id=said[1],
        body=delivery.body,
        original=Original(headers, delivery.properties),
        time=_time(death.get("time")),
        headers=delivery.headers,
        properties=delivery.properties,
        tag=delivery.tag,
    )


def _said(delivery: Delivery) -> tuple[str, str]:
    """Key and event id, as a subscriber would read them; the key under which a letter came is not the event's."""
    said = read_metadata(msgspec.structs.replace(delivery, exchange="", random_id=""))
    return said.routing_key, said.event_id


def _original(text: Any) -> Original:
    try:
        told = msgspec.json.decode(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        told = None
    if not is_mapping(told):
        return Original(cut=True)
    headers, properties = told.get("headers"), told.get("properties")
    return Original(
        headers if is_mapping(headers) else {},
        properties if is_mapping(properties) else {},
        told.get("cut") is True or not (is_mapping(headers) and is_mapping(properties)),
        _text(told.get("raw")),
    )


def _last_death(deaths: Any) -> Mapping[str, Any]:
    # RabbitMQ keeps the newest death first.
    first: Any = deaths[0] if is_list(deaths) and deaths else None
    return first if is_mapping(first) else {}


def _time(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif type(value) is int:
            value = datetime.fromtimestamp(value, UTC)
        # AMQP's own timestamps come without a zone, and are UTC.
        return None if not isinstance(value, datetime) else value if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_id(value: Any) -> bool:
    return value != "" and is_text(value)


def _is_carried(name: str, value: Any) -> bool:
    """Whether AMQP can carry a header: what is told of the original may be of anyone's making."""
    try:
        ReadyMessage(b"", {"application_headers": {name: value}})
    except Exception:  # noqa: BLE001  # py-amqp raises what it likes
        return False
    return True
