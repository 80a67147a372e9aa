import sys
from typing import Any

import pytest

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.keys import KeyTemplate
from typed_pubsub.events.registry import EventMeta


def _event(registry: Registry, name: str, routing_key: str, version: int = 1) -> Any:
    meta: Any = type(Event)
    space = {
        "__annotations__": {"x": str, "y": str},
        "__module__": __name__,
        "__qualname__": name,
    }
    return meta(name, (Event,), space, routing_key=routing_key, version=version, registry=registry)


def test_two_models_of_one_key_and_version_are_refused_and_both_named() -> None:
    registry = Registry()
    _event(registry, "One", "a.b")
    message = rf"^{__name__}\.Two: 'a\.b' version 1 is already bound to {__name__}\.One$"
    with pytest.raises(DefinitionError, match=message.replace(__name__, __name__.replace(".", r"\."))):
        _event(registry, "Two", "a.b")


@pytest.mark.parametrize(
    ("first", "second"),
    [("a.{x}", "a.b"), ("a.b", "a.{x}"), ("a.{x}", "a.{y}"), ("{x}.b", "a.{y}"), ("a.{x}.c", "a.b.{y}")],
)
def test_two_keys_that_can_match_one_routing_key_are_refused_and_both_named(first: str, second: str) -> None:
    registry = Registry()
    _event(registry, "One", first)
    with pytest.raises(DefinitionError, match="can match the same routing key") as refused:
        _event(registry, "Two", second)
    for part in (f"{__name__}.One", f"{__name__}.Two", repr(first), repr(second)):
        assert part in str(refused.value)
    assert [event.__name__ for event in registry] == ["One"]


def test_keys_that_cannot_meet_live_side_by_side() -> None:
    registry = Registry()
    for number, key in enumerate(["a", "a.b", "b.{x}", "b.{x}.c", "b.{x}.d", "c.{x}"]):
        _event(registry, f"E{number}", key)
    assert len(registry) == 6


def test_versions_of_one_key_live_side_by_side_and_the_newest_is_found() -> None:
    registry = Registry()
    third = _event(registry, "Third", "a.{x}", 3)
    first = _event(registry, "First", "a.{x}", 1)
    assert registry.find("a.q") is third
    assert registry.newest("a.{x}") is third
    assert registry.versions("a.{x}") == {1: first, 3: third}
    assert list(registry) == [first, third]


def test_a_version_of_a_template_is_still_held_against_other_keys() -> None:
    registry = Registry()
    _event(registry, "One", "a.{x}")
    _event(registry, "Two", "a.{x}", 2)
    with pytest.raises(DefinitionError):
        _event(registry, "Three", "a.b", 3)


def test_find_tells_concrete_keys_templates_and_strangers_apart() -> None:
    registry = Registry()
    exact, template = _event(registry, "One", "a.b"), _event(registry, "Two", "t.{x}.done")
    assert registry.find("a.b") is exact
    assert registry.find("t.q.done") is template
    for stranger in ("", "a", "a.b.c", "t.q", "t.q.done.", "a.*", "#"):
        assert registry.find(stranger) is None
    assert registry.newest("t.q.done") is None
    assert registry.versions("t.q.done") == {}


def test_a_key_that_spells_a_template_is_found_by_its_words() -> None:
    registry = Registry()
    event = _event(registry, "One", "t.{x}")
    assert registry.find("t.{x}") is event


def test_defining_a_class_again_replaces_it() -> None:
    registry = Registry()
    before, again = _event(registry, "One", "a.{x}"), _event(registry, "One", "a.{x}")
    assert before is not again
    assert list(registry) == [again]
    assert registry.find("a.q") is again


def test_adding_the_same_class_twice_changes_nothing() -> None:
    registry = Registry()
    event = _event(registry, "One", "a.b")
    registry.add(event, event.__event_meta__)
    assert list(registry) == [event]


def test_the_same_name_in_another_module_does_not_replace() -> None:
    registry = Registry()
    event = _event(registry, "One", "a.b")
    event.__module__ = "elsewhere"
    with pytest.raises(DefinitionError, match=r"is already bound to elsewhere\.One"):
        _event(registry, "One", "a.b")


def test_registries_do_not_know_of_each_other() -> None:
    one, other = Registry(), Registry()
    assert _event(one, "One", "a.b") is not _event(other, "Two", "a.b")
    assert (len(one), len(other)) == (1, 1)


def test_both_kinds_of_event_share_a_registry() -> None:
    registry = Registry()
    _event(registry, "One", "a.b")
    with pytest.raises(DefinitionError, match="is already bound to"):

        class Two(StructEvent, routing_key="a.b", registry=registry):
            x: int


def test_a_registry_shows_its_contents() -> None:
    registry = Registry()
    assert repr(registry) == "Registry()"
    _event(registry, "Two", "b.{x}", 2)
    _event(registry, "One", "a.b")
    assert repr(registry) == "Registry(a.b v1: One, b.{x} v2: Two)"


@pytest.mark.once
def test_binding_one_key_more_costs_the_same_after_ten_thousand() -> None:
    registry = Registry()
    meta = _event(registry, "One", "t.{x}").__event_meta__

    def steps(text: str) -> int:
        """Calls that binding a class to a key takes."""
        found = EventMeta(KeyTemplate.parse(text), 1, meta.codec)
        event = type("Bound", (), {"__event_meta__": found})
        count = 0

        def step(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(step)
        try:
            registry.add(event, found)
        finally:
            sys.setprofile(None)
        return count

    for kind in ("a.b{}", "c.d{}.{{x}}"):
        first = [steps(kind.format(number)) for number in range(5_000)][1]
        # Not to a call: the garbage collector may call back meanwhile.
        assert steps(kind.format("last")) < 2 * first
    assert len(registry) == 10_003
