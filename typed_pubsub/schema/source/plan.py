"""Which classes a module of events has, what they are called, and in which order they stand."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from typed_pubsub.errors import DefinitionError, SchemaError
from typed_pubsub.events.keys import KeyTemplate
from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.closed import without_notes
from typed_pubsub.schema.source.classes import Definition
from typed_pubsub.schema.source.keywords import definition as named
from typed_pubsub.schema.source.keywords import parts_of, references
from typed_pubsub.schema.source.layout import Item, quoted
from typed_pubsub.schema.source.names import class_name, is_name, member_names, unique
from typed_pubsub.schema.source.problems import told_of
from typed_pubsub.schema.source.shape import check
from typed_pubsub.schema.vocabulary import (
    DEFINITIONS,
    DEPRECATED,
    FINGERPRINT,
    ROUTING_KEY,
    VERSION,
    WRITES,
)

_OF_FILES = ("$schema", "$id", "$comment", ROUTING_KEY, VERSION, FINGERPRINT, DEPRECATED, WRITES, "$defs")


def planned(schemas: Sequence[Mapping[str, Any]], *, struct: bool) -> list[Definition]:
    """The classes for the schemas, each after those that it needs; where they need each other, one comes first.

    Raises:
        SchemaError: there is no schema, one is no event's, or two are of one key and version.
    """
    if not schemas:
        raise SchemaError("$", "expected a schema, got none")
    for schema in schemas:
        check(schema)
    names = _event_names(schemas)
    taken = set(names)
    held: dict[str, Definition] = {}
    for name, schema in zip(names, schemas, strict=True):
        with told_of(origin(schema)):
            found = list(_of_event(name, schema, taken, held, struct=struct))
        for definition in found:
            held.setdefault(definition.name, definition)
    return _ordered(held)


def origin(schema: Mapping[str, Any]) -> str:
    """Which schema it is, for errors."""
    return f"{schema[ROUTING_KEY]!r} version {schema[VERSION]}"


def _event_names(schemas: Sequence[Mapping[str, Any]]) -> list[str]:
    newest: dict[str, int] = {}
    seen: set[tuple[str, int]] = set()
    for schema in schemas:
        key, version = _key(schema).text, _version(schema)
        if (key, version) in seen:
            raise SchemaError(f"$.{VERSION}", f"expected one schema of {key!r} version {version}, got another")
        seen.add((key, version))
        newest[key] = max(version, newest.get(key, 0))
    names: list[str] = []
    for schema in schemas:
        title, version = _title(schema), _version(schema)
        name = title if newest[_key(schema).text] == version else f"{title}V{version}"
        names.append(unique(name, names))
    return names


def _key(schema: Mapping[str, Any]) -> KeyTemplate:
    text = schema.get(ROUTING_KEY)
    if not isinstance(text, str):
        raise SchemaError(f"$.{ROUTING_KEY}", f"expected the routing key of an event, got {text!r}")
    try:
        return KeyTemplate.parse(text)
    except DefinitionError as error:
        raise SchemaError(f"$.{ROUTING_KEY}", str(error)) from error


def _version(schema: Mapping[str, Any]) -> int:
    version = schema.get(VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SchemaError(f"$.{VERSION}", f"expected a whole number from 1, got {version!r}")
    return version


def _title(schema: Mapping[str, Any]) -> str:
    title = schema.get("title")
    if not isinstance(title, str) or not is_name(title):
        raise SchemaError("$.title", f"expected the name of a class, got {title!r}")
    return title


def _of_event(
    name: str, schema: Mapping[str, Any], taken: set[str], held: Mapping[str, Definition], *, struct: bool
) -> Iterator[Definition]:
    """The definitions of the classes under an event, and its own."""
    if schema.get("type") != "object" or "properties" not in schema:
        raise SchemaError("$", "expected an object with properties, as the body of an event is one")
    hoist = _Hoist(name, schema.get("$defs", {}))
    top = hoist.top({key: value for key, value in schema.items() if key not in _OF_FILES and key != "deprecated"})
    schemas = hoist.definitions
    own = schema["title"] if _is_itself(schema, schemas.get(schema["title"])) else None
    classes = _class_names(name, own, schemas, taken, held)
    tags = _tags([top, *schemas.values()], schemas) if struct else {}
    in_sets = _in_sets(top, schemas)

    def define(ref: str | None, found: Mapping[str, Any], path: str) -> Definition:
        names = (name if ref == own else classes[ref or ""], found, path, schemas, classes, origin(schema))
        return Definition(*names, tag=tags.get(ref or ""), hashable=ref in in_sets)

    yield from (
        define(ref, schemas[ref], hoist.paths.get(ref, f"$.$defs.{ref}")) for ref in sorted(schemas) if ref != own
    )
    unsaid = (f"{WRITES}: its publisher writes what code of its own makes",) if WRITES in schema else ()
    keywords = _keywords(schema, top, classes, struct=struct)
    yield replace(define(own, top, "$"), keywords=keywords, unsaid=unsaid)


def _class_names(
    name: str, own: str | None, schemas: Mapping[str, Any], taken: set[str], held: Mapping[str, Definition]
) -> dict[str, str]:
    """What the classes of the definitions are called; those that another event has too are one class."""
    classes = {} if own is None else {own: name}
    for ref in sorted(schemas):
        if ref != own:
            found = class_name(ref)
            if found in taken and not (found in held and _text(held[found]) == _closure(ref, schemas)):
                found = unique(class_name(f"{name}{ref}"), taken)
            taken.add(found)
            classes[ref] = found
    return classes


def _is_itself(schema: Mapping[str, Any], other: Any) -> bool:
    """Whether a definition is the event's own, for references from within."""
    if other is None:
        return False
    top = {name: value for name, value in schema.items() if name not in _OF_FILES}
    return bool(without_notes(top) == without_notes(other))


