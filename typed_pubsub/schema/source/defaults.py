"""The defaults of members as source: a schema has them as JSON."""

import base64
from collections.abc import Mapping
from typing import Any

from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.closed import is_decimal
from typed_pubsub.schema.source.annotations import Types, key_schema
from typed_pubsub.schema.source.keywords import branches, by_type, definition, schema_at
from typed_pubsub.schema.source.layout import Expression, Group, call, flat, literal, quoted, quoted_bytes
from typed_pubsub.schema.source.names import value_names
from typed_pubsub.schema.source.values import decimal, formatted

_JSON: Mapping[str, Any] = {"integer": int, "number": (int, float), "boolean": bool}


class Defaults:
    """Source of values, of the same classes as the types that ``Types`` writes."""

    def __init__(self, types: Types, definitions: Mapping[str, Mapping[str, Any]], *, struct: bool) -> None:
        """``definitions`` are the schemas that references name."""
        self._types = types
        self._definitions = definitions
        self._struct = struct
        #: Whether the last value needs a class that cannot make any yet.
        self.is_later = False

    def of(self, schema: Mapping[str, Any], value: Any, *, hashable: bool = False) -> Expression:  # noqa: PLR0911  # a case each
        """The source of ``value``, the JSON form of a value that the schema accepts.

        Raises:
            ValueError: the schema accepts no such value.
        """
        if value is None:
            return "None"
        if "$ref" in schema:
            return self._defined(definition(schema["$ref"], "$"), value, hashable=hashable)
        if "const" in schema or "enum" in schema:
            return literal(value)
        parts = schema.get("anyOf", schema.get("oneOf"))
        if is_decimal(parts):
            return decimal(self._types.imports, value)
        if parts is not None:
            return self._first([part for _, part in branches(parts, "$")], value, hashable=hashable)
        if is_list(schema.get("type")):
            return self._first(by_type(schema), value, hashable=hashable)
        return self._plain(schema, value, hashable=hashable)

    def _first(self, parts: list[Any], value: Any, *, hashable: bool) -> Expression:
        for part in parts:
            try:
                return self.of(part, value, hashable=hashable)
            except ValueError:
                continue
        raise ValueError(f"{value!r} is of none of its types")

    def _plain(self, schema: Mapping[str, Any], value: Any, *, hashable: bool) -> Expression:
        kind = schema.get("type")
        if kind is None:
            return literal(value)
        if kind == "array" and is_list(value):
            return self._array(schema, value, hashable=hashable)
        if kind == "object" and is_mapping(value):
            return self._mapping(schema, value)
        if kind == "string" and isinstance(value, str):
            return self._text(schema, value)
        if not isinstance(value, _JSON.get(kind, ())) or (isinstance(value, bool) and kind != "boolean"):
            raise ValueError(f"{value!r} is no {kind}")
        return literal(value)

    def _text(self, schema: Mapping[str, Any], value: str) -> Expression:
        form = schema.get("format")
        imports = self._types.imports
        if self._struct and form == "base64":
            return quoted_bytes(base64.b64decode(value, validate=True))
        if self._struct and form not in ("uuid", "date", "time", "date-time", "duration"):
            return quoted(value)
        if form == "binary":
            return quoted_bytes(value.encode())
        if form in ("base64", "base64url"):
            return quoted_bytes(base64.b64decode(value, altchars=b"-_" if form == "base64url" else None, validate=True))
        if form in ("uri", "regex"):
            return call(imports("pydantic.AnyUrl" if form == "uri" else "re.compile"), quoted(value))
        return formatted(imports, form, value)

    def _array(self, schema: Mapping[str, Any], values: Any, *, hashable: bool) -> Expression:
        is_set = bool(schema.get("uniqueItems"))
        inside = hashable or is_set
        prefix = [schema_at(part, "$") for part in schema.get("prefixItems", ())]
        rest = schema_at(schema.get("items", {}), "$")
        parts = [*prefix, *(rest for _ in values[len(prefix) :])]
        items = tuple(self.of(part, value, hashable=inside) for part, value in zip(parts, values, strict=False))
        if is_set:
            if items and not hashable:
                return Group("", items, "{}")
            name = self._types.imports("builtins.frozenset" if hashable else "builtins.set")
            return call(name, *([Group("", items, "[]")] if items else []))
        if prefix or hashable or schema.get("maxItems") == 0:
            return f"({', '.join(map(flat, items))}{',' if len(items) == 1 else ''})"
        return Group("", items, "[]")

    def _mapping(self, schema: Mapping[str, Any], values: Mapping[str, Any]) -> Expression:
        keys = key_schema(schema_at(schema.get("propertyNames", {}), "$"))
        value_schema = schema_at(schema.get("additionalProperties", True), "$")
        items = [(f"{flat(self._key(keys, name))}: ", self.of(value_schema, value)) for name, value in values.items()]
        return Group("", tuple(items), "{}")

    def _key(self, schema: Any, name: str) -> Expression:
        match schema.get("type"):
            case "integer":
                return repr(int(name))
            case "number":
                return repr(float(name))
            case "boolean":
                return repr(name == "true")
            case _:
                return self.of(schema, name, hashable=True)

    def _defined(self, name: str, value: Any, *, hashable: bool) -> Expression:
        schema = self._definitions[name]
        cls = self._types.place.classes[name]
        if "enum" in schema:
            return f"{cls}.{value_names(schema['enum'])[schema['enum'].index(value)]}"
        if "properties" not in schema:
            return self.of(schema, value, hashable=hashable)
        place = self._types.place
        self.is_later |= cls not in place.ready or cls in place.incomplete
        if not is_mapping(value):
            raise ValueError(f"{value!r} is no object")
        if self._struct:
            return call(f"{self._types.imports('msgspec.convert')}", literal(value), cls)
        return call(f"{cls}.model_validate", literal(value))
