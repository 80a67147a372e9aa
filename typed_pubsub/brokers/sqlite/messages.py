"""Messages: put into queues, handed to sessions, settled, expired. Each function runs in the caller's transaction.

A message is one row of one queue. ``session`` is who holds it (null: it waits), ``deliveries`` how often it was handed
out. Its place in the queue is its number, so whatever goes back to the queue is where it was.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

from typed_pubsub.brokers import properties as amqp_properties
from typed_pubsub.brokers.frames import UNREADABLE
from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.sqlite.entities import Queue, declare_queue, queue_by_id
from typed_pubsub.brokers.sqlite.routes import Routes
from typed_pubsub.events.shapes import is_mapping

log = logging.getLogger("typed_pubsub.sqlite")

#: Header of a message that was handed out before: how often (the name and meaning are RabbitMQ's).
DELIVERY_COUNT = "x-delivery-count"

_COLUMNS = "id, queue, deliveries, exchange, routing_key, properties, body"
_WAITING = (
    "select id from message where queue = ? and session is null and (expires is null or expires > ?)"
    " order by id limit ?"
)
_INSERT = "insert into message (queue, expires, exchange, routing_key, properties, body) values (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it stands in the file; ``deliveries`` counts this one, if it is being handed out."""

    id: int
    queue: int
    deliveries: int
    exchange: str
    routing_key: str
    properties: bytes
    body: bytes


def put(
    db: Database, queues: Iterable[Queue], where: tuple[str, str], content: tuple[bytes, bytes], ttl: float | None
) -> None:
    """Puts a message into queues.

    Args:
        db: in a transaction.
        queues: each gets its own copy.
        where: exchange and routing key that it was published with.
        content: properties and body.
        ttl: its own time to live, in seconds, beside the queue's.
    """
    now = time.time()
    for queue in queues:
        limits = [limit for limit in (ttl, queue.ttl) if limit is not None]
        expires = now + min(limits) if limits else None
        db.write(_INSERT, queue.id, expires, *where, *content)


def claim(db: Database, routes: Routes, queue: Queue, session: int, most: int) -> list[Stored]:
    """Hands the next ``most`` messages of a queue to a session, in order; none only if none waits.

    One that was handed out more often than the queue allows goes to its dead letters instead.
    """
    limit = queue.delivery_limit
    statement = (
        f"update message set session = ?, deliveries = deliveries + 1 where id in ({_WAITING}) returning {_COLUMNS}"  # noqa: S608
    )
    while rows := db.write(statement, session, queue.id, time.time(), most).fetchall():
        stored = sorted((Stored(*row) for row in rows), key=lambda message: message.id)
        kept = [message for message in stored if limit is None or message.deliveries <= limit + 1]
        if len(kept) < len(stored):
            dead_letter(db, routes, [message for message in stored if message not in kept], "delivery_limit")
        if kept:
            return kept
    return []


def take(db: Database, queue: int, most: int) -> list[Stored]:
    """Takes the next messages out of a queue for good: consumers that acknowledge nothing."""
    rows = db.write(f"delete from message where id in ({_WAITING}) returning {_COLUMNS}", queue, time.time(), most)  # noqa: S608
    return sorted((Stored(*row) for row in rows.fetchall()), key=lambda message: message.id)


def settle(db: Database, session: int, messages: Sequence[int]) -> int:
    """Removes messages that a session holds; how many of them it held."""
    return db.write_many("delete from message where id = ? and session = ?", [(each, session) for each in messages])


def release(db: Database, session: int, messages: Iterable[int], *, delivered: bool = True) -> int:
    """Puts messages that a session holds back where they were; ``delivered``: its consumers have seen them."""
    back = 0 if delivered else 1
    return db.write_many(
        "update message set session = null, deliveries = deliveries - ? where id = ? and session = ?",
        [(back, message, session) for message in messages],
    )


def reject(db: Database, routes: Routes, session: int, messages: Iterable[int]) -> int:
    """Removes messages that a session holds, or moves them to the dead letters of their queue."""
    held = [
        Stored(*row)
        for message in messages
        for row in db.read(f"select {_COLUMNS} from message where id = ? and session = ?", message, session)  # noqa: S608
    ]
    dead_letter(db, routes, held, "rejected")
    return len(held)


