"""Task ids: the documented formula, recomputed here, so that a redelivery sends the same ones."""

from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.routing.kit import REGISTRY, Paid, calls, deliver, row, ship
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.routing import NAMESPACE, Policy, RoutingTable, TaskMapping, call
from typed_pubsub.routing.table import task_id

OURS = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "s1"}


def mapping() -> TaskMapping:
    made = TaskMapping()
    made.on(Paid, name="three")(lambda event: [call(ship, number) for number in range(3)])
    made.on(Paid, name="chosen")(lambda event: [call(ship, 1).using(task_id="mine"), call(ship, 2)])
    return made.add_legacy([row("orders.*"), row("orders.*")])


def ids(delivery: Delivery, queue: str = "q") -> list[str]:
    return [
        made.options["task_id"] for made in calls(RoutingTable(mapping(), REGISTRY, Policy(queue)).decide(delivery))
    ]


def formula(event_id: str = "e1", source: str = "s1", queue: str = "q") -> list[str]:
    namespace = UUID("5f0b5a5e-6d2f-5c5b-9c1e-7a0f2d9b3c41")
    parts = [("three", 0), ("three", 1), ("three", 2), ("chosen", 0), ("chosen", 1), ("orders.*->t", 0)]
    parts += [("orders.*->t#2", 0)]
    made = [str(uuid5(namespace, f"{queue}/{source}/{event_id}/{route}/{number}")) for route, number in parts]
    made[3] = "mine"
    return made


def test_the_namespace_never_changes() -> None:
    assert UUID("5f0b5a5e-6d2f-5c5b-9c1e-7a0f2d9b3c41") == NAMESPACE


def test_ids_are_made_of_queue_source_event_route_and_number() -> None:
    assert ids(deliver("orders.paid", headers=OURS)) == formula()
    assert len(set(formula())) == 7


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_id_is_the_uuid_5_of_its_name(name: str) -> None:
    assert task_id(name) == str(uuid5(NAMESPACE, name))


def test_one_id_is_known_by_heart() -> None:
    assert ids(deliver("orders.paid", headers=OURS))[0] == "9aba97d4-81c6-5ccd-bf39-76bf6c763c2d"


def test_a_redelivery_has_the_same_ids_whatever_else_is_new() -> None:
    first = deliver("orders.paid", headers=OURS, tag=1, random_id="r1")
    second = deliver("orders.paid", headers={**OURS, "x-death": []}, tag=9, random_id="r2", redelivered=True)
    assert ids(first) == ids(second) == formula()


def test_a_replay_under_the_noted_key_has_the_same_ids() -> None:
    replay = deliver("q", headers={**OURS, "x-pubsub-routing-key": "orders.paid"}, exchange="")
    assert ids(replay) == formula()


@pytest.mark.parametrize(
    ("headers", "properties", "event_id", "source"),
    [
        ({"ce-id": "other", "ce-source": "s1"}, {}, "other", "s1"),
        ({"ce-id": "e1"}, {}, "e1", ""),
        ({"ce-id": "e1"}, {"message_id": "m1"}, "e1", ""),
        ({}, {"message_id": "m1"}, "m1", ""),
        ({}, {}, "r1", ""),
        ({}, {"message_id": ""}, "r1", ""),
    ],
)
def test_the_event_id_is_the_header_else_the_property_else_random(
    headers: dict[str, Any], properties: dict[str, Any], event_id: str, source: str
) -> None:
    assert ids(deliver("orders.paid", headers=headers, properties=properties)) == formula(event_id, source)


def test_another_queue_has_other_ids() -> None:
    other = ids(deliver("orders.paid", headers=OURS), queue="q2")
    assert other == formula(queue="q2")
    assert set(other) & set(formula()) == {"mine"}


def test_a_row_may_set_the_task_id_and_none_counts_as_unset() -> None:
    options: list[Any] = [{"task_id": "mine"}, {"task_id": None}, {}]
    table = RoutingTable(
        TaskMapping().add_legacy([row("orders.*", f"t{n}", celery_kwargs=one) for n, one in enumerate(options)]),
        REGISTRY,
        Policy("q"),
    )
    made = [one.options["task_id"] for one in calls(table.decide(deliver("orders.paid", headers=OURS)))]
    assert made == ["mine", *(str(uuid5(NAMESPACE, f"q/s1/e1/orders.*->t{n}/0")) for n in (1, 2))]


def test_an_id_that_is_made_leaves_the_rows_own_dict_alone() -> None:
    options = {"countdown": 1}
    mapping_of_row = TaskMapping().add_legacy([row("#", celery_kwargs=options)])
    calls(RoutingTable(mapping_of_row, REGISTRY, Policy("q")).decide(deliver("a")))
    assert options == {"countdown": 1}
