import json
import warnings
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import jsonschema
import msgspec
import pytest
from pydantic import AliasChoices, AliasPath, AwareDatetime, BaseModel, Field

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
