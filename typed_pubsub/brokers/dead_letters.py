"""Dead letters as messages: the body as it came, the reason, and nothing of the original that could act."""

from datetime import datetime
from typing import Any

import msgspec

from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.brokers.tables import as_json, as_text
from typed_pubsub.events.delivery import Delivery, Metadata
from typed_pubsub.events.message import PERSISTENT, ROUTING_KEY
from typed_pubsub.routing.decisions import DeadLetter

REASON = "x-pubsub-reason"
DETAIL = "x-pubsub-detail"
EXCHANGE = "x-pubsub-exchange"
EVENT_ID = "x-pubsub-event-id"
ATTEMPTS = "x-pubsub-attempts"
TIME = "x-pubsub-time"
ORIGINAL = "x-pubsub-original"

_MAX_DETAIL = 2_000
#: RabbitMQ closes the connection over a header frame beyond 128 KB; this leaves room to spare.
MAX_ORIGINAL = 8_192


def compose_dead_letter(
    delivery: Delivery, said: Metadata, verdict: DeadLetter, *, attempts: int, now: datetime
) -> ReadyMessage:
    """The dead letter of a delivery; docs/wire-format.md is its specification.

    A new message: original headers and properties are only told of (``x-pubsub-original``), because some of them act
    on whoever carries them (``CC``, ``BCC``, ``user_id``, ``expiration``, ``reply_to``).
    """
    detail = f"{verdict.detail}: {verdict.private}" if verdict.private else verdict.detail
    headers = {
        REASON: verdict.reason,
        DETAIL: as_text(detail[:_MAX_DETAIL]),
        ROUTING_KEY: as_text(said.routing_key),
        EXCHANGE: as_text(delivery.exchange),
        EVENT_ID: as_text(said.event_id),
        ATTEMPTS: attempts,
        TIME: now.isoformat(),
        ORIGINAL: describe_original(delivery),
    }
    properties: dict[str, Any] = {"delivery_mode": PERSISTENT, "application_headers": headers}
    content_type = delivery.properties.get("content_type")
    if isinstance(content_type, str):
        properties["content_type"] = content_type
    if len(said.event_id.encode(errors="replace")) <= 255:  # noqa: PLR2004  # an AMQP short string
        properties["message_id"] = as_text(said.event_id)
    return ReadyMessage(delivery.body, properties)


def describe_original(delivery: Delivery) -> str:
    """Headers and properties as one JSON object of at most 8 KB; what does not fit is shortened, then left out.

    ``{"headers": {...}, "properties": {...}}``, with ``"raw"`` (base64 of the bytes) where they could not be read, and
    ``"cut": true`` where something is missing.
    """
    whole: dict[str, Any] = {"headers": as_json(delivery.headers), "properties": as_json(delivery.properties)}
    if delivery.raw_properties:
        whole["raw"] = as_json({"raw": delivery.raw_properties})["raw"]
    text = msgspec.json.encode(whole)
    if len(text) <= MAX_ORIGINAL:
        return text.decode()
    kept: dict[str, Any] = {"headers": {}, "properties": {}, "cut": True}
    if delivery.raw_properties:
        kept["raw"] = whole["raw"][: MAX_ORIGINAL // 2]
    room = MAX_ORIGINAL - len(msgspec.json.encode(kept))
    # Properties and the short headers first: they say most for their size.
    entries = [
        (part, name, _shortened(value)) for part in ("headers", "properties") for name, value in whole[part].items()
    ]
    for part, name, value in sorted(entries, key=lambda entry: (entry[0] == "headers", len(str(entry[2])))):
        room -= len(msgspec.json.encode({name: value})) + 1
        if room < 0:
            break
        kept[part][name] = value
    return msgspec.json.encode(kept).decode()


def _shortened(value: Any) -> Any:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return value if len(text) <= 256 else f"{text[:256]}..."  # noqa: PLR2004  # enough to recognise it by
