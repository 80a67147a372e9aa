"""What Celery's broker does to a task is answered by waiting, sending again, or one dead letter: never by a loss."""

import logging
from collections.abc import Iterator

import pytest

from tests.subscriber.kit import (
    DEAD,
    QUEUE,
    REGISTRY,
    Happened,
    happened_call,
    prepared,
    publish,
    publish_one,
    reaches,
    settings,
    tasks,
)
from tests.support.amqp import declare, take_all, wait_for_count
from tests.support.proxy import PUBLISH, Proxy
from tests.support.rabbit import broker, eventually
from tests.support.services import running
from typed_pubsub import Subscriber, TaskCall
from typed_pubsub.testing.nodes import RabbitMQNode

FULL = {"x-max-length": 1, "x-overflow": "reject-publish"}


def dead_letter(url: str) -> tuple[str, str]:
    (dead,) = take_all(url, DEAD)
    return dead.headers["x-pubsub-reason"], dead.headers["x-pubsub-detail"]


def others_pass_until_it_is_dead(url: str, subscriber: Subscriber) -> int:
    """Publishes events whose tasks pass, one after the other; how many it took."""
    passed = subscriber.outcomes.get("scheduled", 0)
    for more in range(1, 5_000):
        publish_one(url, 1_000 + more, queue="free")
        reaches(subscriber, scheduled=passed + more)
        if subscriber.outcomes.get("dead-lettered"):
            return more
    raise AssertionError(subscriber.outcomes)


def test_a_queue_that_was_deleted_under_way_is_declared_again(vhost_url: str) -> None:
    with running(settings(vhost_url), REGISTRY) as subscriber:
        publish_one(vhost_url, 1)
        reaches(subscriber, scheduled=1)
        with broker(vhost_url) as connection:
            connection.default_channel.queue_delete("celery")
        publish_one(vhost_url, 2)
        reaches(subscriber, scheduled=2)
        assert subscriber.outcomes == {"scheduled": 2}, "no fault, no dead letter"
    assert [number for number, _ in tasks(vhost_url)] == [2]


