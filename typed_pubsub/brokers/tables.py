"""Headers and properties as JSON has them, and back: only what can be put on a message again without acting on it."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pydantic_core

from typed_pubsub.events.message import MAX_ID_BYTES, PERSISTENT

_MAX_REPR = 2_000
# Properties that only tell something; all others (user_id, expiration, reply_to, priority) act on whoever carries them.
_TELLING = ("content_type", "content_encoding", "message_id", "type", "app_id", "correlation_id")
_ACTING_HEADERS = frozenset({"CC", "BCC"})
# Of brokers (x-death, x-delay, x-delivery-count) and ours of dead letters.
_BROKERS_PREFIX = "x-"
_INT64 = range(-(2**63), 2**63)


def as_json(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table in JSON's types: bytes in base64, what has no JSON form as text; never raises."""
    return {as_text(str(name)): _json(value) for name, value in table.items()}


def as_text(text: str) -> str:
    """Text that UTF-8 can carry: surrogates stand as escapes."""
    return text.encode(errors="backslashreplace").decode()


def harmless_headers(told: Mapping[str, Any]) -> dict[str, Any]:
    """The headers, of those that ``as_json`` told, that may be written again: plain values that act on nobody."""
    return {
        name: value
        for name, value in told.items()
        if _is_plain(value) and name not in _ACTING_HEADERS and not name.lower().startswith(_BROKERS_PREFIX)
    }


def harmless_properties(told: Mapping[str, Any]) -> dict[str, Any]:
    """The properties, of those that ``as_json`` told, that may be written again; the message is persistent."""
    kept: dict[str, Any] = {name: told[name] for name in _TELLING if is_short(told.get(name))}
    timestamp = told.get("timestamp")
    if type(timestamp) is int and 0 <= timestamp < 2**64:
        kept["timestamp"] = timestamp
    return {**kept, "delivery_mode": PERSISTENT}


def is_short(value: Any) -> bool:
    """Whether a property can be this text: AMQP carries 255 bytes of it, and an empty one counts as absent."""
    try:
        return isinstance(value, str) and 0 < len(value.encode()) <= MAX_ID_BYTES
    except UnicodeEncodeError:
        return False


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | bool | float) or (isinstance(value, int) and value in _INT64)


def _json(value: Any) -> Any:
    try:
        text = pydantic_core.to_json(value, fallback=repr, bytes_mode="base64", inf_nan_mode="strings")
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        pass
    try:
        return as_text(repr(value)[:_MAX_REPR])
    except RecursionError:
        return f"({type(value).__name__}, nested too deep)"
