"""What has no schema, and what is told of it; numbers in a schema that JSON does not know."""

import math
from decimal import Decimal
from enum import Enum, Flag, IntFlag
from typing import Annotated, Any, Literal

import msgspec
import pytest
from annotated_types import Lt, MultipleOf
from pydantic import BaseModel, Field

from tests.schema.evolutions.evolution import event
from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, StructEvent
from typed_pubsub.schema import canonical, schema_of


class Mixed(Enum):
    A = "a"
    ONE = 1


class Endless(Enum):
    ONE = 1
    INFINITY = math.inf


#: Nine bits with a gap behind each.
Sparse: Any = Flag("Sparse", {f"BIT_{place}": 1 << 2 * place for place in range(9)})  # type: ignore[misc]  # no literal


class Flagged(msgspec.Struct):
    flags: dict[bool, int]


class Open(BaseModel, polymorphic_serialization=True):
    a: int


def test_what_subclasses_write_in_their_own_way_has_no_schema() -> None:
    with pytest.raises(DefinitionError, match="Open: what a subclass writes cannot be told; drop polymorphic_ser"):
        schema_of(event({"x": list[Open]}))


def test_a_literal_of_bytes_has_no_schema() -> None:
    with pytest.raises(DefinitionError, match="a Literal of bytes reads no text of JSON"):
        schema_of(event({"x": Literal[b"a", "a"]}))


@pytest.mark.parametrize("kind", [dict[bool, int], dict[tuple[int, int], str], dict[None, int], dict[str | bool, int]])
def test_a_struct_with_keys_that_msgspec_does_not_read_has_no_schema(kind: Any) -> None:
    with pytest.raises(DefinitionError, match=r"Happened\.x: msgspec reads no key of an object as \w+: make it str"):
        schema_of(event({"x": kind}, StructEvent))


@pytest.mark.parametrize("key", [Literal[1, 2], Literal[Endless.ONE], Mixed, Sparse, IntFlag("Bits", "A B")])
def test_a_model_with_keys_that_pydantic_does_not_read_has_no_schema(key: Any) -> None:
    with pytest.raises(DefinitionError, match=r"pydantic reads no key of an object as [\w ]+: make it int or str"):
        schema_of(event({"x": dict[key, int]}))


def test_of_a_nested_struct_its_own_field_is_named() -> None:
    with pytest.raises(DefinitionError, match=r"Happened: Flagged\.flags: msgspec reads no key"):
        schema_of(event({"x": list[Flagged]}, StructEvent))


def test_a_field_that_msgspec_has_no_decoder_for_is_an_error_that_names_it() -> None:
    with pytest.raises(DefinitionError, match=r"Happened\.x: Enums must contain either all str or all int values"):
        schema_of(event({"n": int, "x": Mixed}, StructEvent))


@pytest.mark.parametrize("base", [Event, StructEvent])
def test_a_flag_whose_combinations_cannot_be_told_has_no_schema(base: Any) -> None:
    with pytest.raises(DefinitionError, match="Sparse has combinations that cannot be told: give it boundary=KEEP"):
        schema_of(event({"x": Sparse}, base))


def test_a_decimal_that_bounds_a_float_is_a_number_of_the_schema() -> None:
    schema = schema_of(event({"x": Annotated[float, Lt(Decimal("7.5")), MultipleOf(Decimal(2))]}))
    assert schema["properties"]["x"] == {"type": "number", "exclusiveMaximum": 7.5, "multipleOf": 2}


def test_a_default_that_json_does_not_know_is_not_told() -> None:
    endless = event({"x": (float, Field(math.inf, allow_inf_nan=True))})
    for one in (endless, event({"x": (float, math.inf)}, StructEvent)):
        assert schema_of(one)["properties"]["x"] == {"type": "number"}
        assert "Infinity" not in canonical(schema_of(one))


def test_any_other_value_that_json_does_not_know_is_an_error_that_names_its_place() -> None:
    with pytest.raises(DefinitionError, match=r"Happened: \$\.\$defs\.Endless\.enum\[1\]: expected JSON, got inf"):
        schema_of(event({"x": Endless}))
    given: Any = Field(json_schema_extra=lambda said: said.update(a=Ellipsis))  # type: ignore[call-overload]  # no JSON
    with pytest.raises(DefinitionError, match=r"\$\.properties\.x\.a: expected JSON, got Ellipsis"):
        schema_of(event({"x": (int, given)}))
