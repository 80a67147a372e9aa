"""The demo's own look at the broker, with kombu: what the library does is not asked of the library."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import kombu

from typed_pubsub.testing.nodes import RabbitMQNode

EXCHANGE, QUEUE, DEAD_LETTERS, TASKS = "events", "query", "query.dlq", "query.tasks"
#: Bound with '#': the broker puts a copy of every event there, and the demo counts them.
AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Found:
    """A message taken from a queue."""

    routing_key: str
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]


class Broker:
    """A private RabbitMQ with one virtual host for events and one for Celery."""

    def __init__(self, node: RabbitMQNode) -> None:
        self._node = node
        self.url = node.vhost()
        self.celery_url = node.vhost()
        self._connection = kombu.Connection(self.url, transport_options={"confirm_publish": True})
        self._channel = _untyped(self._connection.channel())
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        self._channel.queue_declare(AUDIT, durable=True, auto_delete=False)
        self._channel.queue_bind(AUDIT, EXCHANGE, routing_key="#")

    @property
    def port(self) -> int:
        return self._node.port

    def publish_raw(self, routing_key: str, body: bytes, message_id: str) -> None:
        """Publishes bytes as any program may, and waits for the broker's confirm."""
        prepared = self._channel.prepare_message(
            body, content_type="application/json", properties={"message_id": message_id, "delivery_mode": 2}
        )
        self._channel.basic_publish(prepared, exchange=EXCHANGE, routing_key=routing_key)

    def take_all(self, queue: str) -> list[Found]:
        """Every message that stands in a queue."""
        found: list[Found] = []
        while (message := self._channel.basic_get(queue, no_ack=True)) is not None:
            properties: dict[str, Any] = dict(message.properties)
            headers: dict[str, Any] = properties.pop("application_headers", None) or {}
            found.append(Found(message.delivery_info["routing_key"], headers, properties))
        return found

    def unacknowledged(self) -> int:
        """How many deliveries the broker waits for the subscriber to acknowledge."""
        return self._list(self.url, "messages_unacknowledged")[QUEUE]

    def waiting(self) -> int:
        """How many events and tasks are not settled: waiting, or under way."""
        events, tasks = self._list(self.url, "messages"), self._list(self.celery_url, "messages")
        return events[QUEUE] + tasks[TASKS]

    def close(self) -> None:
        self._connection.release()

    def _list(self, url: str, column: str) -> dict[str, int]:
        listed = self._node.ctl("list_queues", "--no-table-headers", "-p", url.rpartition("/")[2], "name", column)
        return {name: int(count) for name, count in (line.split("\t") for line in listed.splitlines())}


def _untyped(channel: Any) -> Any:
    """celery-types knows kombu's channels, but not those of py-amqp."""
    return channel
