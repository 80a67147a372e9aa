"""What the schema of an event says of its fields."""

import json
import re
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

import msgspec
import pytest
from annotated_types import Predicate
from pydantic import (
    AliasChoices,
    AliasPath,
    Base64Bytes,
    Base64Str,
    Base64UrlBytes,
    BaseModel,
    Field,
    StringConstraints,
)

from tests.schema.contracts_of_both import Paid
from typed_pubsub.demo.events import MatchesPublished
from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.keyed import write_event
from typed_pubsub.schema import schema_of
from typed_pubsub.schema.closed import written


def test_fields_have_no_titles_but_a_field_may_be_called_title() -> None:
    properties = schema_of(MatchesPublished)["properties"]
    assert properties["title"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert properties["match_id"] == {"type": "string", "format": "uuid"}
    assert properties["kickoff"] == {"type": "string", "format": "date-time"}


def test_defaults_of_encoded_types_are_told_as_bodies_have_them() -> None:
    class Coded(Event, routing_key="coded", registry=Registry()):
        raw: Base64Bytes = b"\xff\xfe"
        text: Base64Str = "hello"
        parts: tuple[Base64UrlBytes, ...] = (b"\xff\xfe",)
        maybe: Base64Bytes | None = None
        read: Annotated[Base64Bytes, Field(validate_default=True)] = b"aGVsbG8="

    members = schema_of(Coded)["properties"]
    assert (
        {name: member["default"] for name, member in members.items()}
        == json.loads(write_event(Coded())[1])
        == {
            "raw": "//4=",
            "text": "aGVsbG8=",
            "parts": ["__4="],
            "maybe": None,
            "read": "aGVsbG8=",
        }
    )


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


def test_a_name_that_is_only_read_is_not_the_one_that_is_written() -> None:
    class Renamed(Event, routing_key="renamed", registry=Registry()):
        new: int = Field(validation_alias=AliasChoices("old", "new"))

    schema = schema_of(Renamed)
    assert list(schema["properties"]) == ["old"]
    assert list(schema["x-writes"]["properties"]) == ["new"]
