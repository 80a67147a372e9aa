"""Reading one schema keyword by keyword, so that none is passed over in silence."""

from collections.abc import Iterator, Mapping
from typing import Any

from typed_pubsub.errors import SchemaError
from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.closed import is_decimal
from typed_pubsub.schema.source.problems import Problems
from typed_pubsub.schema.vocabulary import DEFINITIONS, LIMITS, MEANT, NOTES, READ_AS

#: What is said to people about a value, and what others than this library say.
_TOLD = frozenset({"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"})
_ORDER = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
_BY_TYPE = {
    "string": ("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType", "contentSchema"),
    "integer": tuple(_ORDER),
    "number": tuple(_ORDER),
    "array": ("minItems", "maxItems", "uniqueItems", "items", "prefixItems"),
    "object": ("additionalProperties", "propertyNames", "minProperties", "maxProperties"),
}
_OWN = MEANT | NOTES
_NO_SCHEMAS = frozenset({"const", "enum", "default", "examples", "discriminator", LIMITS, READ_AS})


class Keywords:
    """The keywords of a schema that are yet to be read; what is left at the end is an error."""

    def __init__(self, schema: Mapping[str, Any], path: str) -> None:
        """``path`` is where the schema stands, for errors."""
        self._left = dict(schema)
        self.path = path
        self.limits: dict[str, Any] = dict(self._left.get(LIMITS, {}))

    def __contains__(self, name: str) -> bool:
        """Whether the schema still has this keyword."""
        return name in self._left

    def take(self, name: str, default: Any = None) -> Any:
        """The keyword's value, which counts as read."""
        return self._left.pop(name, default)

    def peek(self, name: str) -> Any:
        """The keyword's value, None if it is not there."""
        return self._left.get(name)

    def named(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Those of the keywords that are there, under the names that Python has for them."""
        return {to: self.take(name) for name, to in names.items() if name in self._left}

    def take_limits(self, *names: str) -> dict[str, Any]:
        """Those of the limits that are there, which count as read."""
        return {name: self.limits.pop(name) for name in names if name in self.limits}

    def bounds(self) -> dict[str, Any]:
        """The bounds of a number: ``{"ge": 0}``."""
        return self.named(_ORDER)

    def done(self) -> None:
        """Raises SchemaError for all keywords that nobody read."""
        problems = Problems()
        self._left.pop(LIMITS, None)
        if self.limits:
            names = ", ".join(sorted(self.limits))
            problems.add(self.error(f"expected limits that a class of this kind can have, got {names}"))
        for name in sorted(self._left):
            told = "expected a keyword of the vocabulary in its place, got this one"
            problems.add(SchemaError(f"{self.path}.{name}", told))
        problems.end()

    def error(self, problem: str) -> SchemaError:
        """The error that this schema is."""
        return SchemaError(self.path, problem)


def told(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What changes nothing about the values accepted: notes, and the keywords of others (``x-unit``)."""
    return {name: value for name, value in schema.items() if name in _TOLD or is_foreign(name)}


def bare(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The rest of it."""
    return {name: value for name, value in schema.items() if name not in _TOLD and not is_foreign(name)}


def is_foreign(name: str) -> bool:
    """Whether the keyword is one that others use: it begins with ``x-`` and is none of the vocabulary's."""
    return name.startswith("x-") and name not in _OWN


def by_type(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A schema with several types as one for each, in their order."""
    every = {name for names in _BY_TYPE.values() for name in names}
    shared = {name: value for name, value in schema.items() if name not in every and name != "type"}
    return [
        {**shared, "type": kind, **{name: schema[name] for name in _BY_TYPE.get(kind, ()) if name in schema}}
        for kind in schema["type"]
    ]


def schema_at(schema: Any, path: str) -> Mapping[str, Any]:
    """The schema, if it is an object; ``true`` is the empty one.

    Raises:
        SchemaError: it is something else.
    """
    if schema is True:
        return {}
    if not is_mapping(schema):
        raise SchemaError(path, f"expected a schema, got {schema!r}")
    return schema


def branches(parts: Any, path: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The schemas of ``anyOf``, ``oneOf`` or ``prefixItems`` with their paths, a Decimal's two as one.

    Raises:
        SchemaError: it is no list of schemas, or an empty one.
    """
    if not is_list(parts) or not parts:
        raise SchemaError(path, f"expected a list of schemas, got {parts!r}")
    found = [(f"{path}[{at}]", schema_at(part, f"{path}[{at}]")) for at, part in enumerate(parts)]
    joined: list[tuple[str, Mapping[str, Any]]] = []
    for where, part in found:
        # pydantic makes one flat list of a Decimal that may be null.
        if joined and is_decimal([joined[-1][1], part]):
            joined[-1] = (joined[-1][0], {"anyOf": [joined[-1][1], part]})
        else:
            joined.append((where, part))
    return joined


def definition(reference: Any, path: str) -> str:
    """The name in ``#/$defs/name``.

    Raises:
        SchemaError: the reference is another.
    """
    if not isinstance(reference, str) or not reference.startswith(DEFINITIONS):
        raise SchemaError(f"{path}.$ref", f"expected '{DEFINITIONS}<name>', got {reference!r}")
    return reference.removeprefix(DEFINITIONS)


def parts_of(schema: Any) -> Iterator[Mapping[str, Any]]:
    """A schema, or the schemas of a list, and all schemas in them, in their order."""
    if is_list(schema):
        for part in schema:
            yield from parts_of(part)
    elif is_mapping(schema):
        yield schema
        for name, value in schema.items():
            if name in ("properties", "$defs"):
                yield from parts_of(list(value.values()))
            elif name not in _NO_SCHEMAS:
                yield from parts_of(value)


def references(schema: Any) -> Iterator[str]:
    """The definitions that a schema names, in its order, repetitions included."""
    for part in parts_of(schema):
        if isinstance(reference := part.get("$ref"), str):
            yield reference.removeprefix(DEFINITIONS)
