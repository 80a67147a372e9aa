"""Types that a mapping may have for its keys in Python, and that are not read from the names of members in JSON."""

from collections.abc import Mapping
from enum import Enum, Flag
from typing import Any

import msgspec.inspect as mi

_READ_BY_MSGSPEC = (
    *(mi.AnyType, mi.StrType, mi.IntType, mi.FloatType, mi.DecimalType, mi.BytesType, mi.UUIDType),
    *(mi.DateType, mi.TimeType, mi.DateTimeType, mi.TimeDeltaType, mi.EnumType, mi.LiteralType),
)


def unread_by_msgspec(kind: mi.Type) -> str | None:
    """What msgspec reads no key as, if there is such a type in it."""
    if isinstance(kind, mi.Metadata):
        return unread_by_msgspec(kind.type)
    if isinstance(kind, mi.UnionType):
        return next((unread for part in kind.types if (unread := unread_by_msgspec(part)) is not None), None)
    return None if isinstance(kind, _READ_BY_MSGSPEC) else type(kind).__name__.removesuffix("Type").lower()


def read_by_pydantic(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """The core schema of keys without the values of a Literal that are numbers.

    pydantic takes the text of a number for an int, and for a member of an IntEnum, but for no other.

    Raises:
        TypeError: nothing is left, or an Enum has others than texts.
    """
    match keys:
        case {"type": "literal", "expected": expected} if any(_is_number(value) for value in expected):
            texts = [value for value in expected if not _is_number(value)]
            if not texts:
                raise TypeError("pydantic reads no key of an object as a Literal of numbers: make it int or str")
            return {**keys, "expected": texts}
        case {"type": "enum", "cls": cls, "members": members}:
            is_read = issubclass(cls, int) or not any(_is_number(member) for member in members)
            if not is_read or issubclass(cls, Flag):
                raise TypeError(f"pydantic reads no key of an object as {cls.__qualname__}: make it int or str")
            return keys
        case _:
            return keys


def _is_number(value: Any) -> bool:
    held = value.value if isinstance(value, Enum) else value
    return isinstance(held, int | float) and not isinstance(held, bool)
