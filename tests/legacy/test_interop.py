"""Beside the replaced library on one exchange: its publisher with our subscriber, our publisher with its subscriber.

The other side is kombu alone, doing what that library did: its ``json`` serializer, a durable topic exchange, a durable
classic queue without arguments, bound with the keys of the mapping.
"""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from celery import Celery
from flask import Flask, current_app
from kombu.utils.json import loads as kombu_loads

from tests.support.rabbit import broker, eventually, get, queue_state
from tests.support.replaced import EXCHANGE, OldPublisher, OldSubscriber
from tests.support.services import celery_app, running
from typed_pubsub import Event, Publisher, PubSubConfig, Registry, TaskCall, TaskMapping, call, remote_task

QUEUE = "a_queue"

MOMENT = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
NUMBER = UUID("a2a1f4b0-6b0a-4d5e-9a51-0d7a5d3c5a10")
RICH: dict[str, Any] = {
    "number": NUMBER,
    "moment": MOMENT,
    "naive": datetime(2024, 2, 29, 12, 30, 0, 250),  # noqa: DTZ001  # naive on purpose
    "day": date(2024, 2, 29),
    "clock": time(12, 30, 15),
    "price": Decimal("12.50"),
    "nested": [{"number": NUMBER}, None, 1.5, "été"],
}

Body = dict[str, Any]


@pytest.fixture
def old(vhost_url: str) -> OldPublisher:
    return OldPublisher(vhost_url)


@contextmanager
def old_subscriber(url: str, queue: str, *keys: str) -> Generator[OldSubscriber]:
    with broker(url) as connection:
        subscriber = OldSubscriber(connection, queue, *keys)
        subscriber.declare()
        yield subscriber


def config(url: str, mapping: Any, app: Celery | None = None) -> PubSubConfig:
    return PubSubConfig(mapping, lambda: app or celery_app(url), url, EXCHANGE, QUEUE)


def row(key: str, task: str = "a.task", **more: Any) -> dict[str, Any]:
    return {
        "routing_key": key,
        "task": task,
        "should_schedule": lambda routing_key, body: True,
        "get_args": lambda routing_key, body: ([routing_key], {"body": body}),
        **more,
    }


