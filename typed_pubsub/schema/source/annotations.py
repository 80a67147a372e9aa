"""From schemas to the types of members: what models and Structs say in the same words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from typed_pubsub.errors import SchemaError
from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.closed import is_decimal
from typed_pubsub.schema.source.keywords import (
    Keywords,
    bare,
    branches,
    by_type,
    definition,
    schema_at,
    told,
)
from typed_pubsub.schema.source.layout import Expression, call, either, flat, index, literal, quoted
from typed_pubsub.schema.source.names import Imports
from typed_pubsub.schema.source.problems import each
from typed_pubsub.schema.vocabulary import KEY_TYPE, VALIDATORS

#: The constraints of a text, as Python calls them.
LENGTHS = {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"}
_CONTENT = ("contentEncoding", "contentMediaType", "contentSchema")
_COUNTS = {"minItems": "min_length", "maxItems": "max_length"}
_PAIRS = {"minProperties": "min_length", "maxProperties": "max_length"}
_NUMBERS = {"integer": "builtins.int", "number": "builtins.float"}


@dataclass(frozen=True, slots=True)
class Typed:
    """A type with what is said about it: constraints by name, and metadata of ``Annotated`` before them."""

    base: Expression
    limits: dict[str, Any] = field(default_factory=dict[str, Any])
    metadata: tuple[Expression, ...] = ()


@dataclass(slots=True)
class Place:
    """What is known where a type is written."""

    #: The schemas that references lead to, and the classes.
    definitions: Mapping[str, Mapping[str, Any]]
    classes: Mapping[str, str]
    #: The classes that stand above.
    ready: set[str]
    #: Those of them that cannot make values yet: they name classes further down.
    incomplete: set[str]
    #: Whether values must be hashable: they are in a set.
    hashable: bool = False
    #: Set when a class is named that does not stand above.
    is_forward: bool = False
    #: What could not be said.
    unsaid: list[str] = field(default_factory=list[str])


class Types(ABC):
    """The types of one kind of class."""

    #: What takes constraints and notes, and the argument of it that takes other members of the schema.
    describer: str
    extra: str

    def __init__(self, imports: Imports, place: Place) -> None:
        """Names are imported as they are used."""
        self.imports = imports
        self.place = place

    def of(self, schema: Any, path: str) -> Expression:
        """The type of the values that a schema accepts, notes included.

        Raises:
            SchemaError: no type of this kind of class accepts just these.
        """
        schema = schema_at(schema, path)
        return self.annotated(self.typed(schema, path), self.notes(schema))

    def typed(self, schema: Mapping[str, Any], path: str) -> Typed:
        """The type without the notes. Raises SchemaError."""
        keywords = Keywords(bare(schema), path)
        self.skip_validators(keywords)
        found = self._typed(schema, keywords)
        keywords.done()
        return found

    def skip_validators(self, keywords: Keywords) -> None:
        """Notes that the schema's own code is not here."""
        for name in keywords.take(VALIDATORS, ()):
            self.place.unsaid.append(f"{VALIDATORS}: {name} at {keywords.path}")

    def annotated(self, typed: Typed, notes: Mapping[str, Any]) -> Expression:
        """The type with its metadata."""
        said = {**typed.limits, **notes}
        if self.extra in typed.limits and self.extra in notes:
            said[self.extra] = {**typed.limits[self.extra], **notes[self.extra]}
        items = [(f"{name}=", self.limit(value)) for name, value in said.items()]
        metadata = [*typed.metadata, *([call(self.imports(self.describer), *items)] if items else [])]
        return index(self.imports("typing.Annotated"), typed.base, *metadata) if metadata else typed.base

    def notes(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """What is said to people, by the describer's argument."""
        said = told(schema)
        found: dict[str, Any] = {}
        found |= {name: said.pop(name) for name in ("title", "description", "examples") if name in said}
        for name in ("default", "$comment"):
            said.pop(name, None)
        if schema.get("format") == "password":
            said.pop("writeOnly", None)
        return {**found, **({self.extra: said} if said else {})}

    def limit(self, value: Any) -> Expression:
        """A constraint's value: an expression where it is no plain one."""
        return value.expression if isinstance(value, Source) else literal(value)

    def _typed(self, schema: Mapping[str, Any], keywords: Keywords) -> Typed:
        if "$ref" in keywords:
            return self._reference(definition(keywords.take("$ref"), keywords.path))
        if "const" in keywords or "enum" in keywords:
            return self._literal(keywords)
        if "oneOf" in keywords:
            return self.tagged(keywords)
        if "anyOf" in keywords:
            return self._any_of(keywords)
        kind = keywords.take("type")
        if is_list(kind):
            return self._several(schema, keywords)
        return self._one(kind, keywords)

    def _one(self, kind: Any, keywords: Keywords) -> Typed:
        readers: dict[str, Callable[[Keywords], Typed]] = {
            "string": self._string,
            "array": self._array,
            "object": self._mapping,
        }
        match kind:
            case "integer" | "number":
                return Typed(self.imports(_NUMBERS[kind]), self.bounds(kind, keywords))
            case "boolean":
                return Typed(self.imports("builtins.bool"))
            case "null":
                return Typed("None")
            case None:
                return Typed(self.imports("typing.Any"))
            case str() if kind in readers:
                return readers[kind](keywords)
            case _:
                raise keywords.error(f"expected a type of JSON, got {kind!r}")

    def _several(self, schema: Mapping[str, Any], keywords: Keywords) -> Typed:
        parts = by_type({**bare(schema), "type": schema["type"]})
        found = either([self.of(part, keywords.path) for part in parts])
        for part in parts:
            for name in part:
                keywords.take(name)
        return Typed(found)

    def _reference(self, name: str) -> Typed:
        if name not in self.place.classes:
            raise SchemaError(f"$.$defs.{name}", "expected this definition, got none")
        cls = self.place.classes[name]
        self.place.is_forward |= cls not in self.place.ready
        return Typed(cls)

    def _literal(self, keywords: Keywords) -> Typed:
        keywords.take("type")
        values = [keywords.take("const")] if "const" in keywords else list(keywords.take("enum"))
        for value in values:
            if not self.is_literal(value):
                raise keywords.error(f"expected values that a Literal can have, got {value!r}")
        return Typed(index(self.imports("typing.Literal"), *map(literal, values)))

    def _any_of(self, keywords: Keywords) -> Typed:
        given = keywords.take("anyOf")
        if is_decimal(given):
            return self.decimal(keywords)
        parts = branches(given, f"{keywords.path}.anyOf")
        return Typed(self.union(each(lambda one: (*one, self.of(one[1], one[0])), parts)))

    def _string(self, keywords: Keywords) -> Typed:
        form = keywords.take("format")
        if form is not None:
            return self.formatted(form, keywords)
        if "contentEncoding" in keywords:
            return self.plain_text({name: keywords.take(name) for name in _CONTENT if name in keywords}, keywords)
        return self.text(keywords, keywords.named(LENGTHS))

    def plain_text(self, said: dict[str, Any], keywords: Keywords) -> Typed:
        """A text of which a format, or what it holds, is only told."""
        typed = self.text(keywords, keywords.named(LENGTHS))
        return Typed(typed.base, {**typed.limits, self.extra: said}, typed.metadata)

    def _array(self, keywords: Keywords) -> Typed:
        is_set = bool(keywords.take("uniqueItems", default=False))
        if "prefixItems" in keywords or ("items" not in keywords and keywords.peek("maxItems") == 0):
            return self._tuple(keywords)
        held = self.place.hashable
        self.place.hashable = held or is_set
        item = self.of(keywords.take("items", {}), f"{keywords.path}.items")
        self.place.hashable = held
        limits = keywords.named(_COUNTS)
        if is_set:
            return Typed(index(self.imports("builtins.frozenset" if held else "builtins.set"), item), limits)
        if held:
            return Typed(index(self.imports("builtins.tuple"), item, "..."), limits)
        return Typed(index(self.imports("builtins.list"), item), limits)

    def _tuple(self, keywords: Keywords) -> Typed:
        name = self.imports("builtins.tuple")
        parts: Sequence[Any] = keywords.take("prefixItems", ())
        least, most = keywords.take("minItems", 0), keywords.take("maxItems")
        if (least, most) != (len(parts), len(parts)):
            raise keywords.error(f"expected minItems and maxItems {len(parts)} of a tuple, got {least} and {most}")
        if not parts:
            return Typed(index(name, "()"))
        path = f"{keywords.path}.prefixItems"
        return Typed(index(name, *each(lambda one: self.of(one[1], f"{path}[{one[0]}]"), enumerate(parts))))

    def _mapping(self, keywords: Keywords) -> Typed:
        if "properties" in keywords:
            raise keywords.error("expected members under $defs")
        path = f"{keywords.path}.propertyNames"
        key = self.of(key_schema(schema_at(keywords.take("propertyNames", {}), path)), path)
        values = keywords.take("additionalProperties", default=True)
        if values is False:
            raise keywords.error("expected a mapping, or members under properties, got neither")
        value = self.of(values, f"{keywords.path}.additionalProperties")
        return Typed(index(self.imports("builtins.dict"), key, value), keywords.named(_PAIRS))

    def bounds(self, kind: str, keywords: Keywords) -> dict[str, Any]:  # noqa: ARG002  # a Struct's differ by kind
        """The bounds of a number of JSON's type ``kind``."""
        return keywords.bounds()

    @abstractmethod
    def is_literal(self, value: Any) -> bool:
        """Whether a Literal can have it."""

    @abstractmethod
    def formatted(self, form: str, keywords: Keywords) -> Typed:
        """The type of texts of a format."""

    @abstractmethod
    def text(self, keywords: Keywords, limits: dict[str, Any]) -> Typed:
        """The type of other texts."""

    @abstractmethod
    def decimal(self, keywords: Keywords) -> Typed:
        """The type of decimals."""

    @abstractmethod
    def tagged(self, keywords: Keywords) -> Typed:
        """The type of objects that a member of theirs tells apart."""

    @abstractmethod
    def union(self, parts: list[tuple[str, Mapping[str, Any], Expression]]) -> Expression:
        """The type of several, given with their paths and schemas."""


@dataclass(frozen=True, slots=True)
class Source:
    """A constraint that is no plain value: a date, a Decimal."""

    expression: Expression


def key_schema(names: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a mapping's keys as they are in Python, from ``propertyNames``."""
    kind: Any = names.get(KEY_TYPE)
    if is_mapping(kind):
        return kind
    if "$ref" in names:
        return names
    return {**{name: value for name, value in names.items() if name != KEY_TYPE}, "type": kind or "string"}


def forward(expression: Expression, *, is_forward: bool) -> Expression:
    """The type; one that names a class further down as a text."""
    return quoted(flat(expression)) if is_forward else expression
