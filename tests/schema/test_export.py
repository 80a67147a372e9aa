import json
import re
import warnings
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import jsonschema
import msgspec
import pytest
from annotated_types import Predicate
from pydantic import AliasChoices, AliasPath, AwareDatetime, BaseModel, Field, StringConstraints

from typed_pubsub.demo.events import MatchesPublished, ScoreChanged, TableLoaded
from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.keyed import write_event
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import canonical, path_of, schema_of
from typed_pubsub.schema.closed import written

T = TypeVar("T")


class Colour(Enum):
    RED = "red"


class Line(BaseModel):
    """A line."""

    sku: str
    title: str = ""


class StructLine(msgspec.Struct):
    """A line."""

    sku: str
    title: str = ""


class Paid(Event, routing_key="paid.{shop}", version=3, registry=Registry()):
    """An order is paid."""

    shop: str
    order_id: UUID
    at: AwareDatetime
    day: date
    took: timedelta
    colour: Colour
    kind: Literal["a", "b"]
    lines: list[Line]
    count: Annotated[int, Field(ge=0)] = 0
    note: str | None = None


class StructPaid(StructEvent, routing_key="paid.{shop}", version=3, registry=Registry()):
    """An order is paid."""

    shop: str
    order_id: UUID
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    day: date
    took: timedelta
    colour: Colour
    kind: Literal["a", "b"]
    lines: list[StructLine]
    count: Annotated[int, msgspec.Meta(ge=0)] = 0
    note: str | None = None


class Node(Event, routing_key="node", registry=Registry()):
    inner: "Node | None" = None


class StructNode(StructEvent, routing_key="node", registry=Registry()):
    inner: "StructNode | None" = None


def test_a_schema_names_its_contract() -> None:
    schema = schema_of(TableLoaded)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "urn:typed-pubsub:etl.%7Bsource%7D.%7Btable%7D.loaded:1"
    assert (schema["x-routing-key"], schema["x-version"]) == ("etl.{source}.{table}.loaded", 1)
    assert (schema["title"], schema["type"]) == ("TableLoaded", "object")
    assert schema["description"].startswith("The loader has filled a table")


def test_a_deprecated_event_says_so_in_its_schema_and_keeps_its_fingerprint() -> None:
    class Old(Event, routing_key="a.b", registry=Registry(), deprecated="use New instead"):
        x: int

    class StructOld(StructEvent, routing_key="a.b", registry=Registry(), deprecated="use New instead"):
        x: int

    class Kept(Event, routing_key="a.b", registry=Registry()):
        x: int

    for event in (Old, StructOld):
        schema = schema_of(event)
        assert (schema["deprecated"], schema["x-deprecated"]) == (True, "use New instead")
        assert schema["x-fingerprint"] == schema_of(Kept)["x-fingerprint"]
    assert not {"deprecated", "x-deprecated"} & schema_of(Kept).keys()


