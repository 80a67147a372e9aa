"""What a value of unknown type is, in a form that both type checkers understand."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeGuard


def is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether it is a JSON object, or a table of AMQP headers."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether it is a JSON array as a parser gives it."""
    return isinstance(value, list | tuple)


def is_items(value: object) -> TypeGuard[Collection[Any]]:
    """Whether it is what a serializer writes as a JSON array."""
    return isinstance(value, list | tuple | set | frozenset)
