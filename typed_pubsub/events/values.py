"""What is wrong with the values of an event that is to be published: where they are no JSON, or not of their types."""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from typed_pubsub.events.shapes import is_items, is_list, is_mapping


def says_endless(body: bytes) -> bool:
    """Whether a Decimal, or a float as a text, may be no number in it: other texts have these words, too."""
    # Looking for one letter first costs next to nothing.
    return (body.find(b"N") >= 0 and b"NaN" in body) or (body.find(b"I") >= 0 and b"Infinity" in body)


def non_finite(value: Any, path: str = "$") -> Iterator[str]:
    """Where NaN and Infinity are in it, among keys, too."""
    if _is_non_finite(value):
        yield path
    elif is_mapping(value):
        for name, item in value.items():
            if _is_non_finite(name):
                yield f"{path}.{name}"
            yield from non_finite(item, f"{path}.{name}")
    elif is_items(value):
        for index, item in enumerate(value):
            yield from non_finite(item, f"{path}[{index}]")


def changes(written: Any, again: Any, path: str = "$") -> Iterator[str]:
    """Where one JSON value differs from the other, whole numbers from others and the order of items aside."""
    if is_mapping(written) and is_mapping(again):
        one, other = ({_key(name): item for name, item in side.items()} for side in (written, again))
        for name in [*one, *(other.keys() - one.keys())]:
            if name in one and name in other:
                yield from changes(one[name], other[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif is_list(written) and is_list(again) and len(written) == len(again):
        # Of a set the order is nobody's.
        if any(_item_changes(_in_order(written), _in_order(again), path)):
            yield from _item_changes(written, again, path)
    elif not (_is_number(written) and _is_number(again)) and (type(written), written) != (type(again), again):
        yield path


def _item_changes(written: Sequence[Any], again: Sequence[Any], path: str) -> Iterator[str]:
    for index, (one, other) in enumerate(zip(written, again, strict=True)):
        yield from changes(one, other, f"{path}[{index}]")


def _in_order(items: Sequence[Any]) -> list[Any]:
    return sorted(items, key=msgspec.json.encode)


def _key(name: str) -> str:
    """The name of a member, a whole number as any other."""
    try:
        return str(float(name))
    except ValueError:
        return name


def _is_non_finite(value: Any) -> bool:
    return (isinstance(value, float) and not math.isfinite(value)) or (
        isinstance(value, Decimal) and not value.is_finite()
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
