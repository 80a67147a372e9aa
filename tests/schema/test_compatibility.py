"""The checker of compatibility, judged by the corpus of evolutions and by random models."""

from dataclasses import field
from typing import Any, Final, Literal

import pydantic.dataclasses
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, create_model

from tests.schema.evolutions import EVOLUTIONS
from tests.schema.evolutions.evolution import event, instance
from tests.schema.evolutions.nested_models import Numbered
from tests.schema.random_models import instances, pairs
from typed_pubsub.errors import EventError
from typed_pubsub.events import StructEvent
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.keyed import write_event
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import schema_of
from typed_pubsub.schema.closed import written
from typed_pubsub.schema.compatibility import Problem, problems

#: Compatible in truth, but called a break, which costs a version and no event: names of at most three evolutions.
FALSE_ALARMS: Final = frozenset(
    {"a pattern to the lengths that it implies", "a pattern of a Struct, whose end may be a line's, to a model"}
)

#: Writer and reader of both directions of each evolution, by its name, with the truth.
VERDICTS: Final[list[Any]] = [
    pytest.param(e.name, writer, reader, verdict, id=f"{e.name}, {direction}")
    for e in EVOLUTIONS
    for direction, writer, reader, verdict in (
        ("backward", e.old, e.new, e.backward),
        ("forward", e.new, e.old, e.forward),
    )
]


def _found(writer: Any, reader: Any) -> list[Problem]:
    return problems(written(schema_of(writer)), schema_of(reader))


@pytest.mark.parametrize(("name", "writer", "reader", "compatible"), VERDICTS)
def test_the_verdict_is_true(name: str, writer: Any, reader: Any, compatible: bool) -> None:
    found = _found(writer, reader)
    if not compatible:
        assert found != []
    elif name not in FALSE_ALARMS:
        assert found == []


def test_false_alarms_are_few_and_real() -> None:
    alarming = {e.name for e in EVOLUTIONS if e.backward and _found(e.old, e.new) != []}
    alarming |= {e.name for e in EVOLUTIONS if e.forward and _found(e.new, e.old) != []}
    assert alarming == FALSE_ALARMS
    assert len(FALSE_ALARMS) <= 3


@pytest.mark.once
@settings(max_examples=120)
@given(pairs(), st.data())
def test_what_is_called_compatible_is_read(pair: tuple[Any, Any], data: st.DataObject) -> None:
    for writer, reader in (pair, pair[::-1]):
        if _found(writer, reader) == []:
            _, body = write_event(data.draw(instances(writer)))
            assert type(meta_of(reader).codec.read(body)) is reader


def _chain(depth: int, last: Any, *, optional: bool) -> Any:
    """An event with two members of a model with two members of a model, and so on."""
    model: Any = create_model("M0", x=(last, ...))
    for level in range(1, depth):
        kind = model | None if optional else model
        model = create_model(f"M{level}", a=(kind, ...), b=(kind, ...))
    return event({"a": model, "b": model})


@pytest.mark.parametrize("optional", [False, True])
def test_a_break_far_down_is_told_once_however_many_ways_lead_to_it(optional: bool) -> None:
    old, new = (_chain(20, last, optional=optional) for last in (int, str))
    assert [(one.rule, one.path) for one in _found(old, new)] == [("type", "$" + 20 * ".a" + ".x")]


def _held_twice(kind: Any) -> Any:
    held: Any = create_model("Held", x=(kind, ...))
    return event({"p": held, "q": held, "r": kind})


def test_a_break_that_is_told_at_one_path_hides_no_other() -> None:
    assert [one.path for one in _found(_held_twice(int), _held_twice(str))] == ["$.p.x", "$.r"]


@pydantic.dataclasses.dataclass(config=ConfigDict(extra="forbid"))
class Closed:
    a: int
    b: int = field(default=0, init=False)


def test_a_closed_dataclass_does_not_read_what_it_sets_itself() -> None:
    reader = event({"x": Closed})
    assert [(one.rule, one.path) for one in _found(event({"x": Numbered}), reader)] == [("closed", "$.x.b")]
    with pytest.raises(EventError, match=r"\$\.x\.b: .* the model does not accept what it writes itself"):
        write_event(reader(x=Closed(1)))


def test_of_keys_of_a_literal_a_model_reads_the_texts_only() -> None:
    keys: Any = dict[Literal["a", 1], int]
    writer, reader = event({"x": keys}, StructEvent), event({"x": keys})
    assert [(one.rule, one.path) for one in _found(writer, reader)] == [("names", "$.x")]
    with pytest.raises(BodyError):
        meta_of(reader).codec.read(write_event(instance(writer, {"x": {1: 1}}))[1])
