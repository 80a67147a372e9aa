"""decide: deliveries of old versions, with upcasts up to the newest and without."""

from typing import Any

import pytest
from kombu.utils import json as kombu_json
from pydantic import field_validator

from tests.routing.kit import calls, dead, deliver, row, table_of
from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent, upcast
from typed_pubsub.routing import DeadLetter, RoutingTable, TaskMapping, call, remote_task

REGISTRY = Registry()


class LoadedV1(Event, routing_key="etl.{source}.loaded", registry=REGISTRY):
    source: str
    count: int

    @field_validator("count")
    @classmethod
    def check(cls, value: int) -> int:
        if value == 13:
            raise RuntimeError("secret")
        return value


class Loaded(StructEvent, routing_key="etl.{source}.loaded", version=4, registry=REGISTRY):
    source: str
    rows: int

    def __post_init__(self) -> None:
        if self.rows == 26:
            raise RuntimeError("secret")


@upcast
def v1_to_v4(old: LoadedV1) -> Loaded:
    if old.count < 0:
        raise LookupError("secret")
    return Loaded(source="erp" if old.count == 99 else old.source, rows=old.count)


@upcast.body(Loaded, version=2, to=4)
def v2_to_v4(body: dict[str, Any]) -> Any:
    if "rows" in body:
        raise LookupError(f"secret {body}")
    return {"rows": body["n"]} if body["n"] != 99 else [body]


@remote_task("t")
def remote(source: str, rows: int) -> None: ...


mapping = TaskMapping()
mapping.on(Loaded, name="r")(lambda event: call(remote, event.source, event.rows))


def said(version: int) -> dict[str, str]:
    return {"ce-specversion": "1.0", "ce-id": "e1", "ce-schemaversion": str(version)}


def table(**policy: Any) -> RoutingTable:
    return table_of(mapping, registry=REGISTRY, **policy)


@pytest.mark.parametrize(("version", "body"), [(1, {"count": 7}), (2, {"n": 7}), (3, {"rows": 7}), (4, {"rows": 7})])
def test_every_version_reaches_the_route_of_the_newest(version: int, body: Any) -> None:
    (made,) = calls(table().decide(deliver("etl.crm.loaded", body, said(version))))
    assert made.args == ("crm", 7)


def test_a_version_without_a_step_is_read_by_the_newest_model_as_it_stands() -> None:
    verdict = dead(table().decide(deliver("etl.crm.loaded", {"n": 7}, said(3))))
    assert verdict == DeadLetter("invalid_body", "$: Object missing required field `rows`")


def test_a_version_that_has_a_model_and_no_step_is_read_by_the_newest_model_as_it_stands() -> None:
    registry = Registry()

    class First(Event, routing_key="a.b", registry=registry):
        number: int

    class Second(Event, routing_key="a.b", version=2, registry=registry):
        number: str

    made = TaskMapping()
    made.on(Second)(lambda event: call(remote, event.number, 1))
    compiled = table_of(made, registry=registry)
    assert calls(compiled.decide(deliver("a.b", {"number": "x"}, said(1))))[0].args == ("x", 1)
    assert dead(compiled.decide(deliver("a.b", {"number": 1}, said(1)))).reason == "invalid_body"


def test_a_message_without_a_version_is_upcast_from_the_default_one() -> None:
    for version, body in ((1, {"count": 7}), (2, {"n": 7}), (4, {"rows": 7})):
        (made,) = calls(table(default_version=version).decide(deliver("etl.crm.loaded", body)))
        assert made.args == ("crm", 7)


def test_kombus_tags_of_a_legacy_message_are_undone_before_the_first_step() -> None:
    registry = Registry()

    class Dated(Event, routing_key="a.b", version=2, registry=registry):
        on: str

    @upcast.body(Dated, version=1)
    def v1_to_v2(body: dict[str, Any]) -> dict[str, Any]:
        return {"on": body["at"]}

    made = TaskMapping()
    made.on(Dated)(lambda event: call(remote, event.on, 1))
    tagged = {"at": {"__type__": "date", "__value__": "2026-08-01"}}
    decision = table_of(made, registry=registry).decide(deliver("a.b", kombu_json.dumps(tagged).encode()))
    assert calls(decision)[0].args == ("2026-08-01", 1)


