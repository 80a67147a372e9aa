"""An event and its routing key as one: the words of a key template are fields of the event.

Writing fills the template from the event; reading takes a field that the body lacks from the key, and where both have
it they must agree.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Any

import msgspec

from typed_pubsub.errors import DefinitionError, EventError
from typed_pubsub.events.codec import BodyError, read_json
from typed_pubsub.events.registry import EventMeta, EventType, Placeholder, meta_of
from typed_pubsub.events.values import changes, non_finite


def write_event(event: EventType) -> tuple[str, bytes]:
    """The routing key and the body of ``event``, checked by reading them back.

    Raises:
        DefinitionError: the object is no event, or its class is abstract.
        EventError: a field is no word of the routing key, a value has no JSON form (NaN, Infinity), is not of its
            field's type (a subclass's has more members), or the model would not accept what it writes.
    """
    if isinstance(event, type):
        msg = f"expected an event, got the class {event.__qualname__} itself"
        raise DefinitionError(msg)
    meta = meta_of(type(event))
    template = meta.key.text
    try:
        key = meta.key.fill(key_words(meta, event)) if meta.key.fields else template
    except ValueError as error:
        raise EventError(template, str(error)) from error
    try:
        body = meta.codec.write(event)
    except (ValueError, TypeError, RecursionError) as error:
        raise EventError(key, f"$: expected an event that has a JSON form, got {error}") from error
    try:
        back = read_event(meta, key, body)
    except BodyError as error:
        msg = f"{error}: the model does not accept what it writes itself"
        raise EventError(key, msg) from error
    if meta.codec.is_suspect(body):
        _refuse_non_finite(key, meta.codec.plain(event))
    if not meta.codec.exact and back != event:
        # Lists for tuples are fine; null for NaN is not, and NaN equals nothing.
        _refuse_non_finite(key, meta.codec.plain(event))
        for name in sorted(meta.codec.unread):
            problem = "written under a name that the model does not read: its alias must hold for both ways"
            raise EventError(key, f"$.{name}: {problem}")
    if (again := meta.codec.rewritten(back, body)) != body:
        for path in changes(read_json(body), read_json(again)):
            problem = "expected a value of its field's type, got one with other members, or of another form"
            raise EventError(key, f"{path}: {problem}")
    return key, body


def read_event(meta: EventMeta, routing_key: str, body: bytes) -> Any:
    """The event in ``body``, which came under ``routing_key``.

    Raises:
        BodyError: it does not fit the model, or key and body disagree.
    """
    if not meta.key.fields:
        return meta.codec.read(body)
    words = meta.key.read(routing_key)
    event = meta.codec.read(with_words(meta, words, body))
    for name, word in words.items():
        if _word(getattr(event, name)) != word:
            msg = f"$.{name}: expected the word of the routing key, got another value"
            raise BodyError(msg, readable=True)
    return event


def with_words(meta: EventMeta, words: dict[str, str], body: bytes) -> bytes:
    """The body with the key's words, by field, put in front of it.

    Of two members of one name JSON parsers keep the last, so the body's own value wins where it has one.
    """
    text = body.lstrip(b" \t\r\n")
    if not text.startswith(b"{"):
        return body
    head = msgspec.json.encode({place.member: _json_word(place, words[place.field]) for place in meta.placeholders})
    rest = text[1:].lstrip(b" \t\r\n")
    return head[:-1] + (b"," if not rest.startswith(b"}") else b"") + rest


def key_words(meta: EventMeta, event: EventType) -> dict[str, str]:
    """The words that stand for an event's fields in its key, by field."""
    return {name: _word(getattr(event, name)) for name in meta.key.fields}


def _json_word(place: Placeholder, word: str) -> str | int:
    if not place.is_number:
        return word
    digits = word.removeprefix("-")
    return int(word) if digits.isascii() and digits.isdigit() else word


def _word(value: Any) -> str:
    if type(value) is str:
        return value
    if value is None:
        # 'None' would pass for a word of the key.
        return ""
    return str(value.value) if isinstance(value, Enum) else str(value)


def _refuse_non_finite(key: str, plain: Iterable[Any]) -> None:
    for value in plain:
        for path in non_finite(value):
            raise EventError(key, f"{path}: expected a finite number, got NaN or Infinity, which JSON does not know")
