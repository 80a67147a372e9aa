"""The benchmark's own look at RabbitMQ: queues declared, filled, counted and emptied."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import amqp

from benchmarks.events import BODY_BYTES, EXCHANGE, make
from typed_pubsub import Publisher, PubSubConfig

EVENTS, TASKS = "bench", "bench.tasks"


def connect(url: str) -> Any:
    """A connection of py-amqp's, without heartbeats: programs here are frozen for a while."""
    parts = urlsplit(url)
    connection: Any = amqp.Connection(
        f"{parts.hostname}:{parts.port or 5672}",
        userid=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        virtual_host=unquote(parts.path[1:]) or "/",
        heartbeat=0,
    )
    connection.connect()
    return connection


class Bench:
    """Exchange and queues in one virtual host, removed at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = connect(url)
        self._channel = self._connection.channel()
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        self._declare()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for queue in (EVENTS, TASKS):
            self._channel.queue_delete(queue)
        self._connection.close()

    def fill(self, count: int, *, kind: str = "Event", size: int = BODY_BYTES, first: int = 0) -> None:
        """Puts events on the queue."""
        with Publisher(PubSubConfig(broker_url=self.url, exchange=EXCHANGE, unroutable="raise")) as publisher:
            publisher.publish_many(make(kind, count, size, first))

    def wait_for(self, queue: str, count: int, check: Callable[[], object] = lambda: None) -> None:
        """Until so many messages stand on a queue."""
        deadline = time.monotonic() + 300
        while (found := self.count(queue)) < count:
            check()
            if time.monotonic() > deadline:
                msg = f"{found} of {count} messages reached {queue!r}"
                raise RuntimeError(msg)
            time.sleep(0.002)

    def wait_for_consumers(self, queue: str, count: int, check: Callable[[], object] = lambda: None) -> None:
        """Until so many consume a queue; of those that died the broker hears a little later."""
        deadline = time.monotonic() + 300
        while (found := int(self._channel.queue_declare(queue, passive=True).consumer_count)) != count:
            check()
            if time.monotonic() > deadline:
                msg = f"{found} consumers of {queue!r}, not {count}"
                raise RuntimeError(msg)
            time.sleep(0.01)

    def count(self, queue: str) -> int:
        """How many messages are ready there."""
        return int(self._channel.queue_declare(queue, passive=True).message_count)

    def renew(self) -> None:
        """The queues anew, without the bindings that a subscriber has added."""
        for queue in (EVENTS, TASKS):
            self._channel.queue_delete(queue)
        self._declare()

    def _declare(self) -> None:
        for queue in (EVENTS, TASKS):
            self._channel.queue_declare(queue, durable=True, auto_delete=False)
        self._channel.queue_bind(EVENTS, EXCHANGE, routing_key="bench.matches.#")

    def purge(self) -> None:
        """Empties the queues; what a dead consumer held comes back to them a little later."""
        for queue in (EVENTS, TASKS):
            self._channel.queue_purge(queue)
