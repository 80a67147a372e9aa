"""How old versions are read as the newest, step by step."""

import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import typed_pubsub
from tests.events.loaded import (
    KEY,
    REGISTRY,
    Loaded,
    LoadedV2,
    LoadedV3,
    two_versions,
    v1_to_v2,
    v2_to_v3,
    v3_to_v4,
    v4_to_v5,
)
from typed_pubsub.events import Registry, StructEvent, upcast
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.registry import meta_of
from typed_pubsub.events.upcasts import StepFailed, chains_to


def read(registry: Registry, version: int, body: bytes, key: str = KEY) -> Any:
    newest = registry.find(key)
    assert newest is not None
    return chains_to(meta_of(newest), registry)[version].read(key, body)


@pytest.mark.parametrize(
    ("version", "body"),
    [
        (1, b'{"source":"crm","n":"7"}'),
        (2, b'{"source":"crm","count":7}'),
        (3, b'{"source":"crm","rows":"7"}'),
        (4, b'{"source":"crm","rows":"7","unit":"rows"}'),
    ],
)
def test_every_version_is_read_as_the_newest(version: int, body: bytes) -> None:
    assert read(REGISTRY, version, body) == Loaded(source="crm", rows=Decimal(7), unit="rows")


@pytest.mark.parametrize(("version", "body"), [(1, b'{"n":"7"}'), (2, b'{"count":7}'), (3, b'{"rows":7}')])
def test_a_word_that_the_body_lacks_is_taken_from_the_key_in_every_version(version: int, body: bytes) -> None:
    assert read(REGISTRY, version, body).source == "crm"


@pytest.mark.parametrize(
    ("version", "body"),
    [(1, b'{"source":"erp","n":"7"}'), (3, b'{"source":"erp","rows":"7"}'), (2, b'{"source":"erp","count":7}')],
)
def test_a_body_of_an_old_version_that_disagrees_with_its_key_is_refused(version: int, body: bytes) -> None:
    with pytest.raises(BodyError, match=r"\$\.source: expected the word of the routing key") as refused:
        read(REGISTRY, version, body)
    assert "erp" not in str(refused.value)


def test_a_chain_starts_at_every_version_that_has_a_step_and_at_no_other() -> None:
    steps = [step.function for step in REGISTRY.chains("etl.{source}.loaded")[2]]
    assert steps == [v2_to_v3, v3_to_v4, v4_to_v5]
    assert list(chains_to(meta_of(Loaded), REGISTRY)) == [1, 2, 3, 4]
    assert REGISTRY.chains("etl.other.loaded") == {}
    REGISTRY.prepare()


def test_a_decorated_function_is_itself() -> None:
    assert v2_to_v3(LoadedV2(source="a", count=1)) == LoadedV3(source="a", rows=Decimal(1))
    assert v1_to_v2({"source": "a", "n": 1}) == {"source": "a", "count": 1}
    assert typed_pubsub.upcast is upcast


@pytest.mark.parametrize("version", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("body", "readable"), [(b"", False), (b"{", False), (b"[]", True), (b"5", True), (b'{"rows": NaN}', False)]
)
def test_what_no_version_could_have_written_is_refused_by_its_number(version: int, body: bytes, readable: bool) -> None:
    with pytest.raises(BodyError, match=f"^version {version}: ") as refused:
        read(REGISTRY, version, body)
    assert refused.value.readable is readable


def test_a_body_that_does_not_fit_the_model_of_its_version_is_refused_by_that() -> None:
    with pytest.raises(BodyError, match=r"^version 2: \$\.count: Expected `int`, got `str`$"):
        read(REGISTRY, 2, b'{"count":"hunter2"}')


def one_step(make: Callable[[Any], Any]) -> Registry:
    """With a model step of which ``make`` of the new class makes the function's body."""
    registry, old, new = two_versions()

    def step(event: Any) -> Any:
        return make(new)(event)

    step.__annotations__ = {"event": old, "return": new}
    upcast(step)
    return registry


def one_body_step(function: Callable[[dict[str, Any]], Any]) -> Registry:
    registry, _, new = two_versions()
    upcast.body(new, version=1)(function)
    return registry


def secretive(body: Any) -> Any:
    raise LookupError("hunter2")


