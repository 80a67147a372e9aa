"""Whether a text is of a format, within its limits, as pydantic reads it."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    UUID1,
    UUID3,
    UUID4,
    UUID5,
    AnyUrl,
    AwareDatetime,
    Field,
    IPvAnyAddress,
    NaiveDatetime,
    TypeAdapter,
    UrlConstraints,
    ValidationError,
)

from typed_pubsub.schema.vocabulary import LIMITS, NAIVE

#: What the texts of a format are in Python.
TYPES: dict[str, Any] = {
    "uuid": UUID,
    "uuid1": UUID1,
    "uuid3": UUID3,
    "uuid4": UUID4,
    "uuid5": UUID5,
    "date": date,
    "time": time,
    "date-time": datetime,
    "duration": timedelta,
    "decimal": Decimal,
    "uri": AnyUrl,
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "ipvanyaddress": IPvAnyAddress,
}
_MOMENTS: dict[Any, Any] = {None: AwareDatetime, True: datetime, "only": NaiveDatetime}
_BYTES: dict[str, Callable[[str], bytes]] = {
    "binary": str.encode,
    "base64": lambda text: base64.b64decode(text, validate=True),
    "base64url": lambda text: base64.b64decode(text, altchars=b"-_", validate=True),
    "hex": bytes.fromhex,
}
# Letters of so many bytes, at most.
_LETTERS: dict[str, Callable[[int], int]] = {
    "binary": lambda count: count,
    "hex": lambda count: 2 * count,
    **dict.fromkeys(("base64", "base64url"), lambda count: (count + 2) // 3 * 4),
}
# Years and months of a duration.
_CALENDAR = re.compile(r"[+-]?P[^T]*[YM]")
_FIELD = ("ge", "gt", "le", "lt", "multiple_of", "max_digits", "decimal_places")


def fits_decimal(value: float, schema: Mapping[str, Any]) -> bool:
    """Whether a number is within the limits of a Decimal."""
    return _reads(Decimal, schema.get(LIMITS, {}), value)


def fits_format(text: str, schema: Mapping[str, Any]) -> bool:
    """Whether ``text`` is of the schema's ``format`` and within its ``x-limits``; an unknown format has any text.

    Limits that depend on the time of day (``now_op``) are not looked at.
    """
    form = schema.get("format")
    limits: Mapping[str, Any] = schema.get(LIMITS, {})
    if form in _BYTES:
        return _fits_bytes(text, _BYTES[form], limits)
    if form not in TYPES:
        return True
    if form == "time" and schema.get(NAIVE) is not True:
        return _is_aware(text) is (schema.get(NAIVE) is None)
    if limits.get("longest_unit") == "day" and _CALENDAR.match(text):
        return False
    kind = _MOMENTS[schema.get(NAIVE)] if form == "date-time" else TYPES[form]
    return _reads(kind, limits, text)


def bounds(form: str | None, limits: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of a format's values as pydantic's ``Field`` takes them."""
    if form not in TYPES:
        return {}
    reader = _plain(TYPES[form])
    texts = ("ge", "gt", "le", "lt", "multiple_of")
    found = {name: limits[name] for name in _FIELD if name in limits}
    return {name: reader.validate_python(value) if name in texts else value for name, value in found.items()}


def _reads(kind: Any, limits: Mapping[str, Any], value: str | float) -> bool:
    try:
        # Strict, or a date may be a number in a text.
        _adapter(kind, json.dumps(limits, sort_keys=True)).validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=100)
def _plain(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@lru_cache(maxsize=1000)
def _adapter(kind: Any, limits_json: str) -> TypeAdapter[Any]:
    limits = json.loads(limits_json)
    form = next((name for name, one in TYPES.items() if one is kind), "date-time")
    if (schemes := limits.get("allowed_schemes")) is not None:
        return _limited(kind, UrlConstraints(allowed_schemes=schemes))
    found = bounds(form, limits)
    return _limited(kind, Field(**found)) if found else _plain(kind)


def _limited(kind: Any, limits: Any) -> TypeAdapter[Any]:
    limited: Any = Annotated[kind, limits]  # pyright: ignore[reportInvalidTypeForm]  # made at run time
    return TypeAdapter[Any](limited)


def most_letters(schema: Mapping[str, Any]) -> int | None:
    """How many letters a text of the schema may have; None: nothing says so."""
    size, letters = schema.get(LIMITS, {}).get("max_bytes"), _LETTERS.get(schema.get("format", ""))
    most: int | None = schema.get("maxLength") if size is None or letters is None else letters(size)
    return most


def _fits_bytes(text: str, decode: Callable[[str], bytes], limits: Mapping[str, Any]) -> bool:
    try:
        size = len(decode(text))
    except (ValueError, binascii.Error):
        return False
    most = limits.get("max_bytes")
    return limits.get("min_bytes", 0) <= size and (most is None or size <= most)


def _is_aware(text: str) -> bool | None:
    try:
        found = TypeAdapter(time).validate_json(json.dumps(text), strict=True)
    except ValidationError:
        return None
    return found.tzinfo is not None
