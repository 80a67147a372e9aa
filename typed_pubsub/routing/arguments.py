"""Arguments of tasks in the form in which they travel.

Models, Structs, dataclasses and Enums become what ``model_dump(mode="json", by_alias=True)`` would give, which is what
``@task(pydantic=True)`` takes. UUID, datetime, date, time and Decimal stay: kombu's json gives the same type back; for
a serializer that does not, ``plain`` gives their JSON form.
"""

from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

_TYPED = (UUID, datetime, date, time, Decimal)
_PORTABLE = frozenset({str, int, float, bool, type(None), *_TYPED})
_CONTAINERS = frozenset({list, tuple, dict})


def portable(value: Any) -> Any:
    """``value`` with models, Structs, dataclasses and Enums in their JSON form, inside lists, tuples and dicts too.

    What is in this form and cannot change comes back as it is; lists and dicts are copied, since the handlers of other
    routes may change them before the task is sent.
    """
    if _is_settled(value):
        return value
    if type(value) in _CONTAINERS:
        return _inside(value, portable)
    if isinstance(value, Enum):
        return portable(value.value)
    if isinstance(value, BaseModel | msgspec.Struct) or (is_dataclass(value) and not isinstance(value, type)):
        return _json_form(value)
    return value


def plain(value: Any) -> Any:
    """``portable`` with UUID, datetime, date, time and Decimal in their JSON form too."""
    value = portable(value)
    if isinstance(value, _TYPED):
        return to_jsonable_python(value)
    return _inside(value, plain)


def _is_settled(value: Any) -> bool:
    items: Any = value
    return type(value) in _PORTABLE or (type(value) is tuple and _PORTABLE.issuperset(map(type, items)))


def _json_form(value: Any) -> Any:
    # Each kind may hold the other, which its own library does not know.
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value, str_keys=True, enc_hook=_json_form)
    return to_jsonable_python(value, by_alias=True, fallback=_struct_form)


def _struct_form(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _json_form(value)
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)


def _inside(value: Any, convert: Callable[[Any], Any]) -> Any:
    # Exact types only: a named tuple or a dict of a kind of its own is the serializer's to judge.
    items: Any = value
    if type(value) is list:
        return [convert(item) for item in items]
    if type(value) is tuple:
        return tuple(convert(item) for item in items)
    if type(value) is dict:
        return {convert(name): convert(item) for name, item in items.items()}
    return value
