"""A subscriber in a thread of the test's own process."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from celery import Celery

from tests.support.rabbit import eventually, queue_state
from typed_pubsub import PubSubConfig, Registry, Subscriber


def celery_app(url: str) -> Celery:
    """An app with this broker and no tasks of its own; its queue is ``celery``."""
    return Celery("service", broker=url, set_as_current=False, changes={"enable_utc": True, "task_ignore_result": True})


@contextmanager
def running(config: PubSubConfig, registry: Registry | None = None) -> Generator[Subscriber]:
    """A subscriber that consumes; stopped at the end, and what it raised is raised again."""
    subscriber = Subscriber(config, registry=registry if registry is not None else Registry())
    raised: list[BaseException] = []

    def start() -> None:
        try:
            subscriber.start()
        except BaseException as error:  # noqa: BLE001  # raised again below
            raised.append(error)

    def consumes() -> Any:
        if raised:
            raise raised[0]
        return (state := queue_state(config.broker_url, str(config.queue_name))) and state.consumer_count

    thread = threading.Thread(target=start)
    thread.start()
    try:
        eventually(consumes, what="consuming")
        yield subscriber
    finally:
        subscriber.stop()
        thread.join(30)
    assert not thread.is_alive(), "the subscriber did not stop"
    if raised:
        raise raised[0]
