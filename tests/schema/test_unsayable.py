"""Types that have no JSON Schema: whoever wrote the field learns which one it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest
from annotated_types import Gt
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema, computed_field

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.schema import schema_of

HERE = "tests.schema.test_unsayable."


class Foreign:
    """What neither pydantic nor msgspec knows."""


class Line(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    sku: str
    foreign: Foreign


class Node(BaseModel):
    inner: "Node | None" = None
    line: Line | None = None


@dataclass
class Hooks:
    hook: Callable[[int], int]


class StructLine(msgspec.Struct):
    sku: str
    foreign: dict[str, Foreign]


class StructNode(msgspec.Struct):
    inner: "StructNode | None" = None
    lines: list[StructLine] = []


class Placed(Event, routing_key="placed", registry=Registry(), arbitrary_types_allowed=True):
    count: int
    place: list[Foreign] = Field(alias="at")


class Called(Event, routing_key="called", registry=Registry()):
    hook: Callable[[int], int] | None = None


class Heir(Called, routing_key="heir"):
    count: int


class Deep(Event, routing_key="deep", registry=Registry()):
    node: Node


class Hooked(Event, routing_key="hooked", registry=Registry()):
    hooks: Hooks


class Computed(Event, routing_key="computed", registry=Registry(), arbitrary_types_allowed=True):
    count: int

    @computed_field
    def foreign(self) -> Foreign:
        return Foreign()


class Written(Event, routing_key="written", registry=Registry(), arbitrary_types_allowed=True):
    count: Annotated[int, PlainSerializer(lambda _: Foreign(), return_type=Foreign)]


class StructPlaced(StructEvent, routing_key="placed", registry=Registry()):
    count: Annotated[int, msgspec.Meta(gt=0)]
    place: Foreign


class StructDeep(StructEvent, routing_key="deep", registry=Registry()):
    node: StructNode


FIELDS = [
    (Placed, "Placed.place: "),
    (Called, "Called.hook: "),
    (Heir, "Heir.hook: "),
    (Deep, f"Line.foreign (in {HERE}Deep): "),
    (Hooked, f"Hooks.hook (in {HERE}Hooked): "),
    (Computed, "Computed.foreign: "),
    (Written, "Written.count: "),
    (StructPlaced, "StructPlaced.place: "),
    (StructDeep, f"StructLine.foreign (in {HERE}StructDeep): "),
]


@pytest.mark.parametrize(("event", "field"), FIELDS)
def test_a_field_without_a_schema_is_named_with_its_class_and_the_remedy(event: Any, field: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        schema_of(event)
    remedy = "give it one that JSON has"
    if issubclass(event, BaseModel):
        remedy += ", or say what stands in the body by Annotated[..., WithJsonSchema({...})]"
    assert str(caught.value) == f"{HERE}{field}its type has no JSON Schema: {remedy}"


def test_the_remedy_helps() -> None:
    class Told(Event, routing_key="told", registry=Registry()):
        hook: Annotated[Callable[[int], int], WithJsonSchema({"type": "string"})]
        count: Annotated[int, Gt(0)]

    assert schema_of(Told)["properties"]["hook"] == {"type": "string"}


def test_what_no_field_is_to_blame_for_names_the_class() -> None:
    class Split(Event, routing_key="split", registry=Registry()):
        a: int = Field(alias="x")
        b: int = Field(alias="x")

    with pytest.raises(DefinitionError, match=r"^tests\.schema\.test_unsayable\..*Split: fields share the first of"):
        schema_of(Split)
