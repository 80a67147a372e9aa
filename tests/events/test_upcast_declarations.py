"""What is refused where a step between versions is declared, and at the start."""

import functools
from typing import Any

import pytest

from tests.events.loaded import REGISTRY, Loaded, LoadedV2, LoadedV3, two_versions, v1_to_v2, v3_to_v4, v4_to_v5
from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, upcast
from typed_pubsub.events.registry import Upcast, meta_of


def declare(old: Any, new: Any, name: str = "step") -> Any:
    def step(event: Any) -> Any: ...

    step.__annotations__ = {"event": old, "return": new}
    step.__qualname__ = name
    return upcast(step)


def test_a_step_between_two_keys_is_refused_and_both_named() -> None:
    class Other(Event, routing_key="etl.{sources}.loaded", version=6, registry=Registry()):
        sources: str

    with pytest.raises(DefinitionError, match="an upcast stays with its key") as refused:
        declare(LoadedV2, Other)
    for part in (
        f"{__name__}.step",
        f"{LoadedV2.__module__}.LoadedV2",
        "Other",
        "'etl.{source}.loaded'",
        "'etl.{sources}.loaded'",
    ):
        assert part in str(refused.value)


def test_a_step_between_two_registries_is_refused_and_both_named() -> None:
    class Elsewhere(Event, routing_key="etl.{source}.loaded", version=6, registry=Registry()):
        source: str

    with pytest.raises(DefinitionError, match=r"LoadedV2 to .*Elsewhere: they are in different registries"):
        declare(LoadedV2, Elsewhere)


@pytest.mark.parametrize(("old", "new"), [(Loaded, LoadedV2), (Loaded, Loaded)])
def test_a_step_downwards_or_sideways_is_refused_and_both_named(old: Any, new: Any) -> None:
    versions = f"from version 5 to {meta_of(new).version}"
    with pytest.raises(
        DefinitionError, match=rf"Loaded to .*\.{new.__name__}: an upcast goes upwards, not {versions}$"
    ):
        declare(old, new)


@pytest.mark.parametrize(("version", "to"), [(2, 2), (2, 1), (0, None), (-1, 2)])
def test_a_body_step_downwards_or_sideways_is_refused(version: int, to: int | None) -> None:
    with pytest.raises(DefinitionError, match=rf"Loaded: an upcast of .* goes upwards, not from version {version} to"):
        upcast.body(Loaded, version=version, to=to)


def test_a_second_step_from_one_version_is_refused_and_both_named() -> None:
    with pytest.raises(DefinitionError, match=r"\.second: .* version 2 is already upcast by .*\.v2_to_v3$") as refused:
        declare(LoadedV2, Loaded, "second")
    assert str(refused.value).startswith(f"{__name__}.second: 'etl.{{source}}.loaded' ")
    with pytest.raises(DefinitionError, match=r"is already upcast by .*\.v2_to_v3$"):
        upcast.body(Loaded, version=2)(v4_to_v5)


def test_declaring_a_step_again_replaces_it() -> None:
    registry, old, new = two_versions()
    declare(old, new)
    again = declare(old, new)
    assert [step.function for step in registry.chains("a.{x}")[1]] == [again]


def test_the_same_name_in_another_module_does_not_replace() -> None:
    _, old, new = two_versions()
    declare(old, new).__module__ = "elsewhere"
    with pytest.raises(DefinitionError, match=r"already upcast by elsewhere\.step$"):
        declare(old, new)


def test_an_upcast_is_annotated_with_two_events() -> None:
    def bare(old):  # type: ignore[no-untyped-def]
        ...

    def half(old: LoadedV2): ...  # type: ignore[no-untyped-def]

    def none() -> LoadedV3: ...  # type: ignore[empty-body]

    for function in (bare, half, none):
        with pytest.raises(DefinitionError, match=rf"{function.__name__}: an upcast is annotated with the event that"):
            upcast(function)  # type: ignore[arg-type]

    class Base(Event, abstract=True, registry=REGISTRY):
        source: str

    for old, new in ((dict, Loaded), (LoadedV2, dict), (Base, Loaded), (LoadedV2, LoadedV3 | Loaded)):
        with pytest.raises(DefinitionError, match=r"is not an event|is abstract"):
            declare(old, new)
    with pytest.raises(DefinitionError, match="is abstract"):
        upcast.body(Base, version=1)


def test_an_annotation_that_leads_nowhere_is_refused_by_the_name_of_the_function() -> None:
    with pytest.raises(DefinitionError, match=r"step: name 'Nowhere' is not defined"):
        declare(LoadedV2, "Nowhere")


def test_what_has_no_name_of_its_own_is_no_upcast() -> None:
    with pytest.raises(DefinitionError, match="an upcast is a function, got partial"):
        upcast.body(Loaded, version=9)(functools.partial(v1_to_v2))


def test_a_chain_that_ends_before_or_beyond_the_newest_version_is_refused_at_start() -> None:
    for to in (2, 4):
        registry = Registry()

        class Newest(Event, routing_key="a.b", version=3, registry=registry):
            pass

        upcast.body(Newest, version=1, to=to)(v1_to_v2)
        message = rf"v1_to_v2: the upcasts of 'a\.b' end at version {to}, to which it leads; the newest version is 3$"
        for refused in (registry.prepare, lambda registry=registry: registry.chains("a.b")):
            with pytest.raises(DefinitionError, match=message):
                refused()


def test_the_function_that_is_named_is_the_one_that_leads_to_the_end() -> None:
    registry = Registry()

    class Newest(Event, routing_key="a.b", version=9, registry=registry):
        pass

    upcast.body(Newest, version=1)(v1_to_v2)
    upcast.body(Newest, version=2)(v3_to_v4)
    with pytest.raises(DefinitionError, match=r"\.v3_to_v4: the upcasts of 'a\.b' end at version 3"):
        registry.prepare()


def test_a_step_whose_class_was_defined_again_is_refused_at_start() -> None:
    registry, old, new = two_versions()
    declare(old, new)
    registry.prepare()
    space = {"__module__": new.__module__, "__qualname__": new.__qualname__, "__annotations__": {"x": str}}
    type(new)("New", (Event,), space, routing_key="a.{x}", version=2, registry=registry)
    with pytest.raises(DefinitionError, match=r"step: .*New was defined again after it: define the upcast again too"):
        registry.prepare()


def test_registries_do_not_know_of_each_others_upcasts() -> None:
    (one, old, new), (other, _, strange) = two_versions(), two_versions()
    declare(old, new)
    assert list(one.chains("a.{x}")) == [1]
    assert other.chains("a.{x}") == {}
    with pytest.raises(DefinitionError, match=r"v1_to_v2: .*New is not in this registry"):
        Registry().add_upcast(Upcast(v1_to_v2, strange, 1, 2))
