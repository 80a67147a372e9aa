"""Exchanges, queues, bindings and consumers: rows of the file, with AMQP's rules for declaring them.

Every function that writes runs inside of the caller's transaction.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from amqp import spec
from amqp.exceptions import AccessRefused, NotFound, PreconditionFailed, ResourceLocked

from typed_pubsub.brokers.sqlite.database import Database

#: What an exchange may be; a queue's arguments that act (the others are only remembered) are in ``declare_queue``.
EXCHANGE_TYPES = ("direct", "fanout", "topic")

_COLUMNS = (
    "id, name, durable, auto_delete, arguments, owner, delivery_limit, max_length, ttl,"
    " dead_letter_exchange, dead_letter_key"
)
Method = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: ``owner`` is the session of an exclusive one, ``ttl`` in seconds; at ``max_length`` it refuses more."""

    id: int
    name: str
    durable: bool
    auto_delete: bool
    arguments: str
    owner: int | None
    delivery_limit: int | None
    max_length: int | None
    ttl: float | None
    dead_letter_exchange: str | None
    dead_letter_key: str | None


def declare_exchange(
    db: Database, name: str, kind: str, *, durable: bool, auto_delete: bool, passive: bool = False
) -> None:
    """Makes an exchange, or makes sure that there is the same.

    Raises:
        NotFound: ``passive``, and there is none.
        PreconditionFailed: there is another one, or the type is not known here.
        AccessRefused: the name is reserved.
    """
    method = spec.Exchange.Declare
    found = db.read("select type, durable, auto_delete from exchange where name = ?", name)
    if passive:
        if not found and name:
            raise not_found("exchange", name, method)
    elif not found:
        _refuse_reserved("exchange", name, method)
        if kind not in EXCHANGE_TYPES:
            text = f"exchange type {kind!r}: the embedded broker has {', '.join(EXCHANGE_TYPES)}"
            raise PreconditionFailed(text, method)
        db.write("insert into exchange values (?, ?, ?, ?)", name, kind, durable, auto_delete)
    else:
        _require_equal(
            f"exchange {name!r}", method, ("type", "durable", "auto_delete"), found[0], (kind, durable, auto_delete)
        )


def delete_exchange(db: Database, name: str, *, if_unused: bool) -> None:
    """Removes an exchange and its bindings; one that is not there is none."""
    if if_unused and db.read("select 1 from binding where exchange = ? limit 1", name):
        raise PreconditionFailed(f"exchange {name!r} in use", spec.Exchange.Delete)
    db.write("delete from exchange where name = ?", name)


def declare_queue(
    db: Database, name: str, *, durable: bool, auto_delete: bool, owner: int | None, arguments: Mapping[str, Any]
) -> Queue:
    """Makes a queue, or makes sure that there is the same; without a name it gets one.

    Of the arguments these act: ``x-delivery-limit``, ``x-message-ttl`` and ``x-expires`` (milliseconds),
    ``x-dead-letter-exchange`` and ``x-dead-letter-routing-key``, and ``x-max-length`` with ``x-overflow`` being
    ``reject-publish`` (it never drops what it has).

    Raises:
        PreconditionFailed: there is one with other properties or arguments.
        ResourceLocked: it is another connection's exclusive queue.
        AccessRefused: the name is reserved.
    """
    method = spec.Queue.Declare
    text = json.dumps(dict(arguments), sort_keys=True, default=str)
    if name:
        found = find_queue(db, name)
        if found is not None:
            refuse_others(found, owner, method)
            names = ("durable", "auto_delete", "exclusive", "arguments")
            there = (found.durable, found.auto_delete, found.owner is not None, found.arguments)
            _require_equal(f"queue {name!r}", method, names, there, (durable, auto_delete, owner is not None, text))
            touch(db, found.id)
            return found
        _refuse_reserved("queue", name, method)
    name = name or f"amq.gen-{uuid4().hex}"
    refuses = arguments.get("x-overflow") == "reject-publish"
    lengths = arguments.get("x-delivery-limit"), arguments.get("x-max-length") if refuses else None
    times = _seconds(arguments, "x-message-ttl"), _seconds(arguments, "x-expires")
    dead_letters = arguments.get("x-dead-letter-exchange"), arguments.get("x-dead-letter-routing-key")
    db.write(
        "insert into queue (name, durable, auto_delete, arguments, owner, delivery_limit, max_length, ttl, expires,"
        " dead_letter_exchange, dead_letter_key, used) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        name, durable, auto_delete, text, owner, *lengths, *times, *dead_letters, time.time(),
    )  # fmt: skip
    return the_queue(db, name, method)


def find_queue(db: Database, name: str) -> Queue | None:
    """The queue of this name, or None."""
    rows = db.read(f"select {_COLUMNS} from queue where name = ?", name)  # noqa: S608  # a constant
    return _queue(rows[0]) if rows else None


def queue_by_id(db: Database, queue: int) -> Queue | None:
    """The queue of this number, or None."""
    rows = db.read(f"select {_COLUMNS} from queue where id = ?", queue)  # noqa: S608  # a constant
    return _queue(rows[0]) if rows else None


def the_queue(db: Database, name: str, method: Method) -> Queue:
    """The queue of this name. Raises NotFound."""
    found = find_queue(db, name)
    if found is None:
        raise not_found("queue", name, method)
    return found


