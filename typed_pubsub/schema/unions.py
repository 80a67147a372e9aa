"""A schema as a union: what a value may be, one alternative each."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.closed import close, without_notes
from typed_pubsub.schema.vocabulary import DEFINITIONS, MEANT, NOTES, VALIDATORS

Schema: TypeAlias = Mapping[str, Any]

#: One alternative that nothing is known of; also what a keyword without a meaning here leads to.
UNKNOWN = "x-unknown"
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
# What is the whole of any other value: an integer is a number.
_ANY = ("null", "boolean", "number", "string", "array", "object")


class Side:
    """One of the two schemas that are held against each other."""

    def __init__(self, root: Schema) -> None:
        """``root`` has the definitions."""
        self._definitions: Schema = root.get("$defs", {})

    def is_recursive(self, schema: Any) -> bool:
        """Whether one of its own parts may be of the same kind again."""
        return any(name in self._reached(self._definitions[name]) for name in self._reached(schema))

    def referred(self, schema: Any) -> dict[str, Any]:
        """The definitions that it refers to, at any depth, as they are written, without what is said to people."""
        return {name: without_notes(close(self._definitions[name])) for name in self._reached(schema)}

    def _reached(self, schema: Any) -> set[str]:
        """The definitions that it refers to, at any depth."""
        reached: set[str] = set()
        left = [*_referred(schema)]
        while left:
            name = left.pop()
            if name in self._definitions and name not in reached:
                reached.add(name)
                left += _referred(self._definitions[name])
        return reached

    def alternatives(self, schema: Any) -> list[Schema]:
        """Each has a ``const`` or one ``type``, and no ``$ref``, ``enum``, ``anyOf`` or ``oneOf`` any more.

        What cannot be understood has an ``x-unknown`` beside it, a text.
        """
        return [*self._alternatives(schema, frozenset())]

    def _alternatives(self, schema: Any, under_way: frozenset[str]) -> Iterator[Schema]:
        schema = _as_mapping(schema)
        if schema is None:
            return
        if (reference := schema.get("$ref")) is not None:
            yield from self._resolved(schema, reference, under_way)
            return
        strange = schema.keys() - MEANT - NOTES - {UNKNOWN}
        if strange:
            schema = {**schema, UNKNOWN: f"the keyword {min(strange)!r}"}
        if "anyOf" in schema or "oneOf" in schema:
            yield from self._branches(schema, under_way)
        elif "enum" in schema:
            for value in schema["enum"]:
                yield _of_value(schema, value)
        elif "const" in schema:
            yield _of_value(schema, schema["const"])
        else:
            yield from _of_types(schema)

    def _resolved(self, schema: Schema, reference: Any, under_way: frozenset[str]) -> Iterator[Schema]:
        name = str(reference).removeprefix(DEFINITIONS)
        target = self._definitions.get(name)
        if target is None or name in under_way:
            yield {UNKNOWN: f"the reference {reference!r}"}
            return
        yield from self._alternatives(merged(target, but(schema, "$ref")), under_way | {name})

    def _branches(self, schema: Schema, under_way: frozenset[str]) -> Iterator[Schema]:
        which = "anyOf" if "anyOf" in schema else "oneOf"
        tag: Any = schema.get("discriminator", {}).get("propertyName")
        beside = {key: value for key, value in schema.items() if key not in (which, "discriminator", "$defs")}
        if which == "oneOf" and tag is None and VALIDATORS not in schema:
            # A reader may have to refuse what fits two of them.
            beside[UNKNOWN] = "oneOf without a discriminator"
        for branch in schema[which]:
            for alternative in self._alternatives(merged(branch, beside), under_way):
                yield _with_tag(alternative, tag) if tag is not None else alternative


def _referred(schema: Any) -> Iterator[str]:
    if is_mapping(schema):
        if "$ref" in schema:
            yield str(schema["$ref"]).removeprefix(DEFINITIONS)
        schema = [*schema.values()]
    if is_list(schema):
        for part in schema:
            yield from _referred(part)


def merged(schema: Any, beside: Schema) -> Any:
    """The schema with the keywords that stand beside it."""
    if not is_mapping(schema):
        return beside if schema is True else schema
    found = dict(schema)
    for name, value in beside.items():
        if name == VALIDATORS:
            found[name] = sorted({*found.get(name, ()), *value})
        elif name in NOTES or found.setdefault(name, value) == value:
            continue
        else:
            found[UNKNOWN] = f"two of the keyword {name!r}"
    return found


def but(schema: Any, name: str) -> Any:
    """The schema without one keyword."""
    return {key: value for key, value in schema.items() if key != name} if is_mapping(schema) else schema


def _as_mapping(schema: Any) -> Schema | None:
    """None: nothing fits it."""
    if is_mapping(schema):
        return schema
    return {} if schema is True else None


def _of_value(schema: Schema, value: Any) -> Schema:
    rest = {name: kept for name, kept in schema.items() if name not in ("enum", "const", "type")}
    return {**rest, "type": "null"} if value is None else {**rest, "const": value}


def _of_types(schema: Schema) -> Iterator[Schema]:
    kind = schema.get("type", _ANY)
    kinds = (kind,) if isinstance(kind, str) else tuple(kind)
    for one in kinds:
        if one not in TYPES:
            yield {**schema, UNKNOWN: f"the type {one!r}"}
        elif one == "boolean":
            yield from (_of_value(schema, value) for value in (False, True))
        elif one != "integer" or "number" not in kinds:
            yield {**schema, "type": one}


def _with_tag(alternative: Schema, tag: str) -> Schema:
    """A reader of a tagged union looks at the tag first, also where the branch has a default for it."""
    required = alternative.get("required", ())
    return alternative if tag in required else {**alternative, "required": [*required, tag]}
