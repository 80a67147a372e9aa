"""JSON Schema (2020-12) of event classes, the same shape for pydantic and msgspec. Pure: files are written elsewhere.

A schema says what a reader of the event accepts, by the names that stand in the body. Beside the standard's keywords
it has those of the events: ``x-routing-key`` and ``x-version`` at its top, ``x-read-as`` where a field is read under
several names, ``x-max-digits`` and ``x-decimal-places`` of a Decimal. Titles other than the event's own are left out:
they only repeat names.
"""

import json
from typing import Any, cast

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from typed_pubsub.events import EventClass, EventMeta
from typed_pubsub.events.registry import meta_of
from typed_pubsub.events.shapes import is_list, is_mapping

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/"
_JSON_TYPES: dict[type, str] = {str: "string", int: "integer", bool: "boolean"}


def schema_of(event: EventClass) -> dict[str, Any]:
    """The JSON Schema of an event class.

    Raises:
        DefinitionError: the class is abstract, or a forward reference of it stays open.
    """
    meta = meta_of(event)
    meta.codec.prepare()
    cls: Any = event
    if issubclass(cls, BaseModel):
        schema = cls.model_json_schema(schema_generator=_GenerateSchema)
    else:
        schema = msgspec.json.schema(cls)
        _give_enums_their_type(schema)
    schema = _with_definition_at_top(schema)
    for definition in schema.get("$defs", {}).values():
        definition.pop("title", None)
    return schema | {
        "$schema": DIALECT,
        "$id": meta.data_schema,
        "title": event.__name__,
        "x-routing-key": meta.key.text,
        "x-version": meta.version,
    }


def canonical(schema: dict[str, Any]) -> str:
    """The one text of a schema: keys sorted, two spaces, a newline at the end."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def path_of(meta: EventMeta) -> str:
    """Where the schema of an event stands in a repository: ``schemas/<template>/<version>.json``."""
    return f"schemas/{meta.key.text}/{meta.version}.json"


def _with_definition_at_top(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the event itself at its top, where msgspec (and pydantic if it is recursive) has a reference."""
    reference: str | None = schema.get("$ref")
    if reference is None:
        return schema
    name = reference.removeprefix(_REF)
    definitions: dict[str, Any] = dict(schema["$defs"])
    top: dict[str, Any] = dict(definitions[name])
    # A recursive event is referred to from within as well.
    if f'"{reference}"' not in json.dumps(definitions):
        del definitions[name]
    return top | ({"$defs": definitions} if definitions else {})


def _give_enums_their_type(schema: Any) -> None:
    """Where msgspec lists values only, as pydantic has it: the type that they share, so that one walk reads both."""
    if is_mapping(schema):
        _give_enums_their_type([*schema.values()])
        values: Any = schema.get("enum")
        if is_list(values) and "type" not in schema:
            kinds: set[type] = {type(value) for value in values}
            types = {_JSON_TYPES.get(kind) for kind in kinds}
            if len(types) == 1:
                cast("dict[str, Any]", schema)["type"] = types.pop()
    elif is_list(schema):
        for item in schema:
            _give_enums_their_type(item)


class _GenerateSchema(GenerateJsonSchema):
    """Pydantic's schemas, with what they leave out and without what is noise."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # pydantic's signature
        return False

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        # Without a format a str in the old version and a Decimal in the new one would look the same.
        found = super().decimal_schema(schema)
        for branch in found.get("anyOf", [found]):
            if branch.get("type") == "string":
                branch["format"] = "decimal"
        for name in ("max_digits", "decimal_places"):
            if schema.get(name) is not None:
                found[f"x-{name.replace('_', '-')}"] = schema.get(name)
        return found

    def model_field_schema(self, schema: core_schema.ModelField) -> JsonSchemaValue:
        found = super().model_field_schema(schema)
        alias: Any = schema.get("validation_alias")
        # AliasChoices: a list of paths, those of one step being plain names.
        names = [path[0] for path in alias if len(path) == 1] if is_list(alias) else []
        return {**found, "x-read-as": names} if len(names) > 1 else found