def _keywords(
    schema: Mapping[str, Any], top: Mapping[str, Any], classes: Mapping[str, str], *, struct: bool
) -> tuple[Item, ...]:
    key = _key(schema)
    names = member_names(top["properties"], classes.values(), struct=struct)
    for field in key.fields:
        if names.get(field) != field:
            raise SchemaError(f"$.{ROUTING_KEY}", f"expected its words among the properties, got {field!r}")
    found: list[Item] = [("routing_key=", quoted(key.text))]
    if (version := _version(schema)) != 1:
        found.append(("version=", repr(version)))
    if DEPRECATED in schema:
        found.append(("deprecated=", quoted(schema[DEPRECATED])))
    return tuple(found)


class _Hoist:
    """Makes definitions of the objects that stand within others, as each becomes a class."""

    def __init__(self, name: str, definitions: Mapping[str, Any]) -> None:
        self._name = name
        self.paths: dict[str, str] = {}
        self.definitions: dict[str, Any] = dict(definitions)
        for ref, schema in definitions.items():
            self.definitions[ref] = self._inside(schema, f"$.$defs.{ref}", ref)

    def top(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self._inside(schema, "$", self._name))

    def _inside(self, schema: Any, path: str, name: str) -> Any:
        if not is_mapping(schema):
            return schema
        found = dict(schema)
        for keyword in ("properties", "anyOf", "oneOf", "prefixItems", "items", "additionalProperties"):
            value = found.get(keyword)
            where = f"{path}.{keyword}"
            if keyword == "properties" and is_mapping(value):
                found[keyword] = {
                    member: self._schema(part, f"{where}.{member}", f"{name}{_camel(member)}")
                    for member, part in value.items()
                }
            elif is_list(value):
                found[keyword] = [self._schema(part, f"{where}[{at}]", name) for at, part in enumerate(value)]
            elif is_mapping(value):
                found[keyword] = self._schema(value, where, name)
        return found

    def _schema(self, schema: Any, path: str, name: str) -> Any:
        inside = self._inside(schema, path, name)
        if not is_mapping(inside) or "properties" not in inside:
            return inside
        ref = unique(name, self.definitions)
        self.definitions[ref] = inside
        self.paths[ref] = path
        return {"$ref": f"{DEFINITIONS}{ref}"}


def _camel(member: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in member.replace("-", "_").split("_"))


def _closure(ref: str, definitions: Mapping[str, Any]) -> str:
    """A definition and all that it leads to, as text."""
    reached: dict[str, Any] = {}
    waiting = [ref]
    while waiting:
        name = waiting.pop()
        if name not in reached and name in definitions:
            reached[name] = definitions[name]
            waiting += references(definitions[name])
    return json.dumps(reached, sort_keys=True)


def _text(definition: Definition) -> str:
    refs = [ref for ref, name in definition.classes.items() if name == definition.name]
    return _closure(refs[0], definition.definitions) if refs else ""


def _tags(schemas: list[Any], definitions: Mapping[str, Any]) -> dict[str, tuple[str, str | int]]:
    """Of the branches of tagged unions the member that tells them apart, and its value."""
    found: dict[str, tuple[str, str | int]] = {}
    for one in parts_of(schemas):
        if "oneOf" in one and "discriminator" in one:
            tag = one["discriminator"]["propertyName"]
            for branch in one["oneOf"]:
                ref = named(branch.get("$ref"), "$.oneOf")
                value = _tag_value(definitions.get(ref, {}), tag)
                if not isinstance(value, str | int):
                    raise SchemaError(f"$.$defs.{ref}.properties.{tag}", "expected a const, the tag of a Struct")
                if found.setdefault(ref, (tag, value)) != (tag, value):
                    raise SchemaError(f"$.$defs.{ref}", f"expected one tag of a Struct, got {tag!r} too")
    return found


def _tag_value(schema: Mapping[str, Any], tag: str) -> Any:
    """The value of the member ``tag``; of a Struct that is an array it comes first."""
    first = schema["prefixItems"][0] if schema.get("prefixItems") else schema.get("properties", {}).get(tag, {})
    return first.get("const")


def _in_sets(top: Mapping[str, Any], definitions: Mapping[str, Any]) -> set[str]:
    """The definitions whose values are in sets."""
    waiting = [
        ref
        for one in parts_of([top, *definitions.values()])
        if one.get("uniqueItems") is True
        for ref in references(one.get("items", {}))
    ]
    found: set[str] = set()
    while waiting:
        ref = waiting.pop()
        if ref not in found and ref in definitions:
            found.add(ref)
            waiting += references(definitions[ref])
    return found


def _ordered(held: Mapping[str, Definition]) -> list[Definition]:
    """Each after what it needs; events in the order given."""
    done: dict[str, Definition] = {}
    under_way: set[str] = set()

    def put(name: str) -> None:
        if name in done or name in under_way:
            return
        under_way.add(name)
        for need in held[name].needs:
            put(need)
        done[name] = held[name]

    for name, definition in held.items():
        if definition.keywords is not None:
            put(name)
    return list(done.values())
