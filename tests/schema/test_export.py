"""What the schema of an event says of the whole of it."""

import json
import warnings
from typing import Annotated, Any, Generic, TypeVar

import jsonschema
import pytest
from msgspec import Meta

from tests.schema.contracts_of_both import Node, Paid, StructNode, StructPaid
from typed_pubsub.demo.events import MatchesPublished, ScoreChanged, TableLoaded
from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.keyed import write_event
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import canonical, path_of, schema_of

T = TypeVar("T")


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


def test_a_bound_has_one_spelling_whichever_type_was_made_first() -> None:
    """typing holds Annotated[float, Meta(gt=0.0)] and Annotated[float, Meta(gt=0)] for one type."""

    class Wide(StructEvent, routing_key="wide", registry=Registry()):
        x: Annotated[float, Meta(gt=-7654.0, le=1e300)]

    class Same(StructEvent, routing_key="wide", registry=Registry()):
        x: Annotated[float, Meta(gt=-7654, le=1e300)]

    texts = [canonical(schema_of(event)["properties"]) for event in (Wide, Same)]
    assert texts[0] == texts[1]
    assert '"exclusiveMinimum": -7654,' in texts[0]
    assert '"maximum": 1e+300' in texts[0]
