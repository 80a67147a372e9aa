"""JSON Schema (2020-12) of event classes, one shape for pydantic and msgspec. Pure: files are written elsewhere."""

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import EventClass
from typed_pubsub.events.core_schema import writes_as_it_reads
from typed_pubsub.events.registry import EventMeta, meta_of, name_of
from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.closed import close, without_notes
from typed_pubsub.schema.models import model_schema
from typed_pubsub.schema.structs import struct_schema
from typed_pubsub.schema.unsayable import unsayable
from typed_pubsub.schema.vocabulary import DEFINITIONS, DEPRECATED, DIALECT, FINGERPRINT, ROUTING_KEY, VERSION, WRITES

_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
# Whole numbers below are floats, each of them.
_EXACT = 2**53


def schema_of(event: EventClass) -> dict[str, Any]:
    """The JSON Schema of an event class: what stands in its file.

    Raises:
        DefinitionError: the class is abstract, a forward reference of it stays open, a field has no JSON Schema, two
            fields are looked for under the same name first, or a value in it (of ``json_schema_extra``) is no JSON.
    """
    meta = meta_of(event)
    meta.codec.prepare()
    schema = _accepted(event)
    schema |= {
        "$schema": DIALECT,
        "$id": meta.data_schema,
        "title": event.__name__,
        ROUTING_KEY: meta.key.text,
        VERSION: meta.version,
    }
    if meta.deprecated is not None:
        schema |= {"deprecated": True, DEPRECATED: meta.deprecated}
    return {**schema, FINGERPRINT: fingerprint(schema)}


def canonical(schema: Mapping[str, Any]) -> str:
    """The one text of a schema: keys sorted, two spaces, a newline at the end."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def fingerprint(schema: Mapping[str, Any]) -> str:
    """16 hex digits that are the same for schemas that differ only in what is said to people."""
    bare = json.dumps(without_notes(schema), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(bare.encode()).hexdigest()[:16]


def path_of(meta: EventMeta) -> str:
    """Where the schema of an event stands in the directory of schemas: ``<template>/<version>.json``."""
    return f"{meta.key.text}/{meta.version}.json"


def _accepted(event: Any) -> dict[str, Any]:
    """What a reader accepts; and what is written, where it does not follow from it."""
    try:
        if not issubclass(event, BaseModel):
            return _tidy(struct_schema(event))
        schema = _tidy(model_schema(event, "validation"))
        if writes_as_it_reads(event.__pydantic_core_schema__):
            return schema
        writes: dict[str, Any] = close(_tidy(model_schema(event, "serialization")))
    except (PydanticInvalidForJsonSchema, TypeError) as error:
        raise DefinitionError(unsayable(event) or f"{name_of(event)}: {error}") from error
    return (
        schema if without_notes(writes) == without_notes(close(schema)) else {**schema, WRITES: without_notes(writes)}
    )


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    schema = _with_definition_at_top(_as_json(schema, "$"))
    for definition in schema.get("$defs", {}).values():
        definition.pop("title", None)
    return schema


def _with_definition_at_top(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the event itself at its top, where msgspec (and pydantic if it is recursive) has a reference."""
    reference: str | None = schema.get("$ref")
    if reference is None:
        return schema
    name = reference.removeprefix(DEFINITIONS)
    definitions: dict[str, Any] = dict(schema["$defs"])
    top: dict[str, Any] = dict(definitions[name])
    # A recursive event is referred to from within as well.
    if f'"{reference}"' not in json.dumps(definitions):
        del definitions[name]
    beside = {key: value for key, value in schema.items() if key not in ("$ref", "$defs")}
    return top | beside | ({"$defs": definitions} if definitions else {})


def _as_json(value: Any, path: str) -> Any:
    """With bounds in one spelling each, and without defaults that JSON does not know.

    Raises:
        TypeError: another value is no JSON.
    """
    if is_mapping(value):
        return {
            name: _bound(_as_json(one, f"{path}.{name}")) if name in _BOUNDS else _as_json(one, f"{path}.{name}")
            for name, one in value.items()
            if not _is_unsayable(name, one)
        }
    if is_list(value):
        return [_as_json(one, f"{path}[{index}]") for index, one in enumerate(value)]
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == int(value) else float(value)
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise TypeError(f"{path}: expected JSON, got {value!r}")


def _bound(value: Any) -> Any:
    # Of two types that differ only in that, typing gives whichever was made first in the process.
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value


def _is_unsayable(name: str, value: Any) -> bool:
    return name == "default" and isinstance(value, float) and not math.isfinite(value)