def test_what_a_step_raises_is_told_with_function_and_versions() -> None:
    for registry, name in (
        (one_step(lambda _: secretive), "one_step.<locals>.step"),
        (one_body_step(secretive), "secretive"),
    ):
        with pytest.raises(StepFailed, match=f"^{re.escape(f'upcast {__name__}.{name} (version 1 to 2)')}$") as failed:
            read(registry, 1, b"{}", "a.b")
        assert isinstance(failed.value.error, LookupError)


@pytest.mark.parametrize("raised", [SystemExit("x"), RecursionError(), GeneratorExit()])
def test_a_step_may_raise_what_it_likes(raised: BaseException) -> None:
    def explode(body: Any) -> Any:
        raise raised

    with pytest.raises(StepFailed) as failed:
        read(one_body_step(explode), 1, b"{}", "a.b")
    assert failed.value.error is raised


def test_ctrl_c_goes_through_a_step() -> None:
    def interrupt(body: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(one_body_step(interrupt), 1, b"{}", "a.b")

    registry = Registry()

    class Interrupted(StructEvent, routing_key="i.j", version=2, registry=registry):
        def __post_init__(self) -> None:
            raise KeyboardInterrupt

    upcast.body(Interrupted, version=1)(lambda body: body)
    with pytest.raises(KeyboardInterrupt):
        read(registry, 1, b"{}", "i.j")


@pytest.mark.parametrize("returned", [None, {"x": "b"}, 5, Loaded])
def test_a_model_step_that_returns_no_event_of_its_result_is_refused(returned: Any) -> None:
    message = r"step \(version 1 to 2\): expected that it returns a New, got (NoneType|dict|int|StructEventMeta)$"
    with pytest.raises(BodyError, match=message):
        read(one_step(lambda _: lambda event: returned), 1, b"{}", "a.b")
    with pytest.raises(BodyError, match=r"returns a New, got Old$"):
        read(one_step(lambda _: lambda event: event), 1, b"{}", "a.b")


@pytest.mark.parametrize("returned", [None, [], "x", LoadedV2(source="a", count=1)])
def test_a_body_step_that_returns_no_dict_is_refused(returned: Any) -> None:
    with pytest.raises(BodyError, match=r"\(version 1 to 2\): expected that it returns a dict, got ") as refused:
        read(one_body_step(lambda body: returned), 1, b"{}", "a.b")
    assert refused.value.readable


def test_a_result_whose_words_are_not_those_of_the_key_is_refused() -> None:
    disagree = r"step \(version 1 to 2\): its result: \$\.x: expected the word of the routing key, got another value$"
    with pytest.raises(BodyError, match=disagree):
        read(one_step(lambda new: lambda event: new(x="hunter2")), 1, b"{}", "a.b")
    with pytest.raises(BodyError, match=r"\(version 1 to 2\): its result: \$\.x: expected the word"):
        read(one_body_step(lambda body: {"x": "hunter2"}), 1, b"{}", "a.b")


def test_a_dict_of_a_kind_of_its_own_is_a_dict() -> None:
    assert read(one_body_step(lambda body: Counter(number=3)), 1, b"{}", "a.b").number == 3


def test_a_result_without_a_word_gets_it_from_the_key() -> None:
    assert read(one_body_step(lambda body: {"number": 3}), 1, b"{}", "a.b").model_dump() == {"x": "b", "number": 3}


@pytest.mark.parametrize("number", ["hunter2", None, float("nan"), {"hunter2": 1}])
def test_a_dict_that_the_next_model_refuses_is_told_with_the_function_and_without_the_value(number: Any) -> None:
    with pytest.raises(BodyError, match=r"\(version 1 to 2\): its result: ") as refused:
        read(one_body_step(lambda body: {"number": number}), 1, b"{}", "a.b")
    assert "hunter2" not in str(refused.value)
    assert refused.value.readable, "what came over the wire was JSON"


@pytest.mark.parametrize("value", [object(), b"\xff", "\ud800"])
def test_a_dict_that_has_no_json_form_is_told_with_the_function(value: Any) -> None:
    with pytest.raises(StepFailed, match=r"\(version 1 to 2\): its result$"):
        read(one_body_step(lambda body: {"number": value}), 1, b"{}", "a.b")


def test_an_event_that_was_made_without_its_fields_is_told_with_the_function() -> None:
    with pytest.raises(StepFailed, match=r"\(version 1 to 2\): its result$"):
        read(one_step(lambda new: lambda event: new.model_construct()), 1, b"{}", "a.b")