def test_a_row_gets_the_body_as_it_was_sent_and_none_that_does_not_come_up_to_the_newest() -> None:
    rows = table_of(TaskMapping().add_legacy([row("etl.#")]), registry=REGISTRY)
    assert calls(rows.decide(deliver("etl.crm.loaded", {"n": 7}, said(2))))[0].args == ({"n": 7},)
    assert dead(rows.decide(deliver("etl.crm.loaded", {}, said(2)))).reason == "invalid_body"


def test_a_newer_version_is_a_dead_letter_or_tried_with_upcasts_too() -> None:
    newer = deliver("etl.crm.loaded", {"rows": 7}, said(5))
    assert table().decide(newer) == DeadLetter("newer_version", "version 5, the newest known here is 4")
    assert calls(table(newer_version="try").decide(newer))[0].args == ("crm", 7)


FIRST, SECOND = (f"upcast {__name__}.{name}" for name in ("v1_to_v4 (version 1 to 4)", "v2_to_v4 (version 2 to 4)"))


ERP = {"count": 1, "source": "secret"}


@pytest.mark.parametrize(
    ("version", "body", "detail"),
    [
        (1, {"count": "secret"}, "version 1: $.count: Input should be a valid integer, got str (int_parsing)"),
        (1, ERP, "version 1: $.source: expected the word of the routing key, got another value"),
        (1, {"count": 13}, f"version 1: RuntimeError at {__name__}:LINE in check"),
        (1, {"count": -1}, f"{FIRST}: LookupError at {__name__}:LINE in v1_to_v4"),
        (1, {"count": 99}, f"{FIRST}: its result: $.source: expected the word of the routing key, got another value"),
        (1, {"count": 26}, f"{FIRST}: RuntimeError at {__name__}:LINE in __post_init__"),
        (2, [], "version 2: $: expected a JSON object, got list"),
        (2, {"rows": "secret"}, f"{SECOND}: LookupError at {__name__}:LINE in v2_to_v4"),
        (2, {"secret": 1}, f"{SECOND}: KeyError at {__name__}:LINE in v2_to_v4"),
        (2, {"n": 99}, f"{SECOND}: expected that it returns a dict, got list"),
        (2, {"n": "secret"}, f"{SECOND}: its result: $.rows: Expected `int`, got `str`"),
        (2, {"n": 26}, f"{SECOND}: its result: RuntimeError at {__name__}:LINE in __post_init__"),
    ],
)  # fmt: skip
def test_what_does_not_come_up_to_the_newest_is_an_invalid_body_that_says_where(
    version: int, body: Any, detail: str
) -> None:
    delivery = deliver("etl.crm.loaded", body, said(version))
    verdict = dead(table().decide(delivery))
    assert verdict == table().decide(delivery)
    assert verdict.reason == "invalid_body"
    before, _, after = detail.partition("LINE")
    assert verdict.detail.startswith(before)
    assert verdict.detail.endswith(after)
    assert "secret" not in verdict.detail
    # What the exception says goes into the dead letter only.
    assert bool(verdict.private) == (after != "")


def test_bytes_that_are_no_json_are_undecodable_in_every_version() -> None:
    for version in (1, 2, 3, 4):
        assert dead(table().decide(deliver("etl.crm.loaded", b"{", said(version)))).reason == "undecodable"


def test_a_table_whose_upcasts_do_not_lead_to_the_newest_version_cannot_be_made() -> None:
    registry = Registry()

    class Third(Event, routing_key="a.b", version=3, registry=registry):
        pass

    upcast.body(Third, version=1)(v2_to_v4)
    with pytest.raises(DefinitionError, match=r"v2_to_v4: the upcasts of 'a\.b' end at version 2"):
        table_of(TaskMapping(), registry=registry)
