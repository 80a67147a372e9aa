"""Random schemas of events, as ``schema_of`` would tell them of a class that nobody has written yet."""

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tests.schema.random_values import Schema, Value, leaves
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.schema import schema_of

NULL: Schema = {"type": "null"}
# Names that hide what types are made of, names that a model has itself, and names that Python has no members of.
NAMES = (
    *("a", "b", "kickoff", "title", "date", "datetime", "str", "int", "list", "dict", "set", "UUID", "Field", "Meta"),
    *(
        "Annotated",
        "Literal",
        "Any",
        "Event",
        "Decimal",
        "from",
        "class",
        "None",
        "copy",
        "json",
        "model_dump",
        "field",
    ),
    *("model_config", "_private", "__slots__", "with-dash", "with_dash", "2nd", "é", "", " ", "D0", "Made", "x" * 70),
)


class StructCat(msgspec.Struct, tag_field="kind", tag="cat"):
    age: int = 1


class StructDog(msgspec.Struct, tag_field="kind", tag="dog"):
    name: str


class StructPets(StructEvent, routing_key="pets", registry=Registry()):
    pet: StructCat | StructDog


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    age: int = 1


class Dog(BaseModel):
    kind: Literal["dog", "puppy"]


class ModelPets(Event, routing_key="pets", registry=Registry()):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


KEYS = st.sampled_from(
    [
        *(
            {},
            {"propertyNames": {"type": "string", "format": "uuid"}},
            {"propertyNames": {"type": "string", "maxLength": 3}},
        ),
        {"propertyNames": {"type": "string", "x-key-type": "integer"}},
        {"propertyNames": {"type": "string", "enum": ["a", "b"]}},
    ]
)
COUNTS = st.fixed_dictionaries({}, optional={"minItems": st.integers(0, 2), "maxItems": st.integers(2, 4)})


def holders(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    lists = st.builds(
        lambda item, counts: Value(
            {"type": "array", "items": item.schema, **counts},
            ([], [*item.defaults[:1]]) if not counts.get("minItems") else (),
            hashable=False,
        ),
        inner,
        COUNTS,
    )
    sets = st.builds(
        lambda item: Value(
            {"type": "array", "items": item.schema, "uniqueItems": True}, ([], [*item.defaults[:1]]), hashable=False
        ),
        inner.filter(lambda value: value.hashable),
    )
    tuples = st.lists(inner, min_size=1, max_size=3).map(
        lambda items: Value(
            {
                "type": "array",
                "prefixItems": [item.schema for item in items],
                "minItems": len(items),
                "maxItems": len(items),
            },
            ([item.defaults[0] for item in items],) if all(item.defaults for item in items) else (),
            hashable=all(item.hashable for item in items),
        )
    )
    mappings = st.builds(
        lambda value, keys: Value(
            {"type": "object", "additionalProperties": value.schema, **keys}, ({},), hashable=False
        ),
        inner,
        KEYS,
    )
    return st.one_of(lists, sets, tuples, mappings)


def nullable(value: Value) -> Value:
    parts = value.schema["anyOf"] if "anyOf" in value.schema and len(value.schema) == 1 else [value.schema]
    return Value({"anyOf": [*parts, NULL]}, (None, *value.defaults), hashable=value.hashable)


def nested_nullable(value: Value) -> Value:
    """As msgspec has it: a Decimal's two stay together."""
    parts = [value.schema] if _is_decimal(value.schema) else value.schema.get("anyOf", [value.schema])
    return Value({"anyOf": [*parts, NULL]}, (None, *value.defaults), hashable=value.hashable)


def _is_decimal(schema: Schema) -> bool:
    return len(schema.get("anyOf", ())) == 2 and schema["anyOf"][1].get("format") == "decimal"


def unions(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    single = inner.filter(lambda value: "anyOf" not in value.schema)
    parts = st.lists(single, min_size=2, max_size=3, unique_by=lambda value: json.dumps(value.schema, sort_keys=True))
    return parts.map(
        lambda values: Value(
            {"anyOf": [value.schema for value in values]},
            tuple(default for value in values[:1] for default in value.defaults),
            hashable=all(value.hashable for value in values),
        )
    )


def values(*, struct: bool, references: list[Value]) -> st.SearchStrategy[Value]:
    base = leaves(struct=struct)
    if references:
        base = st.one_of(base, st.sampled_from(references))
    grown = st.one_of(base, holders(base), holders(st.one_of(base, holders(base))))
    if struct:
        return st.one_of(grown, grown.map(nested_nullable))
    grown = st.one_of(grown, unions(grown))
    return st.one_of(grown, grown.map(nullable), st.just(Value({}, (1, "a", {"a": [None]}), hashable=False)))


@st.composite
def objects(draw: Callable[..., Any], value: st.SearchStrategy[Value], *, struct: bool) -> Schema:
    properties: Schema = {}
    required: list[str] = []
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=6, unique=True)):
        found = draw(value)
        properties[name] = dict(found.schema)
        if found.defaults and draw(st.booleans()):
            properties[name]["default"] = draw(st.sampled_from(found.defaults))
        else:
            required.append(name)
        if not struct and draw(st.integers(0, 9)) == 0:
            properties[name]["x-read-as"] = [name, "other", ["path", 0, "to"]]
        if draw(st.integers(0, 4)) == 0:
            properties[name]["description"] = draw(
                st.sampled_from(["Short.", "Says 'this' and \"that\".", "long " * 30])
            )
    found = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    closed = [{}, {"additionalProperties": False}, *([] if struct else [{"additionalProperties": True}])]
    return {**found, **draw(st.sampled_from(closed))}


@st.composite
def event_schemas(draw: Callable[..., Any], *, struct: bool) -> Schema:
    """The schema of an event, some objects under it, and a union of two of them that a member tells apart."""
    definitions: Schema = {}
    references: list[Value] = [Value({"$ref": "#/$defs/Colour"}, ("dark red",))]
    colour: Schema = {"enum": ["red", "dark red", "1"], "type": "string"}
    for number in range(draw(st.integers(0, 2))):
        name = f"D{number}"
        definitions[name] = draw(objects(values(struct=struct, references=references), struct=struct))
        if draw(st.booleans()):
            again = {"anyOf": [{"$ref": f"#/$defs/{name}"}, NULL], "default": None}
            definitions[name]["properties"]["again"] = again
        references.append(Value({"$ref": f"#/$defs/{name}"}, hashable=False))
    if draw(st.booleans()):
        pets = schema_of(StructPets if struct else ModelPets)
        definitions |= pets["$defs"]
        references.append(Value(pets["properties"]["pet"], hashable=False))
    top = draw(objects(values(struct=struct, references=references), struct=struct))
    schema = {**top, "title": "Made", "x-routing-key": "made", "x-version": 1}
    return _with_definitions(schema, {**definitions, "Colour": colour})


def _with_definitions(schema: Schema, definitions: Schema) -> Schema:
    """With those of the definitions that something leads to."""
    reached: Schema = {}
    waiting = [schema]
    while waiting:
        text = json.dumps(waiting.pop())
        for name, definition in definitions.items():
            if f'"$ref": "#/$defs/{name}"' in text and name not in reached:
                reached[name] = definition
                waiting.append(definition)
    return {**schema, "$defs": reached} if reached else schema
