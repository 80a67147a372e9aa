"""What a writer writes, from what a reader accepts: the closed form of a schema.

Schemas of readers are open: unknown members are ignored, and those with a default may be missing. A publisher writes
every member of its model and no other. Holding one against the other is what tells whether they can talk.
"""

from collections.abc import Mapping
from typing import Any

from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.vocabulary import KEY_TYPE, LIMITS, MAY_OMIT, NOTES, READ_AS, VALIDATORS, WRITES

# Members of these are schemas by name; whatever else is a mapping is a schema itself, or no schema at all.
_BY_NAME = frozenset({"properties", "$defs"})
_NO_SCHEMAS = frozenset({"const", "enum", "default", "examples", "discriminator", LIMITS, READ_AS, KEY_TYPE})


def written(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of what a publisher with this schema writes."""
    own = schema.get(WRITES)
    return dict(own) if own is not None else close(schema)


def close(schema: Any) -> Any:
    """The schema with all members required, no others allowed, and of each value only the form that is written."""
    if is_list(schema):
        return [close(part) for at, part in enumerate(schema) if not is_decimal(schema[at : at + 2])]
    if not is_mapping(schema):
        return schema
    if (decimal := decimal_text(schema)) is not None:
        return decimal
    closed: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _BY_NAME:
            closed[name] = {key: close(part) for key, part in value.items()}
        elif name in _NO_SCHEMAS:
            closed[name] = value
        else:
            closed[name] = close(value)
    closed.pop(READ_AS, None)
    if "prefixItems" in closed and "items" not in closed:
        # Of a tuple, a NamedTuple, or a Struct that is an array, every item is written.
        closed["minItems"] = closed["maxItems"] = len(closed["prefixItems"])
    if "properties" in closed:
        omitted = closed.get(MAY_OMIT, ())
        closed["required"] = sorted(name for name in closed["properties"] if name not in omitted)
        closed.setdefault("additionalProperties", False)
    return closed


def decimal_text(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of a Decimal, read as number or text, the text that is written; None for any other schema."""
    match schema:
        case {"anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"} as text]}:
            rest = {name: value for name, value in schema.items() if name in (LIMITS, VALIDATORS) or name in NOTES}
            return {**text, **rest}
        case _:
            return None


def is_decimal(parts: Any) -> bool:
    """Whether the parts of an ``anyOf`` are those of a Decimal: a number, or a text; pydantic has them among others."""
    match parts:
        case [{"type": "number", **number}, {"type": "string", "format": "decimal", **text}]:
            return not number and not text
        case _:
            return False


def without_notes(schema: Any) -> Any:
    """The schema without what is only said to people: two that are equal then accept and write the same."""
    if is_list(schema):
        return [without_notes(part) for part in schema]
    if not is_mapping(schema):
        return schema
    bare: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _BY_NAME:
            bare[name] = {key: without_notes(part) for key, part in value.items()}
        elif name in _NO_SCHEMAS:
            if name not in NOTES:
                bare[name] = value
        elif name == "required":
            bare[name] = sorted(value)
        elif name not in NOTES:
            bare[name] = without_notes(value)
    if not bare.get("required", True):
        del bare["required"]
    return bare
