"""Bodies of the replaced library: kombu's ``json`` serializer wraps what JSON lacks as ``__type__``/``__value__``.

Undone here by our own code, for kombu's built-in tags and no other: kombu's own reader also revives whatever types the
process has registered. Only messages without CloudEvents headers are ever looked at.
"""

import base64
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from typed_pubsub.events.codec import BodyError, read_json
from typed_pubsub.events.shapes import is_list, is_mapping

_REVIVE: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": lambda text: datetime.fromisoformat(text).date(),
    "time": time.fromisoformat,
    "decimal": Decimal,
    "uuid": lambda value: uuid.UUID(hex=value["hex"]),
    "bytes": lambda text: text.encode(),
    "base64": base64.b64decode,
}
_TAGS = {"__type__", "__value__"}
_LONGEST_NAME = 64
# As deep as pydantic's own parser goes; how deep Python would depends on its version.
_DEEPEST = 200
_LONGEST_PATH = 200


def revive(body: bytes) -> Any:
    """The body with every tag replaced by its Python value, as kombu would have given it to a row's callables.

    Raises:
        BodyError: the body is no JSON, or a tag holds what is no value of its type.
    """
    return _walked(body, lambda revived: revived) if b"__type__" in body else read_json(body)


def plain(body: bytes) -> bytes:
    """The body with every tag replaced by plain JSON, for a model to read.

    Raises:
        BodyError: as ``revive``.
    """
    if b"__type__" not in body:
        return body
    return msgspec.json.encode(_walked(body, _to_plain))


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        # As pydantic writes bytes; what is no text has no JSON form but base64.
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return str(value)


def _walked(body: bytes, finish: Callable[[Any], Any]) -> Any:
    return _walk(read_json(body), "$", finish, 0)


def _walk(value: Any, path: str, finish: Callable[[Any], Any], depth: int) -> Any:
    if depth > _DEEPEST:
        msg = "expected JSON: nested too deep"
        raise BodyError(msg, readable=False)
    if is_list(value):
        return [_walk(item, f"{path}[{index}]", finish, depth + 1) for index, item in enumerate(value)]
    if not is_mapping(value):
        return value
    if set(value) == _TAGS:
        return finish(_revived(value, path))
    return {name: _walk(item, f"{path}{_step(name)}", finish, depth + 1) for name, item in value.items()}


def _step(name: str) -> str:
    # Of a key that is no name it is not known whether it may be logged: it may be data.
    return f".{name}" if name.isidentifier() and len(name) <= _LONGEST_NAME else "[...]"


def _revived(tagged: Mapping[str, Any], path: str) -> Any:
    path = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}..."
    kind = tagged["__type__"]
    reader = _REVIVE.get(kind) if isinstance(kind, str) else None
    if reader is None:
        msg = f"{path}: expected one of kombu's own types ({', '.join(sorted(_REVIVE))}), got another __type__"
        raise BodyError(msg, readable=True)
    try:
        return reader(tagged["__value__"])
    except (ValueError, TypeError, KeyError, ArithmeticError, AttributeError) as error:
        msg = f"{path}: expected a {kind}, got {type(error).__name__}"
        raise BodyError(msg, readable=True) from error
