"""Whether one value is what a schema says: for readers of which only the schema is at hand."""

import json
import math
from typing import Any

from typed_pubsub.events.shapes import is_mapping
from typed_pubsub.schema.formats import fits_decimal, fits_format
from typed_pubsub.schema.scalars import number_misfits, same, type_of, value_misfits
from typed_pubsub.schema.unions import UNKNOWN, Schema, Side, but
from typed_pubsub.schema.vocabulary import ENGINE, EXACT, KEY_TYPE, LIMITS, READ_AS, STEPS

# How near to a multiple pydantic wants a float to be.
_NEAR = 1e-9


def fits(schema: Schema, value: Any) -> bool:
    """Whether a reader with this schema accepts ``value``, its own validators (``x-validators``) aside."""
    return _Reader(schema).accepts(schema, value)


class _Reader:
    def __init__(self, root: Schema) -> None:
        self._side = Side(root)

    def accepts(self, schema: Any, value: Any) -> bool:
        return any(self._fits(one, value) for one in self._side.alternatives(schema))

    def _fits(self, schema: Schema, value: Any) -> bool:
        if UNKNOWN in schema:
            return False
        if "const" in schema:
            return same(value, schema["const"])
        kind = type_of(value)
        if kind != schema["type"] and (kind, schema["type"]) != ("integer", "number"):
            return False
        if kind in ("array", "object"):
            return self._fits_array(value, schema) if kind == "array" else self._fits_object(value, schema)
        if kind == "string":
            return _fits_text(value, schema)
        return kind == "null" or _fits_number(value, schema)

    def _fits_array(self, items: list[Any], schema: Schema) -> bool:
        if not _counts(len(items), schema, "minItems", "maxItems"):
            return False
        if schema.get("uniqueItems") and len({json.dumps(item, sort_keys=True) for item in items}) < len(items):
            return False
        fixed: list[Any] = [*schema.get("prefixItems", ())]
        rest = schema.get("items", True)
        return all(self.accepts(fixed[index] if index < len(fixed) else rest, item) for index, item in enumerate(items))

    def _fits_object(self, members: dict[str, Any], schema: Schema) -> bool:
        if not _counts(len(members), schema, "minProperties", "maxProperties"):
            return False
        read: set[str] = set()
        for name, wanted in schema.get("properties", {}).items():
            found = _found(members, name, wanted)
            read |= found.keys()
            if not found and name in schema.get("required", ()):
                return False
            if not all(self.accepts(but(wanted, READ_AS), value) for value in found.values()):
                return False
        names = schema.get("propertyNames", True)
        if not all(self._is_named(names, name) for name in members):
            return False
        rest = schema.get("additionalProperties", True)
        return all(self.accepts(rest, value) for name, value in members.items() if name not in read)

    def _is_named(self, names: Any, name: str) -> bool:
        kind = names.get(KEY_TYPE) if is_mapping(names) else None
        if not isinstance(kind, str):
            # Of a union of keys nothing is known.
            return kind is not None or self.accepts(names, name)
        try:
            return type_of(json.loads(name)) in (kind, "integer" if kind == "number" else kind)
        except ValueError:
            return False


def _found(members: dict[str, Any], name: str, wanted: Any) -> dict[str, Any]:
    """Where a reader finds a field: the member's name, or the path's first, with the value."""
    for one in wanted.get(READ_AS, [name]) if is_mapping(wanted) else [name]:
        root, *steps = [one] if isinstance(one, str) else one
        if root not in members:
            continue
        value: Any = members[root]
        try:
            for step in steps:
                value = value[step]
        except (LookupError, TypeError):
            continue
        return {root: value}
    return {}


def _fits_number(value: Any, schema: Schema) -> bool:
    if LIMITS in schema and not fits_decimal(value, schema):
        return False
    step = schema.get("multipleOf")
    if step is not None and not _is_multiple(value, step, schema):
        return False
    bare = {key: one for key, one in schema.items() if key not in ("multipleOf", LIMITS)}
    given = {"type": "integer" if isinstance(value, int) else "number", "minimum": value, "maximum": value}
    return next(number_misfits(given, bare), None) is None


def _is_multiple(value: Any, step: Any, schema: Schema) -> bool:
    if schema["type"] == "integer":
        return bool(value % step == 0)
    if schema.get(LIMITS, {}).get(STEPS) == EXACT:
        return math.fmod(value, step) == 0
    return bool(abs(float(value) - float(round(value / step)) * step) <= _NEAR)


def _fits_text(value: str, schema: Schema) -> bool:
    limits = schema.get(LIMITS, {})
    given = value.strip() if limits.get("strip_whitespace") else value
    bare = {key: one for key, one in schema.items() if key in ("type", "minLength", "maxLength", "pattern")}
    if ENGINE in limits:
        bare[LIMITS] = {ENGINE: limits[ENGINE]}
    if limits.get("ascii_only") and not given.isascii():
        return False
    return next(value_misfits(given, bare), None) is None and fits_format(given, schema)


def _counts(count: int, schema: Schema, least: str, most: str) -> bool:
    return bool(schema.get(least, 0) <= count <= schema.get(most, count))
