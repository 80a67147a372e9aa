"""Whatever steps a chain is made of, every version of an event arrives as the newest."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from typed_pubsub.events import Event, Registry, StructEvent, upcast
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.routing import DeadLetter, Policy, RoutingTable, Schedule, TaskMapping, call, remote_task

SECRET = "s3cret-token"


@remote_task("t")
def remote(source: str, trail: list[int]) -> None: ...


@dataclass(frozen=True)
class Version:
    """One version of an event: its model's base, or None where the model is gone, and the kind of the step from it.

    ``by_model`` counts where both models are there.
    """

    number: int
    base: Any
    by_model: bool


def define(version: Version, registry: Registry) -> Any:
    """A model whose fields name its version: no body is read as one of another version by chance."""
    number = version.number
    hints = {"source": str, f"trail_{number}": list[int], "boom": bool}
    space = {"__annotations__": hints, "boom": False, "__module__": __name__, "__qualname__": f"V{number}"}
    keywords = {"routing_key": "etl.{source}.loaded", "version": number, "registry": registry}
    return type(version.base)(f"V{number}", (version.base,), space, **keywords)


def model_step(old: Any, new: Any, before: int, after: int) -> None:
    def step(event: Any) -> Any:
        if event.boom:
            raise LookupError(f"{event!r} {SECRET}")
        return new(**{"source": event.source, f"trail_{after}": [*getattr(event, f"trail_{before}"), before]})

    step.__annotations__ = {"event": old, "return": new}
    step.__qualname__ = f"step_{before}"
    upcast(step)


def body_step(newest: Any, before: int, after: int) -> None:
    def step(body: dict[str, Any]) -> dict[str, Any]:
        if body.get("boom"):
            raise LookupError(f"{body!r} {SECRET}")
        return {"source": body["source"], f"trail_{after}": [*body[f"trail_{before}"], before]}

    step.__qualname__ = f"step_{before}"
    upcast.body(newest, version=before, to=after)(step)


bases = st.sampled_from([Event, StructEvent])


@st.composite
def chains(draw: st.DrawFn) -> list[Version]:
    """One to four versions in order, with gaps in their numbers; the newest has a model."""
    numbers = sorted(draw(st.sets(st.integers(1, 9), min_size=1, max_size=4)))
    *old, newest = numbers
    versions = [Version(number, draw(st.none() | bases), draw(st.booleans())) for number in old]
    return [*versions, Version(newest, draw(bases), by_model=False)]


def table_of(versions: list[Version]) -> RoutingTable:
    registry = Registry()
    models = {version.number: define(version, registry) for version in versions if version.base is not None}
    newest = models[versions[-1].number]
    for before, after in pairwise(versions):
        old, new = models.get(before.number), models.get(after.number)
        if before.by_model and old is not None and new is not None:
            model_step(old, new, before.number, after.number)
        else:
            body_step(newest, before.number, after.number)
    registry.prepare()
    mapping = TaskMapping()
    trail = f"trail_{versions[-1].number}"
    mapping.on(newest, name="r")(lambda event: call(remote, event.source, getattr(event, trail)))
    return RoutingTable(mapping, registry, Policy("q"))


def delivery(version: int, body: Any) -> Delivery:
    headers = {"ce-specversion": "1.0", "ce-id": "e1", "ce-schemaversion": str(version)}
    return Delivery("etl.crm.loaded", msgspec.json.encode(body), "r1", "events", headers)


@given(chains(), st.data())
def test_a_delivery_of_any_version_arrives_as_the_newest(versions: list[Version], data: st.DataObject) -> None:
    table = table_of(versions)
    numbers = [version.number for version in versions]
    for index, number in enumerate(numbers):
        body = {f"trail_{number}": [0]} | data.draw(st.sampled_from([{}, {"source": "crm"}]))
        decision = table.decide(delivery(number, body))
        assert isinstance(decision, Schedule), decision
        # Each step once, in order.
        assert [made.args for made in decision.calls] == [("crm", [0, *numbers[index:-1]])]
        assert table.decide(delivery(number, body)) == decision


@given(chains(), st.data())
def test_what_does_not_arrive_is_an_invalid_body_that_names_the_version_and_quotes_nothing(
    versions: list[Version], data: st.DataObject
) -> None:
    table = table_of(versions)
    version = data.draw(st.sampled_from(versions))
    trail = f"trail_{version.number}"
    bodies: list[Any] = [{}, [SECRET], {trail: [SECRET]}, {trail: [0], "source": SECRET}, {SECRET: SECRET}]
    if version is not versions[-1]:
        bodies.append({trail: [0], "boom": True})
    decision = table.decide(delivery(version.number, data.draw(st.sampled_from(bodies))))
    assert isinstance(decision, DeadLetter), decision
    assert decision.reason == "invalid_body"
    assert SECRET not in decision.detail
    assert decision.detail.isprintable()
    named = [int(number) for number in re.findall(r"\bversion (\d+)", decision.detail)]
    # Of an old version: where the body was refused, or the step that returned what was.
    assert version is versions[-1] or version.number <= named[0] < versions[-1].number