def test_a_full_queue_is_waited_for_as_long_as_nothing_passes(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    declare(vhost_url, "full", FULL)
    with (
        caplog.at_level(logging.WARNING, "typed_pubsub"),
        Proxy(vhost_url) as celery,
        running(settings(vhost_url, celery_url=celery.url), REGISTRY) as subscriber,
    ):
        publish(vhost_url, (Happened(number=number, queue="full") for number in range(3)))
        reaches(subscriber, scheduled=1)
        before = len(celery.methods(PUBLISH))
        eventually(lambda: len(celery.methods(PUBLISH)) >= before + 12, what="six more tries each")
        assert subscriber.outcomes == {"scheduled": 1}
        found: list[tuple[int, str]] = []
        while len(found) < 3:
            found += eventually(lambda: tasks(vhost_url, "full"))
        reaches(subscriber, scheduled=3)
    assert sorted(number for number, _ in found) == [0, 1, 2]
    told = [record.getMessage() for record in caplog.records if "does not take a message" in record.getMessage()]
    assert told == ["Celery's broker does not take a message, which is kept and tried again: nacked"]


def test_a_full_queue_is_the_events_own_misfortune_while_others_pass(vhost_url: str) -> None:
    declare(vhost_url, "full", {**FULL, "x-max-length": 0})
    with running(settings(vhost_url), REGISTRY) as subscriber:
        publish_one(vhost_url, 1, queue="full")
        assert others_pass_until_it_is_dead(vhost_url, subscriber) >= 5
    reason, detail = dead_letter(vhost_url)
    assert (reason, detail) == ("retries_exhausted", "the Celery broker refused it 5 times: nacked")
    assert take_all(vhost_url, QUEUE) == []


def test_a_missing_exchange_is_the_events_own_misfortune_while_others_pass(vhost_url: str) -> None:
    with running(settings(vhost_url, max_faults=3), REGISTRY) as subscriber:
        publish_one(vhost_url, 1, queue="no_exchange")
        assert others_pass_until_it_is_dead(vhost_url, subscriber) >= 5
        assert "faults" not in subscriber.outcomes
    reason, detail = dead_letter(vhost_url)
    assert reason == "retries_exhausted"
    assert "no_exchange" in detail


def test_a_missing_exchange_alone_is_waited_for(vhost_url: str) -> None:
    with Proxy(vhost_url) as celery, running(settings(vhost_url, celery_url=celery.url), REGISTRY) as subscriber:
        publish_one(vhost_url, 1, queue="no_exchange")
        eventually(lambda: len(celery.methods(PUBLISH)) >= 6, what="more tries than make a dead letter")
        assert subscriber.outcomes == {}
        declare(vhost_url, "late", no_exchange="#")
        reaches(subscriber, scheduled=1)
    assert [number for number, _ in tasks(vhost_url, "late")] == [1]


@pytest.fixture
def small_messages(rabbitmq: RabbitMQNode) -> Iterator[None]:
    """A broker that takes messages of at most 100 KB."""
    before = rabbitmq.ctl("eval", "{ok, Size} = application:get_env(rabbit, max_message_size), Size.").strip()
    # RabbitMQ 3 looks at the one, 4 at the other.
    setting = "application:set_env(rabbit, max_message_size, {0}), persistent_term:put(max_message_size, {0})."
    rabbitmq.ctl("eval", setting.format(100_000))
    yield
    rabbitmq.ctl("eval", setting.format(before))


@pytest.mark.parametrize("neighbours", [0, 20])
def test_a_task_too_large_for_the_broker_takes_no_neighbour_along(
    vhost_url: str, small_messages: None, neighbours: int
) -> None:
    prepared(vhost_url)
    middle = neighbours // 2
    publish(
        vhost_url,
        (Happened(number=number, size=200_000 if number == middle else 0) for number in range(neighbours + 1)),
    )
    with running(settings(vhost_url, max_faults=2), REGISTRY) as subscriber:
        reaches(subscriber, scheduled=neighbours, dead_lettered=1) if neighbours else reaches(
            subscriber, dead_lettered=1
        )
        assert "faults" not in subscriber.outcomes, "no fault of the broker's"
    reason, detail = dead_letter(vhost_url)
    assert reason == "retries_exhausted"
    assert "larger" in detail
    found = tasks(vhost_url)
    assert {number for number, _ in found} == set(range(neighbours + 1)) - {middle}
    assert len(set(found)) == neighbours, "copies, where the broker had some already, have the same ids"
    assert take_all(vhost_url, QUEUE) == []


def test_an_event_is_refused_whole_though_its_first_task_passed(vhost_url: str, small_messages: None) -> None:
    def first_and_large(event: Happened) -> Iterator[TaskCall]:
        yield TaskCall("small.task", (event.number,), {}, {"queue": "first"})
        yield happened_call(event)

    with running(settings(vhost_url, first_and_large), REGISTRY) as subscriber:
        publish_one(vhost_url, 1, size=200_000)
        reaches(subscriber, dead_lettered=1)
    assert dead_letter(vhost_url)[0] == "retries_exhausted"
    assert len(set(tasks(vhost_url, "first"))) == 1, "however often, under one id"


def test_a_declaration_that_meets_the_news_of_a_refused_task_is_not_to_blame(
    vhost_url: str, small_messages: None, caplog: pytest.LogCaptureFixture
) -> None:
    """The broker's answer to the large task comes while the declaration of the next one's queue is waited for."""
    prepared(vhost_url)
    publish(
        vhost_url,
        [Happened(number=0, size=200_000), *(Happened(number=n, queue=f"queue-{n}") for n in range(1, 9))],
    )
    with caplog.at_level(logging.WARNING, "typed_pubsub"), running(settings(vhost_url), REGISTRY) as subscriber:
        reaches(subscriber, timeout=20, scheduled=8, dead_lettered=1)
    assert not [record for record in caplog.records if "used as found" in record.getMessage()]
    for number in range(1, 9):
        assert {found for found, _ in tasks(vhost_url, f"queue-{number}")} == {number}


def test_a_queue_with_other_arguments_is_used_as_found(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    declare(vhost_url, "celery", {"x-max-length": 100})
    with caplog.at_level(logging.WARNING, "typed_pubsub"), running(settings(vhost_url), REGISTRY) as subscriber:
        publish(vhost_url, (Happened(number=number) for number in range(3)))
        reaches(subscriber, scheduled=3)
    assert len([record for record in caplog.records if "'celery' is used as found" in record.getMessage()]) == 1
    assert len(tasks(vhost_url)) == 3


def test_breaking_connections_to_both_brokers_lose_nothing(vhost_url: str) -> None:
    def cutting() -> Iterator[Happened]:
        for number in range(1_500):
            if number % 500 == 250:
                events.cut()
            if number % 500 == 400:
                celery.cut()
            yield Happened(number=number)

    with (
        Proxy(vhost_url) as events,
        Proxy(vhost_url) as celery,
        running(settings(events.url, celery_url=celery.url), REGISTRY) as subscriber,
    ):
        publish(vhost_url, cutting())
        eventually(lambda: subscriber.outcomes.get("scheduled", 0) >= 1_500, timeout=90)
        wait_for_count(vhost_url, QUEUE, 0)
    found = tasks(vhost_url)
    assert {number for number, _ in found} == set(range(1_500))
    assert len(set(found)) == 1_500, "whatever came twice has the same id"
    assert take_all(vhost_url, QUEUE) == take_all(vhost_url, DEAD) == []
