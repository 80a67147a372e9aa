"""Celery's side: what stands on its queue, counted while a run is under way and read at its end."""

import contextlib
import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any, Protocol

import redis
from kombu.utils.json import loads

from tests.faults.service import TASKS
from tests.support.amqp import linked, take_all
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.settings.sqlite_url import is_sqlite_url


@dataclass(frozen=True, slots=True)
class Task:
    """One task message; ``event_id`` and ``source`` are empty where no library put the event's headers on it."""

    id: str
    route: str
    number: int
    event_id: str = ""
    source: str = ""


class Sink(Protocol):
    """The queue of tasks."""

    def count(self) -> int | None:
        """How many tasks stand there now; None if nobody answers."""
        ...

    def take(self) -> list[Task]:
        """All of them, out of the queue."""
        ...


class AmqpSink:
    """On RabbitMQ or the embedded broker, past every proxy."""

    def __init__(self, url: str) -> None:
        self._url = url

    def count(self) -> int | None:
        return count(self._url, TASKS)

    def take(self) -> list[Task]:
        return [_read(one.headers, one.body) for one in take_all(self._url, TASKS)]


class RedisSink:
    """A list of Redis."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)

    def count(self) -> int | None:
        try:
            return int(self._client.llen(TASKS))
        except redis.RedisError:
            return None

    def take(self) -> list[Task]:
        with self._client.pipeline(transaction=True) as at_once:
            at_once.lrange(TASKS, 0, -1)
            at_once.delete(TASKS)
            raw, _ = at_once.execute()
        found = [json.loads(one) for one in raw]
        return [_read(one["headers"], b64decode(one["body"])) for one in found]


def count(url: str, queue: str) -> int | None:
    """The messages in a queue that nobody holds; None if there is no such queue, or nobody answers."""
    try:
        with linked(url, 2.0) as link:
            return int(link.channel().queue_declare(queue, passive=True).message_count)
    except FAULTS:
        return None


def settled(url: str, queue: str) -> bool:
    """Whether a queue holds no messages but those that a consumer of RabbitMQ has; False if nobody answers.

    These it settles while it stops. One of the embedded broker puts back those that it has not come to look at.
    """
    if not is_sqlite_url(url):
        return count(url, queue) == 0
    sql = "select count(*) from message join queue on queue.id = message.queue where name = ?"
    with contextlib.suppress(*FAULTS), linked(url, 2.0) as link:
        return bool(link.raw.database.read(sql, queue) == [(0,)])
    return False


def _read(headers: Any, body: Any) -> Task:
    (number, *_), *_ = loads(body)
    name = str(headers["task"]).removeprefix("faults.")
    return Task(headers["id"], name, number, headers.get("ce-id", ""), headers.get("ce-source", ""))
