"""What the core schema of a pydantic model tells of it: nested dicts and lists, each schema of a ``type``."""

from collections.abc import Iterator, Mapping
from typing import Any

from typed_pubsub.events.shapes import is_items, is_mapping

# Kinds whose serializer refuses a float under warnings="error". Not among them is what runs code of the model's own.
_WITHOUT_FLOATS = frozenset(
    {
        *("model", "model-fields", "model-field", "default", "definitions", "definition-ref"),
        *("nullable", "none", "str", "int", "bool", "decimal", "uuid", "date", "time", "datetime", "timedelta"),
        *("enum", "literal", "union", "tagged-union", "list", "tuple", "set", "frozenset", "dict"),
    }
)


# What makes a model write another form than it reads.
_OF_WRITING = frozenset(
    {
        *("serialization", "serialization_alias", "validation_alias"),
        *("serialization_exclude", "serialization_exclude_if", "init", "init_only"),
        *("computed-field", "json", "json_schema_input_schema", "pydantic_js_annotation_functions"),
        *("ser_json_timedelta", "ser_json_temporal", "ser_json_bytes", "val_json_bytes"),
    }
)


def writes_as_it_reads(schema: Any) -> bool:
    """Whether nothing in it tells of two forms; a field that is called like one of the words counts as such, too."""
    return _OF_WRITING.isdisjoint(strings(schema))


def strings(schema: Any) -> Iterator[str]:
    """Every string in it, the names of all fields among them."""
    return (part for part in _walk(schema) if isinstance(part, str))


def holds_no_floats(schema: Any) -> bool:
    """Whether no event of the model that can be written at all has a float in it, and so neither NaN nor Infinity."""
    # extra="allow" takes fields of any kind.
    return _WITHOUT_FLOATS.issuperset(_kinds(schema)) and "allow" not in strings(schema)


def writes_endless(schema: Any) -> bool:
    """Whether Infinity or NaN may be written as a text."""
    return any("ser_json_inf_nan" in part or _takes_endless(part) for part in _walk(schema) if is_mapping(part))


def has_float_keys(schema: Any) -> bool:
    """Whether floats are names of members: Infinity and NaN, too, have such a form."""
    return any("float" in _kinds(part.get("keys_schema")) for part in _walk(schema) if is_mapping(part))


def _takes_endless(schema: Mapping[str, Any]) -> bool:
    """Whether it says so of a Decimal, or of all in a model."""
    return bool(schema.get("allow_inf_nan")) and schema.get("type") != "float"


def _kinds(schema: Any) -> Iterator[str]:
    for part in _walk(schema):
        if isinstance(part, float):
            # A member of an Enum or a Literal.
            yield "float"
        elif is_mapping(part) and isinstance(kind := part.get("type"), str):
            yield kind


def _walk(schema: Any) -> Iterator[Any]:
    """It, and all that is in it, names too."""
    # Not recursive, which is much slower: a check asks this of every event.
    parts = [schema]
    while parts:
        part = parts.pop()
        yield part
        if isinstance(part, str):
            continue
        if is_mapping(part):
            parts.extend(part)
            parts.extend(part.values())
        elif is_items(part):
            parts.extend(part)
