"""What becomes of an event, and why: told without a broker, and in agreement with what a subscriber does."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Task
from hypothesis import given
from hypothesis import strategies as st

from tests.routing.kit import REGISTRY, Cancelled, Loaded, Paid, Scored, bill, row, ship
from tests.support.services import celery_app
from typed_pubsub import PubSubConfig, Registry, TaskMapping, call, upcast
from typed_pubsub.events import Event
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.ops.dry_run import DryRun, prepare_dry_run
from typed_pubsub.ops.explain import Explanation, delivery_of, explain
from typed_pubsub.routing import DeadLetter, Schedule, TaskCall

APP = celery_app("memory://")
APP.conf.task_routes = {"shop.tasks.bill": {"queue": "billing"}}
VERSIONS = Registry()


class OldMoved(Event, routing_key="players.moved", registry=VERSIONS):
    player: int


class Moved(Event, routing_key="players.moved", version=2, registry=VERSIONS):
    player: str


@upcast
def one_to_two(old: OldMoved) -> Moved:
    return Moved(player=str(old.player))


def dry_run_of(mapping: Any, registry: Registry = REGISTRY, **settings: Any) -> DryRun:
    config = PubSubConfig(mapping, lambda: APP, "amqp://localhost//", "events", "q", **settings)
    return prepare_dry_run(config, registry)


def told(mapping: Any, key: str, body: Any, *, version: int | None = None, **settings: Any) -> Explanation:
    dry_run = dry_run_of(mapping, **settings)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return explain(dry_run, delivery_of(dry_run, key, raw, "an-id", version))


def test_every_route_of_the_key_tells_its_condition_and_its_calls_with_the_queue_that_celery_chooses() -> None:
    mapping = TaskMapping()

    @mapping.on(Paid, when=lambda event: event.number > 5)
    def send(event: Paid) -> Iterator[TaskCall]:
        yield call(ship, event.number, note="x").using(countdown=3)
        yield call(bill, event.number)

    @mapping.on(Paid, Cancelled)
    def nothing(event: Paid | Cancelled) -> None: ...

    mapping.add_legacy([row("orders.*", "legacy.task", should_schedule=lambda key, body: body["number"] > 7)])
    found = told(mapping, "orders.paid", {"number": 7})
    assert (found.outcome, found.routing_key, found.event_id, found.version) == ("scheduled", "orders.paid", "an-id", 1)
    assert found.model == "tests.routing.kit.Paid"
    sending, doing_nothing, legacy = found.routes
    assert [(each.task, each.args, each.kwargs, each.queue) for each in sending.calls] == [
        ("shop.tasks.ship", (7,), {"note": "x"}, "shop"),
        ("shop.tasks.bill", (7,), {}, "billing"),
    ]
    assert sending.holds is True
    assert sending.calls[0].options["countdown"] == 3
    assert (doing_nothing.holds, doing_nothing.calls) == (None, ())
    assert (legacy.name, legacy.is_row, legacy.holds, legacy.calls) == ("orders.*->legacy.task", True, False, ())
    assert legacy.binding_keys == ("orders.*",)


def test_everything_that_is_wrong_with_a_body_is_told_with_its_path_and_what_came() -> None:
    mapping = TaskMapping().add_legacy([row("orders.paid")])
    found = told(mapping, "orders.paid", {"number": "seven", "note": [1]})
    assert [(each.path, each.kind, each.got) for each in found.misfits] == [
        ("$.number", "int_parsing", '"seven"'),
        ("$.note", "string_type", "[1]"),
    ]
    assert (found.outcome, found.reason) == ("dead-lettered", "invalid_body")
    assert [route.asked for route in found.routes] == [False]


def test_more_misfits_are_told_than_a_dead_letter_has_room_for() -> None:
    registry = Registry()

    class Wide(Event, routing_key="a.wide", registry=registry):
        one: int
        two: int
        three: int
        four: int
        five: int
        six: int
        seven: int

    dry_run = dry_run_of(TaskMapping().add_legacy([row("a.wide")]), registry)
    found = explain(dry_run, delivery_of(dry_run, "a.wide", b"{}", "i"))
    assert len(found.misfits) == 7
    assert found.detail.endswith("and 2 more")


def test_of_a_struct_the_first_misfit_is_told() -> None:
    found = told(TaskMapping().add_legacy([row("scores.changed")]), "scores.changed", {"home": "x"})
    (misfit,) = found.misfits
    assert (misfit.path, misfit.expected) == ("$.home", "Expected `int`, got `str`")


def test_what_is_no_json_has_no_misfits_but_the_decision_says_so() -> None:
    found = told(TaskMapping().add_legacy([row("orders.paid")]), "orders.paid", b'{"number": 1')
    assert (found.misfits, found.reason) == ((), "undecodable")
    assert found.detail.startswith("expected JSON: ")


def test_words_of_the_key_are_fields_and_must_agree() -> None:
    mapping = TaskMapping().add_legacy([row("etl.#")])
    assert told(mapping, "etl.crm.loaded", {}).outcome == "scheduled"
    assert told(mapping, "etl.crm.loaded", {}).misfits == ()
    assert "word of the routing key" in told(mapping, "etl.crm.loaded", {"source": "erp"}).detail


def test_the_users_errors_are_told_with_place_and_text() -> None:
    mapping = TaskMapping()

    @mapping.on(Paid)
    def fail(event: Paid) -> TaskCall:
        raise LookupError(f"no order {event.number}")

    found = told(mapping, "orders.paid", {"number": 1})
    assert (found.outcome, found.reason) == ("dead-lettered", "mapping_error")
    assert "no order 1" in found.detail
    assert found.routes[0].problem.startswith("LookupError at tests.ops.test_explain:")


def test_a_task_that_cannot_be_built_is_a_dead_letter_as_it_is_for_a_subscriber() -> None:
    mapping = TaskMapping()
    mapping.route(Paid).to(ship, lambda event, send: send(event.number), serializer="no-such")
    found = told(mapping, "orders.paid", {"number": 1})
    assert (found.outcome, found.reason) == ("dead-lettered", "mapping_error")
    assert found.detail.startswith("the task message cannot be built: ")
    assert "no-such" in found.routes[0].calls[0].problem


def test_tasks_that_do_not_take_their_arguments_are_scheduled_as_a_subscriber_does_but_in_vain() -> None:
    class Old(Task):  # type: ignore[type-arg]
        name = "old"

        def run(self, number: int) -> None: ...

    def new(number: int) -> None: ...

    APP.register_task(Old())
    APP.task(name="new", shared=False)(new)
    two: Any = lambda key, body: ([body["number"], 2], {})  # noqa: E731  # as rows are written
    one: Any = lambda key, body: ([body["number"]], {"urgent": True})  # noqa: E731  # as rows are written
    rows = [row("orders.*", "new", get_args=two), row("orders.paid", "old", get_args=one)]
    found = told(TaskMapping().add_legacy(rows), "orders.paid", {"number": 1})
    assert (found.outcome, found.reason) == ("scheduled", "the task does not take these arguments")
    assert found.detail == "new: new() takes 1 positional argument but 2 were given"
    assert found.fails
    assert [(call.queue, call.misfit) for route in found.routes for call in route.calls] == [
        ("celery", found.detail),
        ("celery", "old: got an unexpected keyword argument 'urgent'"),
    ]


@pytest.mark.parametrize(
    ("key", "body", "settings", "reason"),
    [
        ("orders.unknown", {}, {}, "unknown_event"),
        ("free.key", {}, {"require_models": True}, "unknown_event"),
        ("orders.paid", b"{", {}, "undecodable"),
        ("orders.paid", {"number": 1}, {"max_body_bytes": 3}, "oversize"),
    ],
)
def test_what_is_decided_before_any_route_is_told_too(
    key: str, body: Any, settings: dict[str, Any], reason: str
) -> None:
    mapping = TaskMapping().add_legacy([row("orders.paid"), row("free.key")])
    found = told(mapping, key, body, **settings)
    assert (found.outcome, found.reason) == ("dead-lettered", reason)


def test_skipped_are_events_that_no_condition_wants_or_by_setting_no_route() -> None:
    mapping = TaskMapping().add_legacy([row(should_schedule=lambda key, body: False)])
    assert told(mapping, "orders.paid", {"number": 1}).outcome == "skipped"
    assert told(mapping, "nobody", {}, unmatched="skip").outcome == "skipped"


def test_versions_are_told_and_upcast() -> None:
    dry_run = dry_run_of(TaskMapping().add_legacy([row("players.moved")]), VERSIONS)
    old = explain(dry_run, delivery_of(dry_run, "players.moved", b'{"player":4}', "i", 1))
    assert (old.version, old.model_version, old.upcasts, old.outcome) == (1, 2, True, "scheduled")
    new = explain(dry_run, delivery_of(dry_run, "players.moved", b'{"player":"4"}', "i"))
    assert (new.version, new.upcasts, new.outcome) == (2, False, "scheduled")
    newer = explain(dry_run, delivery_of(dry_run, "players.moved", b"{}", "i", 3))
    assert (newer.outcome, newer.reason) == ("dead-lettered", "newer_version")


def mapping_of_all() -> TaskMapping:
    mapping = TaskMapping()
    mapping.route(Paid, when=lambda event: event.number > 0).to(bill, lambda event, send: send(10 // event.number))
    mapping.route(Loaded).to(bill, lambda event, send: send(event.rows))
    mapping.route(Scored, when=lambda event: 1 // event.home > 0).to(bill, lambda event, send: send(event.home))
    return mapping.add_legacy([row("orders.#", should_schedule=lambda key, body: body["number"] > 2)])


bodies = st.fixed_dictionaries(
    {}, optional={name: st.integers(-1, 4) | st.none() for name in ("number", "rows", "home")}
)


@given(
    key=st.sampled_from(["orders.paid", "orders.cancelled", "orders.x", "etl.a.loaded", "scores.changed", "none"]),
    body=bodies.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=9),
    headers=st.dictionaries(st.sampled_from(["ce-id", "ce-specversion", "ce-schemaversion"]), st.sampled_from("12x")),
)
def test_the_final_word_is_that_of_decide_and_the_routes_agree_with_it(
    key: str, body: bytes, headers: dict[str, Any]
) -> None:
    dry_run = dry_run_of(mapping_of_all())
    delivery = Delivery(key, body, "r", "events", headers)
    decision, found = dry_run.table.decide(delivery), explain(dry_run, delivery)
    if isinstance(decision, Schedule):
        assert [(each.task, each.options["task_id"]) for route in found.routes for each in route.calls] == [
            (each.task, each.options["task_id"]) for each in decision.calls
        ]
        assert found.outcome == "scheduled"
    elif isinstance(decision, DeadLetter):
        assert (found.outcome, found.reason) == ("dead-lettered", decision.reason)
        assert decision.reason != "mapping_error" or any(route.problem for route in found.routes)
    else:
        assert (found.outcome, found.reason) == ("skipped", decision.reason)
        assert not any(route.calls for route in found.routes)
