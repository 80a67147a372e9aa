"""What a class statement of an Event says, allows and refuses; the same for StructEvent where it has the same rule."""

from collections.abc import Callable
from typing import Any

import msgspec
import pydantic
import pytest
from pydantic import BaseModel, Field

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent, default_registry
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.registry import meta_of

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
