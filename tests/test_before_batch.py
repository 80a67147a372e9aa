"""The hook that runs before the routes do."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import Celery

from tests.support.rabbit import eventually, queue_state
from typed_pubsub import Event, Publisher, PubSubConfig, Registry, Subscriber, TaskCall, TaskMapping, call, task

registry = Registry()


class Happened(Event, routing_key="hook.happened", registry=registry):
    number: int


@contextmanager
def running(subscriber: Subscriber) -> Iterator[None]:
    thread = threading.Thread(target=subscriber.start)
    thread.start()
    try:
        yield
    finally:
        subscriber.stop()
        thread.join()


def test_a_hook_that_fails_keeps_the_events_and_the_connection(
    vhost_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Celery("hook", broker=vhost_url, set_as_current=False)
    mapping = TaskMapping()

    @task(app)
    def work(number: int) -> None: ...

    @mapping.on(Happened)
    def handle(event: Happened) -> TaskCall:
        return call(work, event.number)

    failures = iter(range(3))

    def hook() -> None:
        # An OSError, as a database's driver raises it: it is no word of the event broker's.
        if next(failures, None) is not None:
            raise ConnectionError("the database is away")

    config = PubSubConfig(mapping, lambda: app, vhost_url, "events", "hooked")
    subscriber = Subscriber(config, registry=registry, before_batch=hook)
    with caplog.at_level(logging.WARNING), running(subscriber):
        eventually(lambda: queue_state(vhost_url, "hooked") is not None)
        with Publisher(config, registry=registry) as publisher:
            publisher.publish_many(Happened(number=number) for number in range(5))
        eventually(lambda: subscriber.outcomes.get("scheduled") == 5)

    assert subscriber.outcomes == {"scheduled": 5, "faults": 3}
    assert "before_batch: ConnectionError at tests.test_before_batch" in caplog.text
    assert "the database is away" not in caplog.text
    assert queue_state(vhost_url, "celery").message_count == 5
