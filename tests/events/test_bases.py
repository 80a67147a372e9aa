"""What event classes inherit: abstract bases, generics, and names that are defined later."""

from typing import Generic, TypeVar

import msgspec
import pytest
from pydantic import BaseModel

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.registry import meta_of

T = TypeVar("T")


def test_the_libraries_bases_are_abstract() -> None:
    assert repr(Event) == "<abstract event typed_pubsub.events.models.Event>"
    assert repr(StructEvent) == "<abstract event typed_pubsub.events.structs.StructEvent>"


def test_a_registry_on_an_abstract_base_holds_for_its_subclasses() -> None:
    registry = Registry()

    class Base(Event, abstract=True, registry=registry):
        x: int

    class Done(Base, routing_key="a.done"):
        y: int

    class StructBase(StructEvent, abstract=True, registry=registry):
        x: int

    class StructDone(StructBase, routing_key="b.done"):
        y: int

    assert list(registry) == [Done, StructDone]
    assert write_event(Done(x=1, y=2)) == ("a.done", b'{"x":1,"y":2}')
    assert write_event(StructDone(x=1, y=2)) == ("b.done", b'{"x":1,"y":2}')


def test_a_subclass_of_a_bound_event_needs_a_key_of_its_own() -> None:
    registry = Registry()

    class Done(Event, routing_key="a.done", registry=registry):
        x: int

    with pytest.raises(DefinitionError, match="MoreDone: give it a routing_key"):

        class MoreDone(Done):  # type: ignore[call-arg,unused-ignore]
            y: int


def test_a_generic_event_is_abstract_and_a_subclass_binds_it() -> None:
    registry = Registry()

    class Changed(Event, Generic[T], registry=registry):
        old: T
        new: T

    class PriceChanged(Changed[int], routing_key="price.changed"):
        currency: str = "EUR"

    assert list(registry) == [PriceChanged]
    assert repr(Changed).startswith("<abstract event")
    assert read_event(meta_of(PriceChanged), "price.changed", b'{"old":1,"new":2}') == PriceChanged(old=1, new=2)
    with pytest.raises(ValueError, match=r"\$\.new: Input should be a valid integer"):
        read_event(meta_of(PriceChanged), "price.changed", b'{"old":1,"new":"x"}')
    with pytest.raises(DefinitionError, match="is abstract"):
        write_event(Changed[int](old=1, new=2))


def test_a_generic_struct_event_is_abstract_and_a_subclass_binds_it() -> None:
    registry = Registry()

    class Changed(StructEvent, Generic[T], registry=registry):
        old: T
        new: T

    class PriceChanged(Changed[int], routing_key="price.changed"):
        currency: str = "EUR"

    assert list(registry) == [PriceChanged]
    assert read_event(meta_of(PriceChanged), "price.changed", b'{"old":1,"new":2}') == PriceChanged(old=1, new=2)
    with pytest.raises(ValueError, match=r"\$\.new: Expected `int`, got `str`"):
        read_event(meta_of(PriceChanged), "price.changed", b'{"old":1,"new":"x"}')


def test_a_generic_event_with_a_key_is_refused_with_the_way_out() -> None:
    with pytest.raises(DefinitionError, match=r"Changed: a generic event is abstract; bind it by a subclass such as"):

        class Changed(Event, Generic[T], routing_key="a.b", registry=Registry()):
            old: T

    with pytest.raises(DefinitionError, match=r"Changed: a generic event is abstract"):

        class Changed(StructEvent, Generic[T], routing_key="a.b", registry=Registry()):  # type: ignore[no-redef]
            old: T


def test_a_bound_subclass_of_a_generic_may_stay_generic_where_it_is_abstract() -> None:
    class Changed(Event, Generic[T], abstract=True):
        old: T

    assert repr(Changed).startswith("<abstract event")


def test_a_forward_reference_may_be_defined_later() -> None:
    registry = Registry()

    class Done(Event, routing_key="a.b", registry=registry):
        x: "Later"

    class StructDone(StructEvent, routing_key="a.c", registry=registry):
        x: "StructLater"

    for event, later in ((Done, Later(y=1)), (StructDone, StructLater(y=1))):
        meta_of(event).codec.prepare()
        assert read_event(meta_of(event), meta_of(event).key.text, b'{"x":{"y":1}}').x == later


def test_a_forward_reference_that_stays_open_is_a_definition_error() -> None:
    class Done(Event, routing_key="a.b", registry=Registry()):
        x: "Never"  # type: ignore[name-defined]  # noqa: F821

    class StructDone(StructEvent, routing_key="a.b", registry=Registry()):
        x: "Never"  # type: ignore[name-defined]  # noqa: F821

    for event in (Done, StructDone):
        with pytest.raises(DefinitionError, match=r"Done: name 'Never' is not defined$"):
            meta_of(event).codec.prepare()


class Later(BaseModel):
    y: int


class StructLater(msgspec.Struct):
    y: int
