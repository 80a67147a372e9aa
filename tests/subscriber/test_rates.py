"""How much was handed off lately, as a line and as numbers."""

import logging
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.rabbit import eventually
from tests.support.services import celery_app
from typed_pubsub import Publisher, PubSubConfig, Registry, Subscriber
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.handoff.rates import Rate, age

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
IDLE = Rate(60.0, 0, 0, 0, 0, 0, 0.0, 0, None)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2026-01-02T03:04:04.5+00:00", 0.5),
        ("2026-01-02T04:04:03+01:00", 2.0),
        ("2026-01-02T03:03:05Z", 60.0),
        # A publisher whose clock is ahead.
        ("2026-01-02T03:04:09+00:00", 0.0),
        ("2026-01-02T03:04:04", None),
        ("yesterday", None),
        (b"2026-01-02T03:04:04Z", None),
        (12, None),
    ],
)
def test_the_age_of_an_event_is_known_where_it_says_when_it_happened(said: Any, seconds: float | None) -> None:
    assert age({"ce-time": said}, NOW) == seconds


def test_an_event_that_says_nothing_of_its_time_has_no_age() -> None:
    assert age({}, NOW) is None


def test_a_line_tells_what_is_not_zero() -> None:
    rate = Rate(60.0, 1_200, 3, 0, 0, 1, 20.1, 5_000, 0.42)
    counts, behind = "1,200 scheduled, 3 skipped, 1 faults", "5,000 ready in the queue; the newest event is 0.4 s old"
    assert str(rate) == f"in 60 s: {counts} (20.1/s); {behind}"
    assert str(Rate(60.0, 0, 0, 0, 0, 0, 0.0, 7, None)) == "in 60 s: nothing (0.0/s); 7 ready in the queue"


def test_who_is_idle_says_nothing_but_who_leaves_messages_waiting_does() -> None:
    assert not IDLE.is_news
    assert Rate(60.0, 0, 0, 0, 0, 0, 0.0, 1, None).is_news
    assert Rate(60.0, 0, 0, 0, 0, 1, 0.0, 0, None).is_news


def row(wanted: bool) -> dict[str, Any]:
    return {
        "routing_key": f"wanted.{wanted}".lower(),
        "task": "a.task",
        "should_schedule": lambda key, body: wanted,
        "get_args": lambda key, body: ([], {}),
    }


@pytest.fixture
def config(broker_url: str) -> PubSubConfig:
    return PubSubConfig([row(True), row(False)], lambda: celery_app(broker_url), broker_url, "events", "a-queue")


def test_a_subscriber_tells_what_it_did_since_the_last_line(
    config: PubSubConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "typed_pubsub.subscriber")
    subscriber = Subscriber(config, registry=Registry(), stats=1.0)
    thread = threading.Thread(target=subscriber.start)
    thread.start()
    try:
        eventually(lambda: "consuming queue" in caplog.text, what="consuming")
        with Publisher(config) as publisher:
            for _ in range(3):
                publisher.publish_event("wanted.true", {})
            publisher.publish_event("wanted.false", {})
            eventually(lambda: told(caplog, 4), what="lines about all four")
            publisher.publish_event("wanted.true", {})
        lines = eventually(lambda: told(caplog, 5), what="a line about the fifth alone")
    finally:
        subscriber.stop()
        thread.join(30)
    assert sum(line.scheduled for line in lines) == 4
    assert sum(line.skipped for line in lines) == 1
    assert all(line.seconds >= 1.0 and line.dead_lettered == line.requeued == line.faults == 0 for line in lines)
    assert all(0 <= line.newest_age < 60 for line in lines)
    assert lines[-1].ready in range(6)


def told(caplog: pytest.LogCaptureFixture, settled: int) -> Any:
    lines: list[Any] = [record for record in caplog.records if hasattr(record, "per_second")]
    return lines if sum(line.scheduled + line.skipped for line in lines) == settled else None


def test_a_question_to_a_busy_broker_waits_for_no_answer(broker_url: str) -> None:
    link = EventBroker(broker_url).connect(10)
    consumer = Consumer(link, Topology("events", "a-queue", ("#",)), prefetch=1)
    try:
        with Publisher(PubSubConfig(broker_url=broker_url, exchange="events")) as publisher:
            for _ in range(5):
                publisher.publish_event("a.key", {})
        eventually(lambda: consumer.receive(1) and consumer.deliveries, what="the first of five")

        def asked() -> bool:
            consumer.ask()
            consumer.receive(1)
            return consumer.ready == 4

        eventually(asked, what="four that are ready")
        assert len(consumer.deliveries) == 1, "no more than the prefetch came meanwhile"
    finally:
        consumer.close()
