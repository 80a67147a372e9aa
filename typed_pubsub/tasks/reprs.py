"""The texts of arguments in the headers of tasks, as ``celery.utils.saferepr`` writes them, in less time."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from celery.utils.saferepr import saferepr

# Of exactly these types saferepr writes what repr does.
_AS_REPR = frozenset({bool, int, float, type(None), Decimal, UUID, datetime, date, time})
_SEQUENCES = frozenset({list, tuple})
# Containers within containers; saferepr's default shows as many. What holds itself is deeper than any number.
_LEVELS = 3


def argument_text(value: Any, maxlen: Any, maxlevels: Any) -> str:
    """``saferepr(value, maxlen, maxlevels=maxlevels)``."""
    if _is_usual(maxlen, maxlevels):
        text = _text(value, maxlen, _LEVELS)
        # Below the limit nothing is cut: each piece and what comes after it fit into what was left before it.
        if text is not None and len(text) < maxlen:
            return text
    return str(saferepr(value, maxlen, maxlevels=maxlevels))


def _is_usual(maxlen: Any, maxlevels: Any) -> bool:
    return type(maxlen) is int and (maxlevels is None or (type(maxlevels) is int and not 0 < maxlevels < _LEVELS))


def _text(value: Any, room: int, levels: int) -> str | None:
    """None for what is not simple or is too long; ``room`` only keeps this from reading on in something large."""
    items: Any = value
    if type(value) is str:
        return "'" + value.replace("'", "\\'") + "'" if len(value) < room else None
    if type(value) in _AS_REPR:
        return repr(items)
    if type(value) is dict and levels:
        return _of_dict(items, room, levels - 1)
    if type(items) in _SEQUENCES and levels:
        return _of_sequence(items, room, levels - 1)
    return None


def _of_sequence(items: "list[Any] | tuple[Any, ...]", room: int, levels: int) -> str | None:
    texts: list[str] = []
    for item in items:
        text = _text(item, room, levels)
        if text is None or (room := room - len(text) - 2) <= 0:
            return None
        texts.append(text)
    inner = ", ".join(texts)
    if isinstance(items, list):
        return f"[{inner}]"
    return f"({inner},)" if len(texts) == 1 else f"({inner})"


def _of_dict(items: dict[Any, Any], room: int, levels: int) -> str | None:
    texts: list[str] = []
    for name, item in items.items():
        key = _text(name, room, 0)
        text = _text(item, room, levels)
        if key is None or text is None or (room := room - len(key) - len(text) - 4) <= 0:
            return None
        texts.append(f"{key}: {text}")
    return f"{{{', '.join(texts)}}}"