def is_full(db: Database, queue: Queue) -> bool:
    """Whether a queue takes nothing more (``x-overflow``: ``reject-publish``)."""
    if queue.max_length is None:
        return False
    waiting = "select count(*) from message where queue = ? and session is null"
    return bool(db.read(waiting, queue.id)[0][0] >= queue.max_length)


def any_waiting(db: Database, queue: int) -> bool:
    """Whether a queue has something to hand out."""
    return bool(db.read(_WAITING, queue, time.time(), 1))


def purge(db: Database, queue: int) -> int:
    """Removes what waits in a queue; how many."""
    count: int = db.write("delete from message where queue = ? and session is null", queue).rowcount
    return count


def drop_expired(db: Database, now: float) -> None:
    """Removes what waits longer than its time to live, or moves it to the dead letters of its queue."""
    expired = f"select {_COLUMNS} from message where expires < ? and session is null limit 1000"  # noqa: S608
    if not db.read(expired, now):
        return
    with db.transaction():
        dead_letter(db, Routes(db), [Stored(*row) for row in db.read(expired, now)], "expired")


def dead_letter(db: Database, routes: Routes, messages: Sequence[Stored], reason: str) -> None:
    """Moves messages to where the dead letters of their queues go, if anywhere, with RabbitMQ's ``x-death``.

    A dead-letter queue that is named and missing is made: what is dead-lettered must not vanish.
    """
    if not messages:
        return
    routes.refresh()
    for message in messages:
        queue = queue_by_id(db, message.queue)
        if queue is not None and queue.dead_letter_exchange is not None:
            exchange = queue.dead_letter_exchange
            routing_key = message.routing_key if queue.dead_letter_key is None else queue.dead_letter_key
            targets = routes.find(exchange, routing_key) or _made(db, routes, exchange, routing_key)
            put(db, targets, (exchange, routing_key), (_with_death(message, queue.name, reason), message.body), None)
            if not targets:
                log.warning("a message of %r is dropped (%s): no queue takes its dead letters", queue.name, reason)
        db.write("delete from message where id = ?", message.id)


def _made(db: Database, routes: Routes, exchange: str, name: str) -> tuple[Queue, ...]:
    if exchange or not name or name.startswith("amq."):
        return ()
    queue = declare_queue(db, name, durable=True, auto_delete=False, owner=None, arguments={})
    routes.refresh()
    return (queue,)


def read_properties(properties: bytes) -> dict[str, Any]:
    """The properties of a message; a new dict each time. Raises what frames.UNREADABLE names: nobody can read them."""
    return amqp_properties.decode(properties, 0)


def _with_death(message: Stored, queue: str, reason: str) -> bytes:
    """The properties with one death more (RabbitMQ, "Dead Letter Exchanges"); as they are if they cannot tell of it."""
    try:
        properties = read_properties(message.properties)
        headers: dict[str, Any] = dict(properties.get("application_headers") or {})
        deaths = [death for death in headers.get("x-death") or () if _is_death(death)]
        before = next((death for death in deaths if (death["queue"], death["reason"]) == (queue, reason)), None)
        first: dict[str, Any] = {"queue": queue, "reason": reason, "count": 0, "exchange": message.exchange}
        death: dict[str, Any] = before or {**first, "routing-keys": [message.routing_key]}
        others = [other for other in deaths if other is not before]
        now = datetime.now(UTC).replace(tzinfo=None)
        headers["x-death"] = [{**death, "count": death["count"] + 1, "time": now}, *others]
        for name in ("queue", "reason", "exchange"):
            headers.setdefault(f"x-first-death-{name}", first[name])
        # As RabbitMQ does: what ended the message here shall not end it there.
        properties.pop("expiration", None)
        written = amqp_properties.encode({**properties, "application_headers": headers})
    except (*UNREADABLE, AttributeError):
        # Headers that nobody can read, or that can be read and not written: the message matters more.
        return message.properties
    return written


def _is_death(death: Any) -> TypeGuard[dict[str, Any]]:
    """Whether an entry of ``x-death`` is one: anybody may have written the header."""
    return is_mapping(death) and isinstance(death.get("count"), int) and {"queue", "reason"} <= death.keys()