def test_fields_have_no_titles_but_a_field_may_be_called_title() -> None:
    properties = schema_of(MatchesPublished)["properties"]
    assert properties["title"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert properties["match_id"] == {"type": "string", "format": "uuid"}
    assert properties["kickoff"] == {"type": "string", "format": "date-time"}


def test_a_struct_stands_at_the_top_as_a_model_does() -> None:
    schema = schema_of(ScoreChanged)
    assert schema["properties"]["home"] == {"type": "integer", "default": 0}
    assert schema["required"] == ["match_id"]
    assert "$ref" not in schema
    assert "$defs" not in schema


def _shape(schema: dict[str, Any]) -> Any:
    text = json.dumps(schema | {"title": ""}).replace("StructLine", "Line")
    value = json.loads(text)
    for members in value["$defs"].values():
        members["required"] = sorted(members.get("required", []))
    value["required"].sort()
    del value["x-fingerprint"]
    # What a Struct does not read of it has a test of its own.
    value["properties"]["took"].pop("x-limits", None)
    return value


def test_both_kinds_of_event_give_one_schema() -> None:
    assert _shape(schema_of(Paid)) == _shape(schema_of(StructPaid))


@pytest.mark.parametrize("event", [Node, StructNode])
def test_a_recursive_event_stands_at_the_top_and_is_defined_for_its_own_use(event: Any) -> None:
    schema = schema_of(event)
    assert schema["type"] == "object"
    assert schema["properties"]["inner"]["anyOf"] == [{"$ref": f"#/$defs/{event.__name__}"}, {"type": "null"}]
    assert list(schema["$defs"]) == [event.__name__]
    jsonschema.validate({"inner": {"inner": None}}, schema)


@pytest.mark.parametrize("event", [Paid, StructPaid, Node, StructNode, MatchesPublished, TableLoaded, ScoreChanged])
def test_a_schema_is_a_schema(event: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(event))


def test_a_body_fits_its_schema() -> None:
    for event in (TableLoaded(source="crm", table="users", rows=1), ScoreChanged(match_id=1)):
        jsonschema.validate(json.loads(write_event(event)[1]), schema_of(type(event)))


def test_a_decimal_is_told_from_a_text_and_its_limits_are_told() -> None:
    class Priced(Event, routing_key="priced", registry=Registry()):
        price: Annotated[Decimal, Field(max_digits=10, decimal_places=2)]
        free: Decimal

    class StructPriced(StructEvent, routing_key="priced", registry=Registry()):
        free: Decimal

    price = schema_of(Priced)["properties"]["price"]
    assert price["x-limits"] == {"max_digits": 10, "decimal_places": 2}
    free = schema_of(Priced)["properties"]["free"]
    assert free == {"anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"}]}
    assert schema_of(StructPriced)["properties"]["free"] == free


def test_a_decimal_that_may_be_null_is_written_as_a_text() -> None:
    class Rated(Event, routing_key="rated", registry=Registry()):
        rate: Decimal | None

    schema = schema_of(Rated)
    assert "x-writes" not in schema
    rate = written(schema)["properties"]["rate"]
    assert rate == {"anyOf": [{"type": "string", "format": "decimal"}, {"type": "null"}]}


def test_all_names_that_a_field_is_read_under_are_told() -> None:
    class Inner(BaseModel):
        z: int = Field(validation_alias=AliasChoices("z", "zed"))

    class Aliased(Event, routing_key="aliased", registry=Registry()):
        a: int = Field(alias="x")
        b: int = Field(validation_alias=AliasChoices("b", "bee", AliasPath("old", 0)))
        c: Inner = Field(validation_alias=AliasChoices("c", "see"))
        d: int = Field(validation_alias=AliasChoices("d", AliasPath("old", "d")))

    schema = schema_of(Aliased)
    assert set(schema["properties"]) == {"x", "b", "c", "d"}
    read_as = {name: field.get("x-read-as") for name, field in schema["properties"].items()}
    assert read_as == {
        "x": None,
        "b": ["b", "bee", ["old", 0]],
        "c": ["c", "see"],
        "d": ["d", ["old", "d"]],
    }
    assert schema["$defs"]["Inner"]["properties"]["z"]["x-read-as"] == ["z", "zed"]


def test_a_closed_event_is_closed_in_its_schema() -> None:
    class Closed(Event, routing_key="closed", registry=Registry(), extra="forbid"):
        x: int

    class StructClosed(StructEvent, routing_key="closed", registry=Registry(), forbid_unknown_fields=True):
        x: int

    assert schema_of(Closed)["additionalProperties"] is False
    assert schema_of(StructClosed)["additionalProperties"] is False
    assert "additionalProperties" not in schema_of(Paid)


