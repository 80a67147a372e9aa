"""What the replaced library did on the wire, with kombu alone.

Its ``json`` serializer, a durable topic exchange, a durable classic queue without arguments, bound with the keys of the
mapping.
"""

from collections.abc import Callable
from typing import Any

import kombu

from tests.support.rabbit import broker

EXCHANGE = "an_exchange"


class OldPublisher:
    """What the replaced library's publisher did."""

    def __init__(self, url: str) -> None:
        self._url = url

    def publish_event(self, routing_key: str, body: Any) -> None:
        exchange = kombu.Exchange(EXCHANGE, type="topic", durable=True)
        with broker(self._url) as connection, connection.channel() as channel:
            producer = kombu.Producer(channel, exchange, serializer="json")
            producer.publish(body, routing_key=routing_key, declare=[exchange])


class OldSubscriber:
    """What the replaced library's subscriber did: declare, bind, consume, decode with kombu."""

    def __init__(self, connection: Any, queue: str, *keys: str) -> None:
        exchange = kombu.Exchange(EXCHANGE, type="topic", durable=True)
        bindings = [kombu.binding(exchange, routing_key=key) for key in keys]
        self._connection = connection
        self._queue = kombu.Queue(queue, exchange, bindings=bindings, durable=True)
        self.received: list[tuple[str, Any]] = []

    def declare(self) -> None:
        with self._connection.channel() as channel:
            self._queue(channel).declare()

    def receive(self, count: int, *, once_consuming: Callable[[], None] = lambda: None) -> list[tuple[str, Any]]:
        with self._connection.channel() as channel:
            consumer = kombu.Consumer(channel, [self._queue], callbacks=[self._on_message], accept=["json"])
            with consumer:
                once_consuming()
                while len(self.received) < count:
                    self._connection.drain_events(timeout=30)
        return self.received

    def _on_message(self, body: Any, message: Any) -> None:
        self.received.append((message.delivery_info["routing_key"], body))
        message.ack()
