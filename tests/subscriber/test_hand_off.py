"""From delivery to acknowledgement: what is sent, under which ids, when it is acknowledged, and what is told of it."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid5

import pytest

from tests.subscriber.kit import (
    DEAD,
    EXCHANGE,
    QUEUE,
    REGISTRY,
    Happened,
    happened_call,
    prepared,
    publish,
    publish_one,
    reaches,
    send_foreign,
    settings,
    tasks,
)
from tests.support.amqp import declare, message, send, take_all, wait_for_count
from tests.support.proxy import Proxy
from tests.support.services import running
from typed_pubsub import Registry, Subscriber, TaskCall, TaskMapping

#: Of docs/wire-format.md.
NAMESPACE = UUID("5f0b5a5e-6d2f-5c5b-9c1e-7a0f2d9b3c41")


def task_id(event_id: str, number: int = 0, source: str = "a-service") -> str:
    return str(uuid5(NAMESPACE, f"a_queue/{source}/{event_id}/a_route/{number}"))


def test_task_ids_follow_from_queue_source_event_route_and_number(vhost_url: str) -> None:
    def three(event: Happened) -> Iterator[TaskCall]:
        yield happened_call(event)
        yield happened_call(event).using(task_id="mine")
        yield happened_call(event)

    with running(settings(vhost_url, three), REGISTRY) as subscriber:
        publish_one(vhost_url, 1, event_id="the-id")
        send_foreign(vhost_url, 2, message_id="their-id")
        reaches(subscriber, scheduled=2)
    assert tasks(vhost_url) == [
        (1, task_id("the-id")),
        (1, "mine"),
        (1, task_id("the-id", 2)),
        (2, task_id("their-id", source="")),
        (2, "mine"),
        (2, task_id("their-id", 2, source="")),
    ]


def test_a_batch_is_acknowledged_at_once(vhost_url: str) -> None:
    prepared(vhost_url)
    publish(vhost_url, (Happened(number=number) for number in range(1_000)))
    with Proxy(vhost_url) as proxy:
        with running(settings(proxy.url, celery_url=vhost_url), REGISTRY) as subscriber:
            reaches(subscriber, scheduled=1_000)
        acks = proxy.acks()
    assert acks[-1][0] == 1_000
    assert all(multiple for _, multiple in acks)
    assert len(acks) <= 100, "at most one for ten deliveries, and far fewer on a machine that is idle"
    assert sorted(number for number, _ in tasks(vhost_url)) == list(range(1_000))
    assert take_all(vhost_url, QUEUE) == []


def test_a_delivery_that_waits_is_not_acknowledged_with_its_neighbours(vhost_url: str) -> None:
    declare(vhost_url, "full", {"x-max-length": 0, "x-overflow": "reject-publish"})
    prepared(vhost_url)
    publish(vhost_url, (Happened(number=number, queue="full" if number == 3 else "celery") for number in range(6)))
    with running(settings(vhost_url, drain_timeout=0.5), REGISTRY) as subscriber:
        reaches(subscriber, scheduled=5)
    assert subscriber.outcomes == {"scheduled": 5, "requeued": 1}
    assert [message.body[:11] for message in take_all(vhost_url, QUEUE)] == [b'{"number":3']
    assert sorted(number for number, _ in tasks(vhost_url)) == [0, 1, 2, 4, 5]


def test_a_delivery_is_not_acknowledged_before_its_task_is_confirmed(vhost_url: str) -> None:
    with Proxy(vhost_url) as events, Proxy(vhost_url) as celery:
        config = settings(events.url, celery_url=celery.url, drain_timeout=1.0)
        with running(config, REGISTRY) as subscriber:
            publish_one(vhost_url, 1)
            reaches(subscriber, scheduled=1)
            celery.hold_down()
            publish_one(vhost_url, 2)
            wait_for_count(vhost_url, "celery", 2)
        # Stopped, with the task in Celery's queue and no word of it.
        assert [tag for tag, _ in events.acks()] == [1]
        assert subscriber.outcomes["requeued"] == 1
    wait_for_count(vhost_url, QUEUE, 1)


def test_a_redelivery_of_what_was_settled_runs_nothing_again(vhost_url: str) -> None:
    seen: list[int] = []

    def handler(event: Happened) -> TaskCall | None:
        seen.append(event.number)
        return happened_call(event) if event.number else None

    with Proxy(vhost_url) as proxy:
        with running(settings(proxy.url, handler, celery_url=vhost_url), REGISTRY) as subscriber:
            proxy.hold_up()
            publish(vhost_url, (Happened(number=number) for number in range(5)))
            reaches(subscriber, scheduled=4, skipped=1)
            # The acknowledgements never come to the broker.
            proxy.cut()
            proxy.release()
            reaches(subscriber, recognised=5)
        assert sorted(seen) == [0, 1, 2, 3, 4]
        assert sorted(number for number, _ in tasks(vhost_url)) == [1, 2, 3, 4]
    assert take_all(vhost_url, QUEUE) == []


def test_a_redelivery_without_an_id_is_scheduled_again_under_another_id(vhost_url: str) -> None:
    with Proxy(vhost_url) as proxy, running(settings(proxy.url, celery_url=vhost_url), REGISTRY) as subscriber:
        proxy.hold_up()
        send_foreign(vhost_url, 1)
        reaches(subscriber, scheduled=1)
        proxy.cut()
        proxy.release()
        reaches(subscriber, scheduled=2)
    (_, first), (_, second) = tasks(vhost_url)
    assert first != second


def test_what_was_not_confirmed_is_sent_again_under_the_same_ids(vhost_url: str) -> None:
    with Proxy(vhost_url) as celery, running(settings(vhost_url, celery_url=celery.url), REGISTRY) as subscriber:
        publish_one(vhost_url, 0)
        reaches(subscriber, scheduled=1)
        celery.hold_down()
        publish_one(vhost_url, 1)
        wait_for_count(vhost_url, "celery", 2)
        celery.cut()
        celery.release()
        reaches(subscriber, scheduled=2)
    (zero, one, again) = tasks(vhost_url)
    assert (zero[0], one[0]) == (0, 1)
    assert one == again


def test_two_fresh_deliveries_of_one_id_are_both_scheduled(vhost_url: str) -> None:
    with running(settings(vhost_url), REGISTRY) as subscriber:
        for _ in range(2):
            publish_one(vhost_url, 1, event_id="the-id")
        reaches(subscriber, scheduled=2)
    assert tasks(vhost_url) == [(1, task_id("the-id"))] * 2


def test_a_key_that_no_route_wants_is_told_once_as_a_stale_binding(
    vhost_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    declare(vhost_url, QUEUE, an_exchange="stale.*")
    with caplog.at_level(logging.WARNING, "typed_pubsub"), running(settings(vhost_url), REGISTRY) as subscriber:
        for key in ("stale.one", "stale.one", "stale.two", "stale.one"):
            send(vhost_url, EXCHANGE, key, message(b"{}"))
        reaches(subscriber, dead_lettered=4)
    warnings = [record.getMessage() for record in caplog.records if "no route wants '" in record.getMessage()]
    assert len(warnings) == 2
    assert "'stale.one'" in warnings[0]
    assert "stale binding" in warnings[0]
    assert "'a_queue'" in warnings[0]
    assert "'stale.two'" in warnings[1]
    assert {dead.headers["x-pubsub-reason"] for dead in take_all(vhost_url, DEAD)} == {"unknown_event"}


def test_a_key_that_no_route_wants_may_be_skipped_and_is_told_all_the_same(
    vhost_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    declare(vhost_url, QUEUE, an_exchange="stale.*")
    config = settings(vhost_url, unmatched="skip")
    with caplog.at_level(logging.WARNING, "typed_pubsub"), running(config, REGISTRY) as subscriber:
        for _ in range(2):
            send(vhost_url, EXCHANGE, "stale.one", message(b"no JSON"))
        reaches(subscriber, skipped=2)
    assert len([record for record in caplog.records if "stale binding" in record.getMessage()]) == 1
    assert take_all(vhost_url, DEAD) == take_all(vhost_url, QUEUE) == []


ROW = {
    "routing_key": "row.*",
    "task": "a.task",
    "should_schedule": lambda key, body: True,
    "get_args": lambda key, body: ([1], {}),
}


def test_a_row_without_a_model_is_told_once_a_key(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    config = settings(vhost_url, task_mapping=[ROW])
    with caplog.at_level(logging.WARNING, "typed_pubsub"), running(config, Registry()) as subscriber:
        for key in ("row.one", "row.one", "row.two"):
            send(vhost_url, EXCHANGE, key, message(b"{}"))
        reaches(subscriber, scheduled=3)
    assert [record.getMessage() for record in caplog.records] == [
        "no model is bound to 'row.one': rows get its bodies as they come",
        "no model is bound to 'row.two': rows get its bodies as they come",
    ]


def test_a_row_without_a_model_is_a_dead_letter_where_models_are_required(vhost_url: str) -> None:
    mixed = TaskMapping().add_legacy([ROW, {**ROW, "routing_key": "app.happened"}])
    with running(settings(vhost_url, task_mapping=mixed, require_models=True), REGISTRY) as subscriber:
        send(vhost_url, EXCHANGE, "row.one", message(b"{}"))
        publish_one(vhost_url, 1)
        reaches(subscriber, dead_lettered=1, scheduled=1)
    (dead,) = take_all(vhost_url, DEAD)
    assert dead.headers["x-pubsub-reason"] == "unknown_event"
    assert "no model" in dead.headers["x-pubsub-detail"]


def test_one_line_a_delivery_tells_its_outcome_key_id_tasks_and_time(
    vhost_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def some(event: Happened) -> TaskCall | None:
        return happened_call(event) if event.number else None

    with caplog.at_level(logging.INFO, "typed_pubsub"), running(settings(vhost_url, some), REGISTRY) as subscriber:
        for number in (1, 0):
            publish_one(vhost_url, number, event_id=f"id-{number}")
            reaches(subscriber, **{"scheduled" if number else "skipped": 1})
        send(vhost_url, EXCHANGE, "app.happened", message(b"[", message_id="bad"))
        reaches(subscriber, dead_lettered=1)
    lines = [record.getMessage() for record in caplog.records if hasattr(record, "outcome")]
    assert [re.sub(r"\d+\.\d ms", "n ms", line) for line in lines] == [
        f"scheduled app.happened event=id-1 tasks={task_id('id-1')} n ms",
        "skipped app.happened event=id-0 tasks=- n ms",
        "dead-lettered app.happened event=bad tasks=- n ms undecodable: " + lines[2].partition("undecodable: ")[2],
    ]
    record = next(record for record in caplog.records if getattr(record, "event_id", "") == "id-1")
    assert vars(record)["task_ids"] == [task_id("id-1")]


def test_deliveries_are_handed_off_while_the_answers_to_others_are_awaited(vhost_url: str) -> None:
    with Proxy(vhost_url) as to_celery, running(settings(vhost_url, celery_url=to_celery.url), REGISTRY) as subscriber:
        publish_one(vhost_url, 0)
        reaches(subscriber, scheduled=1)
        to_celery.hold_down()
        # More than are taken at a time, as many as are prefetched.
        publish(vhost_url, (Happened(number=number) for number in range(1, 201)))
        wait_for_count(vhost_url, "celery", 201)
        assert subscriber.outcomes == {"scheduled": 1}
        to_celery.release()
        reaches(subscriber, scheduled=201)
    assert sorted(number for number, _ in tasks(vhost_url)) == list(range(201))
    assert take_all(vhost_url, QUEUE) == []


@contextmanager
def cut_off_unanswered(vhost_url: str) -> Iterator[tuple[Subscriber, Proxy]]:
    """A subscriber, and the proxy to Celery's broker, when one event is settled and the connection of events is lost.

    The tasks of 50 more stand in Celery's queue, and their confirms are held.
    """
    with (
        Proxy(vhost_url) as of_events,
        Proxy(vhost_url) as to_celery,
        running(settings(of_events.url, celery_url=to_celery.url), REGISTRY) as subscriber,
    ):
        publish_one(vhost_url, 0)
        reaches(subscriber, scheduled=1)
        to_celery.hold_down()
        publish(vhost_url, (Happened(number=number) for number in range(1, 51)))
        wait_for_count(vhost_url, "celery", 51)
        of_events.cut()
        yield subscriber, to_celery


def test_what_is_confirmed_when_its_own_connection_is_lost_is_not_scheduled_again(vhost_url: str) -> None:
    with cut_off_unanswered(vhost_url) as (subscriber, to_celery):
        to_celery.release()
        reaches(subscriber, scheduled=51, recognised=50)
    assert sorted(number for number, _ in tasks(vhost_url)) == list(range(51))
    assert take_all(vhost_url, QUEUE) == []


def test_answers_to_what_was_given_back_with_its_connection_are_heard_no_more(vhost_url: str) -> None:
    with cut_off_unanswered(vhost_url) as (subscriber, to_celery):
        reaches(subscriber, requeued=50)
        to_celery.release()
        reaches(subscriber, scheduled=51)
    sent = tasks(vhost_url)
    assert len(sent) == 101
    assert len(set(sent)) == 51
    assert take_all(vhost_url, QUEUE) == []
