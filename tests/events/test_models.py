"""What a class statement of an Event says, allows and refuses; the same for StructEvent where it has the same rule."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec
import pydantic
import pytest
from pydantic import BaseModel, Field

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent, default_registry
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.registry import meta_of

T = TypeVar("T")
Define = Callable[..., Any]
#: How errors begin: with the module of the class.
HERE = r"^tests\.events\.test_models\."


@pytest.fixture(params=["Event", "StructEvent"])
def define(request: pytest.FixtureRequest) -> Define:
    """Defines an event class with one field ``x: int`` and the class keywords given."""
    base: Any = Event if request.param == "Event" else StructEvent
    meta: Any = type(base)

    def _define(name: str, **keywords: Any) -> Any:
        space = {"__annotations__": {"x": int}, "x": 0, "__module__": __name__, "__qualname__": name}
        return meta(name, (base,), space, **keywords)

    return _define


def test_an_event_is_bound_to_its_key_and_version(define: Define) -> None:
    registry = Registry()
    event = define("Done", routing_key="a.done", version=3, registry=registry)
    assert meta_of(event).key.text == "a.done"
    assert meta_of(event).version == 3
    assert list(registry) == [event]


def test_an_event_without_registry_goes_to_the_default_one(define: Define) -> None:
    event = define("Defaulted", routing_key="tests.events.defaulted")
    assert default_registry.find("tests.events.defaulted") is event


def test_events_are_frozen(define: Define) -> None:
    event = define("Done", routing_key="a.done", registry=Registry())(x=1)
    with pytest.raises((pydantic.ValidationError, AttributeError)):
        event.x = 2


def test_a_class_without_a_key_is_refused_with_both_ways_out(define: Define) -> None:
    with pytest.raises(DefinitionError, match=HERE + r"NoKey: give it a routing_key='\.\.\.', or abstract=True"):
        define("NoKey", registry=Registry())


def test_every_refusal_at_definition_is_a_type_error(define: Define) -> None:
    with pytest.raises(TypeError):
        define("NoKey", registry=Registry())


def test_an_abstract_base_has_no_key_and_says_so_when_used(define: Define) -> None:
    base = define("Base", abstract=True)
    with pytest.raises(DefinitionError, match="Base is abstract: it is bound to no routing key"):
        meta_of(base)
    with pytest.raises(DefinitionError, match="Base is abstract"):
        write_event(base(x=1))


def test_abstract_with_a_key_is_refused(define: Define) -> None:
    with pytest.raises(DefinitionError, match="Base: an abstract event has no routing_key"):
        define("Base", abstract=True, routing_key="a.b")


@pytest.mark.parametrize("version", [0, -1, True, "2", 1.0, None])
def test_a_version_is_a_whole_number_from_1(define: Define, version: Any) -> None:
    with pytest.raises(DefinitionError, match="Done: version= is a whole number from 1, got"):
        define("Done", routing_key="a.b", version=version, registry=Registry())


def test_a_deprecated_event_says_what_to_use_instead_and_its_subclasses_do_not_inherit_it(define: Define) -> None:
    registry = Registry()
    old = define("Old", routing_key="a.old", registry=registry, deprecated="use New instead")
    assert old.__event_meta__.deprecated == "use New instead"
    assert define("New", routing_key="a.new", registry=registry).__event_meta__.deprecated is None

    class Base(Event, routing_key="b.old", registry=registry, deprecated="use Sub instead"):
        pass

    class StructBase(StructEvent, routing_key="c.old", registry=registry, deprecated="use StructSub instead"):
        pass

    class Sub(Base, routing_key="b.new"):
        pass

    class StructSub(StructBase, routing_key="c.new"):
        pass

    assert meta_of(Sub).deprecated is meta_of(StructSub).deprecated is None


@pytest.mark.parametrize("text", ["", "  ", True, 5, b"x", ["x"]])
def test_what_to_use_instead_is_a_text(define: Define, text: Any) -> None:
    with pytest.raises(DefinitionError, match=HERE + r"Done: deprecated= says what to use"):
        define("Done", routing_key="a.b", registry=Registry(), deprecated=text)


def test_a_base_cannot_be_deprecated(define: Define) -> None:
    with pytest.raises(DefinitionError, match=HERE + r"Base: deprecated= is for events with a routing_key"):
        define("Base", abstract=True, deprecated="use Other instead")


def test_a_key_that_is_no_str_is_refused(define: Define) -> None:
    with pytest.raises(DefinitionError, match="Done: routing_key= is a str, got 5"):
        define("Done", routing_key=5, registry=Registry())


def test_a_mistyped_class_keyword_is_named_with_the_nearest(define: Define) -> None:
    with pytest.raises(
        DefinitionError, match=HERE + r"Done: unknown class keyword 'routing_kye': did you mean 'routing_key'"
    ):
        define("Done", routing_kye="a.b")
    with pytest.raises(DefinitionError, match=r"Done: unknown class keyword 'zzz'$"):
        define("Done", routing_key="a.b", zzz=1)


KEYS = [
    ("a..b", r"'a\.\.b' is not the routing key of an event: word '' \(empty words are not allowed\)"),
    ("", r"'' is not the routing key of an event"),
    ("a.*", r"word '\*' \('\*' and '#' are for binding keys\)"),
    ("{x}.{x}", "names the field 'x' twice"),
    ("a" * 256, "is longer than 255 bytes"),
]


@pytest.mark.parametrize(("key", "problem"), KEYS)
def test_a_key_that_is_none_is_refused_with_the_name_of_the_class(define: Define, key: str, problem: str) -> None:
    with pytest.raises(DefinitionError, match=HERE + rf"Done: routing_key: .*{problem}"):
        define("Done", routing_key=key, registry=Registry())


def test_a_placeholder_must_name_a_field(define: Define) -> None:
    with pytest.raises(DefinitionError, match=r"Done: routing key 'a\.\{y\}' names 'y', which is no field of it"):
        define("Done", routing_key="a.{y}", registry=Registry())


def test_a_refused_class_is_not_in_the_registry(define: Define) -> None:
    registry = Registry()
    with pytest.raises(DefinitionError):
        define("Done", routing_key="a.{y}", registry=registry)
    assert len(registry) == 0


def test_the_class_shows_its_key_and_version(define: Define) -> None:
    event = define("Done", routing_key="a.done", version=2, registry=Registry())
    assert repr(event) == f"<event {__name__}.Done 'a.done' v2>"
    assert repr(define("Base", abstract=True)) == f"<abstract event {__name__}.Base>"


def test_the_event_shows_its_fields(define: Define) -> None:
    assert repr(define("Done", routing_key="a.done", registry=Registry())(x=1)) == "Done(x=1)"


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


def test_configuration_of_pydantic_and_msgspec_passes_through() -> None:
    class Closed(Event, routing_key="a.b", registry=Registry(), extra="forbid"):
        x: int

    class StructClosed(StructEvent, routing_key="a.b", registry=Registry(), forbid_unknown_fields=True, rename="camel"):
        home_team: int

    with pytest.raises(ValueError, match=r"\$\.y: Extra inputs are not permitted"):
        read_event(meta_of(Closed), "a.b", b'{"x":1,"y":2}')
    with pytest.raises(ValueError, match="unknown field `home_team`"):
        read_event(meta_of(StructClosed), "a.b", b'{"home_team":1}')
    assert write_event(StructClosed(home_team=1)) == ("a.b", b'{"homeTeam":1}')


def test_unknown_members_of_a_body_are_ignored(define: Define) -> None:
    event = define("Done", routing_key="a.b", registry=Registry())
    assert read_event(meta_of(event), "a.b", b'{"x":1,"later":2}') == event(x=1)


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


@pytest.mark.parametrize("given", [5, None, int, BaseModel, msgspec.Struct, object()])
def test_what_is_no_event_is_refused(given: Any) -> None:
    with pytest.raises(DefinitionError, match="is not an event: expected a subclass of Event or StructEvent"):
        meta_of(given)


def test_publishing_the_class_instead_of_an_event_is_refused(define: Define) -> None:
    event = define("Done", routing_key="a.b", registry=Registry())
    with pytest.raises(DefinitionError, match="expected an event, got the class Done itself"):
        write_event(event)


def test_a_field_may_be_called_as_a_class_keyword() -> None:
    class Done(Event, routing_key="a.{version}", registry=Registry()):
        version: int = Field(ge=1)
        registry: str = ""

    assert write_event(Done(version=2)) == ("a.2", b'{"version":2,"registry":""}')


class Later(BaseModel):
    y: int


class StructLater(msgspec.Struct):
    y: int


#: The metaclass, called as a class statement would.
STRUCTS: Any = type(StructEvent)


def test_an_event_cannot_be_unfrozen() -> None:
    with pytest.raises(DefinitionError, match="an event is frozen"):

        class Open(Event, routing_key="a.b", registry=Registry(), frozen=False):
            pass

    with pytest.raises(DefinitionError, match="an event is frozen"):
        STRUCTS("Open", (StructEvent,), {}, routing_key="a.b", registry=Registry(), frozen=False)


def test_the_body_of_a_struct_event_is_no_array() -> None:
    with pytest.raises(DefinitionError, match="array_like"):
        STRUCTS("Row", (StructEvent,), {}, routing_key="a.b", registry=Registry(), array_like=True)
