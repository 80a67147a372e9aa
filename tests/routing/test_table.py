"""RoutingTable: how it is compiled, and how keys find models and routes."""

import time
from typing import Any

import pytest

from tests.routing.kit import REGISTRY, Loaded, Paid, calls, deliver, row, ship, table_of
from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry
from typed_pubsub.events.registry import meta_of
from typed_pubsub.routing import Policy, RoutingTable, TaskCall, TaskMapping, call
from typed_pubsub.routing import table as table_module


def to_ship(event: Any) -> TaskCall:
    return call(ship, 1)


def mapping_of(*events: type[Any]) -> TaskMapping:
    mapping = TaskMapping()
    for event in events:
        mapping.on(event, name=f"{event.__name__}{len(mapping.routes)}")(to_ship)
    return mapping


def versions() -> tuple[Registry, type[Any], type[Any]]:
    registry = Registry()

    class Old(Event, routing_key="a.b", registry=registry):
        number: int

    class New(Event, routing_key="a.b", version=2, registry=registry):
        number: int
        added: int = 0

    return registry, Old, New


def test_a_route_on_a_superseded_version_is_refused_with_both_names() -> None:
    registry, old, new = versions()
    message = r"^route Old0: .*Old \(version 1 of 'a\.b'\) is superseded by .*New \(version 2\); routes are for the new"
    with pytest.raises(DefinitionError, match=message):
        table_of(mapping_of(old), registry=registry)
    assert table_of(mapping_of(new), registry=registry).target("a.b").meta is meta_of(new)


def test_a_route_on_an_event_of_another_registry_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"^route Paid0: Paid is not in the registry of this subscriber"):
        table_of(mapping_of(Paid), registry=Registry())


def test_a_route_on_a_class_that_was_defined_again_is_refused() -> None:
    registry = Registry()

    def define() -> type[Any]:
        class Again(Event, routing_key="a.b", registry=registry):
            number: int

        return Again

    first, second = define(), define()
    with pytest.raises(DefinitionError, match="is superseded by"):
        table_of(mapping_of(first), registry=registry)
    table_of(mapping_of(second), registry=registry)


def test_binding_keys_are_those_of_the_routes_each_once() -> None:
    mapping = mapping_of(Loaded, Paid, Paid).add_legacy([row("orders.#"), row("orders.paid"), row("orders.#")])
    assert table_of(mapping).binding_keys == ("etl.*.loaded", "orders.paid", "orders.#")


def test_an_empty_mapping_compiles_to_a_table_that_wants_nothing() -> None:
    table = table_of(TaskMapping())
    assert table.binding_keys == ()
    assert table.target("orders.paid").routes == ()
    assert table.target("orders.paid").meta is meta_of(Paid)


def test_a_key_finds_its_model_and_the_routes_that_want_it_in_their_order() -> None:
    mapping = TaskMapping().add_legacy([row("#", "t1"), row("etl.x.loaded", "t2"), row("other", "t3")])
    mapping.on(Loaded)(to_ship)
    mapping.add_legacy([row("*.*.loaded", "t4")])
    target = table_of(mapping).target("etl.x.loaded")
    assert target.meta is meta_of(Loaded)
    assert [route.name.rpartition("->")[2].rpartition(".")[2] for route in target.routes] == [
        "t1",
        "t2",
        "to_ship",
        "t4",
    ]


def test_a_row_whose_pattern_leads_to_a_key_in_two_ways_runs_once() -> None:
    table = table_of(TaskMapping().add_legacy([row("#.a.#")]))
    assert len(calls(table.decide(deliver("a.a.a")))) == 1


def test_what_is_added_after_compiling_is_not_seen() -> None:
    registry = Registry()

    class First(Event, routing_key="a.b", registry=registry):
        number: int

    mapping = mapping_of(First)
    table = table_of(mapping, registry=registry)

    class Second(Event, routing_key="a.b", version=2, registry=registry):
        other: int

    class Third(Event, routing_key="a.c", registry=registry):
        number: int

    mapping.on(Third)(to_ship)
    assert table.target("a.b").meta is meta_of(First)
    assert table.target("a.c").meta is None
    assert table.target("a.c").routes == ()
    assert len(calls(table.decide(deliver("a.b")))) == 1
    assert Second.__qualname__ in repr(registry)


def test_targets_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "_REMEMBERED_KEYS", 10)
    table = table_of(mapping_of(Paid, Loaded))
    first = table.target("orders.paid")
    assert table.target("orders.paid") is first
    for number in range(1_000):
        target = table.target(f"etl.{number}.loaded")
        assert [route.name for route in target.routes] == ["Loaded1"]
        assert len(table._targets) <= 10
    assert table.target("orders.paid") == first


def test_the_bound_is_ten_thousand_keys() -> None:
    assert table_module._REMEMBERED_KEYS == 10_000


def test_the_policy_is_at_hand() -> None:
    policy = Policy("q", unmatched="skip")
    assert RoutingTable(TaskMapping(), REGISTRY, policy).policy is policy


def many(count: int) -> RoutingTable:
    rows = [row(f"service{number}.things.happened", f"t{number}") for number in range(count)]
    rows += [row("service7.*.happened", "star"), row("#.happened", "hash")]
    return table_of(TaskMapping().add_legacy(rows), registry=Registry())


def look_up_time(table: RoutingTable) -> float:
    def once() -> float:
        begun = time.perf_counter()
        for _ in range(200):
            table._targets.clear()
            table.target("service7.things.happened")
        return time.perf_counter() - begun

    return min(once() for _ in range(7))


@pytest.mark.alone
def test_looking_up_a_key_costs_the_same_for_ten_and_for_ten_thousand_routes() -> None:
    few, lots = many(10), many(10_000)
    assert [len(table.target("service7.things.happened").routes) for table in (few, lots)] == [3, 3]
    # A scan would be a thousand times slower.
    assert look_up_time(lots) < look_up_time(few) * 10
