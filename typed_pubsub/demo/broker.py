"""The demo's own look at the broker, with kombu and sqlite3: what the library does is not asked of the library."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kombu

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
    """The embedded broker on one file, for events and for Celery's tasks."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.url = f"sqlite:///{file}"
        self._connection = kombu.Connection(self.url)
        self._channel = _untyped(self._connection.channel())
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        self._channel.queue_declare(AUDIT, durable=True, auto_delete=False)
        self._channel.queue_bind(AUDIT, EXCHANGE, routing_key="#")

    def publish_raw(self, routing_key: str, body: bytes, message_id: str) -> None:
        """Publishes bytes as any program may; the message is in the queues when this returns."""
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
        return self._count("queue.name = ? and message.session is not null", QUEUE)

    def waiting(self) -> int:
        """How many events and tasks are not settled: waiting, or under way."""
        return self._count("queue.name in (?, ?)", QUEUE, TASKS)

    def close(self) -> None:
        self._connection.release()

    def _count(self, condition: str, *values: str) -> int:
        joined = f"select count(*) from message join queue on queue.id = message.queue where {condition}"  # noqa: S608
        with closing(sqlite3.connect(self.file)) as connection:
            count: int = connection.execute(joined, values).fetchone()[0]
            return count


def _untyped(channel: Any) -> Any:
    """celery-types knows kombu's channels, but not the embedded broker's."""
    return channel