def refuse_others(queue: Queue, session: int | None, method: Method) -> None:
    """Raises ResourceLocked for an exclusive queue of another connection."""
    if queue.owner is not None and queue.owner != session:
        text = f"cannot obtain exclusive access to locked queue {queue.name!r}"
        raise ResourceLocked(text, method)


def count_queue(db: Database, queue: int) -> tuple[int, int]:
    """How many messages wait, and how many consumers there are."""
    ready = "select count(*) from message where queue = ? and session is null and (expires is null or expires > ?)"
    (messages,), (consumers,) = (
        db.read(ready, queue, time.time())[0],
        db.read("select count(*) from consumer where queue = ?", queue)[0],
    )
    return messages, consumers


def delete_queue(db: Database, queue: int) -> None:
    """Removes a queue with its messages, bindings and consumers."""
    bound = [row[0] for row in db.read("select distinct exchange from binding where queue = ?", queue)]
    db.write("delete from queue where id = ?", queue)
    _drop_unbound_exchanges(db, bound)


def bind(db: Database, queue: int, exchange: str, routing_key: str) -> None:
    """Binds a queue; the same binding again changes nothing. Raises NotFound: there is no such exchange."""
    if not db.read("select 1 from exchange where name = ?", exchange):
        raise not_found("exchange", exchange, spec.Queue.Bind)
    db.write("insert or ignore into binding values (?, ?, ?)", exchange, routing_key, queue)


def unbind(db: Database, queue: int, exchange: str, routing_key: str) -> None:
    """Removes a binding; one that is not there is none."""
    values = (exchange, routing_key, queue)
    db.write("delete from binding where exchange = ? and routing_key = ? and queue = ?", *values)
    _drop_unbound_exchanges(db, [exchange])


def add_consumer(db: Database, session: int, tag: str, queue: Queue, *, exclusive: bool) -> None:
    """Registers a consumer. Raises AccessRefused: it or another one wants the queue alone."""
    others = db.read("select exclusive from consumer where queue = ?", queue.id)
    if others and (exclusive or any(row[0] for row in others)):
        text = f"queue {queue.name!r} in exclusive use"
        raise AccessRefused(text, spec.Basic.Consume)
    db.write("insert into consumer values (?, ?, ?, ?)", session, tag, queue.id, exclusive)


def remove_consumers(db: Database, session: int, tags: Iterable[str]) -> None:
    """Removes consumers, and the queues that were to go with their last one."""
    for tag in tags:
        left = db.read("select queue from consumer where session = ? and tag = ?", session, tag)
        db.write("delete from consumer where session = ? and tag = ?", session, tag)
        _left(db, [row[0] for row in left])


def end_sessions(db: Database, sessions: Iterable[int]) -> None:
    """Ends sessions: what they held comes again, what was exclusively theirs goes."""
    for session in sessions:
        left = [row[0] for row in db.read("select distinct queue from consumer where session = ?", session)]
        for (queue,) in db.read("select id from queue where owner = ?", session):
            delete_queue(db, queue)
        db.write("delete from session where id = ?", session)
        _left(db, left)


def drop_idle_queues(db: Database, now: float) -> None:
    """Removes the queues that nobody has used for as long as their ``x-expires`` says; its own transaction."""
    idle = (
        "select id from queue where expires is not null and used + expires < ?"
        " and not exists (select 1 from consumer where consumer.queue = queue.id)"
    )
    if db.read(idle, now):
        with db.transaction():
            for (queue,) in db.read(idle, now):
                delete_queue(db, queue)


def touch(db: Database, queue: int) -> None:
    """The queue is used now."""
    db.write("update queue set used = ? where id = ? and expires is not null", time.time(), queue)


def not_found(what: str, name: str, method: Method) -> NotFound:
    """The broker's answer about something that is not there."""
    return NotFound(f"no {what} {name!r}", method)


def _left(db: Database, queues: Iterable[int]) -> None:
    """The queues have lost a consumer."""
    for queue in queues:
        touch(db, queue)
        last = (
            "select 1 from queue where id = ? and auto_delete and not exists (select 1 from consumer where queue = ?)"
        )
        if db.read(last, queue, queue):
            delete_queue(db, queue)


def _drop_unbound_exchanges(db: Database, exchanges: Iterable[str]) -> None:
    for name in exchanges:
        db.write(
            "delete from exchange where name = ? and auto_delete"
            " and not exists (select 1 from binding where binding.exchange = exchange.name)",
            name,
        )


def _queue(row: Any) -> Queue:
    number, name, durable, auto_delete, *rest = row
    return Queue(number, name, bool(durable), bool(auto_delete), *rest)


def _seconds(arguments: Mapping[str, Any], name: str) -> float | None:
    value = arguments.get(name)
    return None if value is None else float(value) / 1000


def _require_equal(what: str, method: Method, names: Iterable[str], found: Iterable[Any], given: Iterable[Any]) -> None:
    for wanted, there, here in zip(names, found, given, strict=True):
        if there != here:
            text = f"inequivalent arg {wanted!r} for {what}: received {here!r} but current is {there!r}"
            raise PreconditionFailed(text, method)


def _refuse_reserved(what: str, name: str, method: Method) -> None:
    if not name or name.startswith("amq."):
        raise AccessRefused(f"{what} name {name!r} contains reserved prefix 'amq.*'", method)