def test_an_object_that_is_an_array_has_its_tag_first_and_is_as_long_as_its_reader_takes() -> None:
    class Pair(NamedTuple):
        a: int
        b: int = 0

    class Row(msgspec.Struct, array_like=True, tag="row"):
        a: int
        b: int = 0

    class ClosedRow(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
        a: int

    class Rows(StructEvent, routing_key="rows", registry=Registry()):
        pair: Pair
        row: Row
        closed: ClosedRow

    a, b = {"type": "integer"}, {"type": "integer", "default": 0}
    assert schema_of(Rows)["$defs"] == {
        "Pair": {"type": "array", "prefixItems": [a, b], "minItems": 1, "maxItems": 2},
        "Row": {"type": "array", "prefixItems": [{"type": "string", "const": "row"}, a, b], "minItems": 2},
        "ClosedRow": {"type": "array", "prefixItems": [a], "minItems": 1, "maxItems": 1},
    }
    rows = written(schema_of(Rows))["$defs"]
    lengths = {name: (row["minItems"], row["maxItems"]) for name, row in rows.items()}
    assert lengths == {"Pair": (2, 2), "Row": (3, 3), "ClosedRow": (1, 1)}


def test_the_tag_of_a_struct_may_be_missing_and_must_not_be_wrong() -> None:
    class Tagged(StructEvent, routing_key="tagged", registry=Registry(), tag="tagged"):
        x: int

    schema = schema_of(Tagged)
    assert schema["properties"]["type"] == {"type": "string", "const": "tagged", "default": "tagged"}
    assert schema["required"] == ["x"]
    assert written(schema)["required"] == ["type", "x"]


def test_fields_that_would_be_filed_under_one_name_have_no_schema() -> None:
    class Split(Event, routing_key="split", registry=Registry()):
        a: int = Field(validation_alias=AliasChoices("old", "a"))
        b: int = Field(validation_alias=AliasChoices("old", "b"))

    with pytest.raises(DefinitionError, match=r"the first of the names they are read under: \['old'\]"):
        schema_of(Split)


def test_what_a_reader_refuses_of_a_text_is_told() -> None:
    class Refusing(Event, routing_key="refusing", registry=Registry()):
        ascii: Annotated[str, StringConstraints(ascii_only=True)]
        lower: Annotated[str, Predicate(str.islower)]
        letter: Annotated[str, Field(pattern=re.compile("^a$", re.IGNORECASE))]
        number: complex

    assert schema_of(Refusing)["properties"] == {
        "ascii": {"type": "string", "x-limits": {"ascii_only": True}},
        "lower": {"type": "string", "x-validators": ["islower"]},
        "letter": {"type": "string", "pattern": "(?i)^a$", "x-limits": {"regex_engine": "python"}},
        "number": {"type": "string", "format": "complex"},
    }


def test_a_constraint_that_pydantic_leaves_to_a_function_is_told_as_one() -> None:
    class Bound(Event, routing_key="bound", registry=Registry()):
        x: Annotated[Decimal | int, Field(ge=3)]
        y: Annotated[Literal[1, 2], Field(ge=2)]

    properties = schema_of(Bound)["properties"]
    assert properties["x"]["x-validators"] == ["greater_than_or_equal_validator(ge=3)"]
    assert properties["y"] == {
        "enum": [1, 2],
        "type": "integer",
        "x-validators": ["greater_than_or_equal_validator(ge=2)"],
    }
    assert "ge" not in properties["x"]


def test_a_bound_generic_has_the_schema_of_its_binding() -> None:
    class Changed(Event, Generic[T], registry=Registry()):
        new: T

    class PriceChanged(Changed[int], routing_key="price.changed"):
        pass

    assert schema_of(PriceChanged)["properties"]["new"] == {"type": "integer"}
    with pytest.raises(DefinitionError, match="is abstract"):
        schema_of(Changed)


def test_the_text_of_a_schema_is_canonical() -> None:
    assert canonical({"b": 1, "a": {"é": [1]}}) == '{\n  "a": {\n    "é": [\n      1\n    ]\n  },\n  "b": 1\n}\n'


def test_making_a_schema_twice_gives_one_text_and_leaves_the_class_as_it_was() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert canonical(schema_of(Paid)) == canonical(schema_of(Paid))
        assert canonical(schema_of(StructPaid)) == canonical(schema_of(StructPaid))


def test_a_schema_has_its_place_by_key_and_version() -> None:
    assert path_of(meta_of(Paid)) == "paid.{shop}/3.json"


def test_a_name_that_is_only_read_is_not_the_one_that_is_written() -> None:
    class Renamed(Event, routing_key="renamed", registry=Registry()):
        new: int = Field(validation_alias=AliasChoices("old", "new"))

    schema = schema_of(Renamed)
    assert list(schema["properties"]) == ["old"]
    assert list(schema["x-writes"]["properties"]) == ["new"]
