"""The benchmark's own look at RabbitMQ: queues declared, filled, counted and emptied with kombu."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import kombu

from benchmarks.events import EXCHANGE, make_events
from typed_pubsub import Publisher, PubSubConfig

EVENTS, TASKS = "bench", "bench.tasks"


class Bench:
    """Exchange and queues in one virtual host, removed at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = kombu.Connection(url)
        self._channel = _untyped(self._connection.channel())
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        for queue in (EVENTS, TASKS):
            self._channel.queue_declare(queue, durable=True, auto_delete=False)
        self._channel.queue_bind(EVENTS, EXCHANGE, routing_key="bench.#")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for queue in (EVENTS, TASKS):
            self._channel.queue_delete(queue)
        self._connection.release()

    def fill(self, count: int) -> None:
        """Puts events on the queue."""
        with Publisher(PubSubConfig(broker_url=self.url, exchange=EXCHANGE)) as publisher:
            publisher.publish_many(make_events(count))

    def wait_for(self, queue: str, count: int, alive: Callable[[], bool] = lambda: True) -> None:
        """Until so many messages stand on a queue."""
        deadline = time.monotonic() + 300
        while (found := self.count(queue)) < count:
            if time.monotonic() > deadline or not alive():
                msg = f"{found} of {count} messages reached {queue!r}"
                raise RuntimeError(msg)
            time.sleep(0.005)

    def count(self, queue: str) -> int:
        """How many messages are ready there."""
        return int(self._channel.queue_declare(queue, passive=True).message_count)


def _untyped(channel: Any) -> Any:
    """celery-types knows kombu's channels, but not those of py-amqp."""
    return channel