def next_task(url: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Name and arguments of the next task in Celery's queue, decoded as a worker would."""
    message = get(url, "celery")
    args, kwargs, _ = kombu_loads(message.body)
    return message.headers["task"], args, kwargs


def test_rows_get_the_values_that_the_old_publisher_was_given(vhost_url: str, old: OldPublisher) -> None:
    seen: list[tuple[str, Body]] = []

    def get_args(routing_key: str, body: Body) -> tuple[list[Any], Body]:
        seen.append((routing_key, body))
        return [body["number"], body["moment"]], {"price": body["price"], "day": body["day"], "clock": body["clock"]}

    with running(config(vhost_url, [row("old.*", get_args=get_args)])):
        old.publish_event("old.event", RICH)
        task = next_task(vhost_url)

    assert seen == [("old.event", RICH)]
    assert {name: type(value) for name, value in seen[0][1].items()} == {
        name: type(value) for name, value in RICH.items()
    }
    # kombu's json gives a task the same types back.
    times = {"price": RICH["price"], "day": RICH["day"], "clock": RICH["clock"]}
    assert task == ("a.task", [NUMBER, MOMENT], times)


def test_a_model_reads_what_the_old_publisher_sends_and_keeps_what_does_not_fit(
    vhost_url: str, old: OldPublisher
) -> None:
    registry = Registry()

    class Sold(Event, routing_key="old.sold", registry=registry):
        number: UUID
        moment: datetime
        day: date
        clock: time
        price: Decimal

    @remote_task("typed.task")
    def typed_task(number: UUID, *, price: Decimal, moment: datetime) -> None: ...

    seen: list[Any] = []
    mapping = TaskMapping()

    @mapping.on(Sold)
    def on_sold(event: Sold) -> TaskCall:
        seen.append(event)
        return call(typed_task, event.number, price=event.price, moment=event.moment)

    def get_args(routing_key: str, body: Body) -> tuple[list[Any], Body]:
        seen.append(body)
        return [body["number"]], {}

    mapping.add_legacy([row("old.sold", "row.task", get_args=get_args)])
    with running(config(vhost_url, mapping), registry):
        old.publish_event("old.sold", {**RICH, "price": "a lot"})
        dead = get(vhost_url, f"{QUEUE}.dlq")
        old.publish_event("old.sold", RICH)
        tasks = [next_task(vhost_url), next_task(vhost_url)]

    wanted = {name: RICH[name] for name in ("number", "moment", "day", "clock", "price")}
    assert seen == [Sold(**wanted), RICH], "the row gets the body as it was sent, the model what is its own"
    assert tasks == [
        ("typed.task", [NUMBER], {"price": Decimal("12.50"), "moment": MOMENT}),
        ("row.task", [NUMBER], {}),
    ]
    assert dead.headers["x-pubsub-reason"] == "invalid_body"
    assert "$.price" in dead.headers["x-pubsub-detail"]
    assert "a lot" not in dead.headers["x-pubsub-detail"]
    assert json.loads(dead.body)["price"] == "a lot"


def test_the_old_subscriber_reads_what_we_publish_as_plain_json(vhost_url: str) -> None:
    registry = Registry()

    class Sold(Event, routing_key="new.sold", registry=registry):
        number: UUID
        moment: datetime
        price: Decimal

    with old_subscriber(vhost_url, "an_old_queue", "new.*") as subscriber:
        settings = PubSubConfig(broker_url=vhost_url, exchange=EXCHANGE, unroutable="raise")
        with Publisher(settings, registry=registry) as publisher:
            publisher.publish_event(routing_key="new.unbound", body=RICH)
            publisher.publish_event(routing_key="new.sold", body={name: RICH[name] for name in Sold.model_fields})
            publisher.publish(Sold(number=NUMBER, moment=MOMENT, price=Decimal("12.50")))
        unbound, *bound = subscriber.receive(3)

    assert unbound == (
        "new.unbound",
        {
            "number": str(NUMBER),
            "moment": "2024-02-29T12:30:00Z",
            "naive": "2024-02-29T12:30:00.000250",
            "day": "2024-02-29",
            "clock": "12:30:15",
            "price": "12.50",
            "nested": [{"number": str(NUMBER)}, None, 1.5, "été"],
        },
    )
    event = {"number": str(NUMBER), "moment": "2024-02-29T12:30:00Z", "price": "12.50"}
    assert bound == [("new.sold", event), ("new.sold", event)]


def test_what_waits_in_an_adopted_queue_is_processed_and_its_bindings_stay(vhost_url: str, old: OldPublisher) -> None:
    with old_subscriber(vhost_url, QUEUE, "old.*", "stale.key"):
        for number in range(3):
            old.publish_event("old.event", {"number": number, "moment": MOMENT})
    assert queue_state(vhost_url, QUEUE).message_count == 3

    with running(config(vhost_url, [row("old.event"), row("new.event", "new.task")])):
        waiting = [next_task(vhost_url) for _ in range(3)]
        old.publish_event("stale.key", {"foo": "bar"})
        dead = get(vhost_url, f"{QUEUE}.dlq")
        old.publish_event("new.event", {"foo": "bar"})
        fresh = next_task(vhost_url)

    assert waiting == [("a.task", ["old.event"], {"body": {"number": n, "moment": MOMENT}}) for n in range(3)]
    assert dead.headers["x-pubsub-reason"] == "unknown_event", "the binding that no row wants is still there"
    assert fresh == ("new.task", ["new.event"], {"body": {"foo": "bar"}})
    assert queue_state(vhost_url, QUEUE).message_count == 0


def test_an_old_subscriber_may_start_beside_ours_and_the_two_share_the_load(vhost_url: str, old: OldPublisher) -> None:
    def publish_two() -> None:
        for turn in (1, 2):
            old.publish_event("old.event", {"turn": turn})

    # Declared by us first: the same declaration by the old one is no conflict.
    with running(config(vhost_url, [row("old.*")])), old_subscriber(vhost_url, QUEUE, "old.*") as subscriber:
        # RabbitMQ gives two consumers their turns.
        ((_, theirs),) = subscriber.receive(1, once_consuming=publish_two)
        ours = next_task(vhost_url)[2]["body"]
    assert sorted([theirs["turn"], ours["turn"]]) == [1, 2]


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_either_publisher_may_be_the_first_to_declare_the_exchange(
    first: str, vhost_url: str, old: OldPublisher
) -> None:
    with Publisher(PubSubConfig(broker_url=vhost_url, exchange=EXCHANGE, unroutable="ignore")) as ours:
        publishers: list[Publisher | OldPublisher] = [ours, old] if first == "ours" else [old, ours]
        for publisher in publishers:
            publisher.publish_event("nobody.listens", {"foo": "bar"})
        with running(config(vhost_url, [row("a_routing_key")])):
            for publisher in publishers:
                publisher.publish_event("a_routing_key", {"foo": "bar"})
            assert (
                next_task(vhost_url) == next_task(vhost_url) == ("a.task", ["a_routing_key"], {"body": {"foo": "bar"}})
            )


def test_a_row_that_raises_is_a_dead_letter_and_its_neighbours_are_scheduled(vhost_url: str, old: OldPublisher) -> None:
    app = Flask("a_flask_app")

    def get_args(routing_key: str, body: Body) -> tuple[Sequence[Any], Body]:
        return [current_app.name, 12 / body["divisor"]], {}

    rows = [row("a_routing_key", "first.task"), row("a_routing_key", "second.task", get_args=get_args)]
    bodies = [{"divisor": 3}, {"divisor": 0, "moment": MOMENT}, {"divisor": 4}]

    class InContext(PubSubConfig):
        """Hands the app context on to the thread that the test's subscriber runs in."""

        def celery_app(self) -> Any:
            app.app_context().push()
            return super().celery_app()

    settings = InContext(rows, lambda: celery_app(vhost_url), vhost_url, EXCHANGE, QUEUE)
    with running(settings) as subscriber:
        for body in bodies:
            old.publish_event("a_routing_key", body)
        dead = get(vhost_url, f"{QUEUE}.dlq")
        tasks = [next_task(vhost_url) for _ in range(4)]
        eventually(lambda: sum(subscriber.outcomes.values()) == 3)
        assert subscriber.outcomes == {"scheduled": 2, "dead-lettered": 1}

    assert dead.headers["x-pubsub-reason"] == "mapping_error"
    assert "ZeroDivisionError" in dead.headers["x-pubsub-detail"]
    assert kombu_loads(dead.body) == bodies[1]
    assert [(name, args) for name, args, _ in tasks] == [
        ("first.task", ["a_routing_key"]),
        ("second.task", ["a_flask_app", 4.0]),
        ("first.task", ["a_routing_key"]),
        ("second.task", ["a_flask_app", 3.0]),
    ]


def test_several_rows_of_one_task_are_several_tasks_and_options_may_be_a_plain_dict(
    vhost_url: str, old: OldPublisher
) -> None:
    rows = [
        row("etl.#", celery_kwargs={"countdown": 600}),
        row("etl.*.*.loaded", celery_kwargs={"queue": "scripts"}),
        row("etl.*.*.loaded", should_schedule=lambda routing_key, body: False),
    ]
    with running(config(vhost_url, rows)):
        old.publish_event("etl.app.table.loaded", {"rows": 1})
        later, elsewhere = get(vhost_url, "celery"), get(vhost_url, "scripts")
    assert later.headers["eta"] is not None
    assert elsewhere.headers["eta"] is None
    assert later.headers["id"] != elsewhere.headers["id"]
