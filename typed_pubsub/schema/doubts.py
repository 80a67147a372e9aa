"""What a schema says is no break, and may still be refused one day, or elsewhere: ``schema check`` warns of it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.vocabulary import LIMITS, NAIVE, VALIDATORS

Doubt: TypeAlias = Literal["naive", "local"]

#: The rule of each, for ``ignore.toml``.
DOUBTED: Final[Mapping[Doubt, str]] = {"naive": "may-be-naive", "local": "may-be-refused"}

_NO_STEPS = frozenset({"properties", "anyOf", "oneOf", "$defs", "items", "prefixItems", "additionalProperties"})
_OF_THE_MACHINE = frozenset({"file-path", "directory-path", "zoneinfo"})
_VALIDATORS_OF_THE_MACHINE = frozenset({"PathType.validate_new", "PathType.validate_socket", "import_string"})
_NAIVE = "a datetime may have no offset from UTC: AwareDatetime, or Meta(tz=True), makes sure of one"
_LOCAL = "a reader's {} decides whether it is accepted: an event may wait in a queue, or be read elsewhere"


def doubts(schema: Any, path: str = "$") -> Iterator[tuple[Doubt, str, str]]:
    """The kind of each doubt, its path, and a sentence."""
    if is_list(schema):
        for part in schema:
            yield from doubts(part, path)
    if not is_mapping(schema):
        return
    if schema.get("format") == "date-time" and schema.get(NAIVE) is True:
        yield "naive", path, _NAIVE
    if (judge := _judge(schema)) is not None:
        yield "local", path, _LOCAL.format(judge)
    for name, part in schema.items():
        # Keywords that hold schemas by name, or next to one another, are no step of a path.
        yield from doubts(part, path if name in _NO_STEPS else f"{path}.{name}")


def _judge(schema: Mapping[str, Any]) -> str | None:
    """What on the reader's side has a say, beside the schema."""
    limits, own = schema.get(LIMITS), schema.get(VALIDATORS)
    if is_mapping(limits) and "now_op" in limits:
        return "clock"
    is_local = schema.get("format") in _OF_THE_MACHINE or (
        is_list(own) and not _VALIDATORS_OF_THE_MACHINE.isdisjoint(own)
    )
    return "machine" if is_local else None
