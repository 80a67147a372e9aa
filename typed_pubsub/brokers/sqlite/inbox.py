"""What a channel consumes: its consumers, what was claimed for them, and what they have not acknowledged."""

import contextlib
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from amqp.basic_message import Message
from amqp.exceptions import PreconditionFailed

from typed_pubsub.brokers.frames import UNREADABLE, mark_unreadable
from typed_pubsub.brokers.sqlite import messages
from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.sqlite.entities import Queue, queue_by_id
from typed_pubsub.brokers.sqlite.messages import Stored
from typed_pubsub.brokers.sqlite.routes import Routes

#: Deliveries that are claimed before their consumer asks for them, where no prefetch says less.
WINDOW = 200


@dataclass(frozen=True, slots=True)
class Consumer:
    """A consumer, as ``basic_consume`` has made it."""

    tag: str
    queue: Queue
    callback: Callable[[Any], Any] | None
    no_ack: bool
    on_cancel: Callable[[str], Any] | None


Claimed: TypeAlias = tuple[Consumer, Stored]


class Inbox:
    """The consuming side of one channel. Delivery tags count from 1, over all its consumers."""

    def __init__(self) -> None:
        """No consumer."""
        self.consumers: dict[str, Consumer] = {}
        self.prefetch = 0
        self._last_tag = 0
        self._unacked: dict[int, int] = {}
        self._unseen: deque[tuple[Consumer, int, Stored]] = deque()

    def number(self, stored: Stored, *, no_ack: bool) -> int:
        """The delivery tag of a message; it is unacknowledged from here on."""
        self._last_tag += 1
        if not no_ack:
            self._unacked[self._last_tag] = stored.id
        return self._last_tag

    def gone(self, db: Database) -> Consumer | None:
        """A consumer whose queue is gone, if there is one."""
        return next((each for each in self.consumers.values() if queue_by_id(db, each.queue.id) is None), None)

    def has_work(self, db: Database) -> bool:
        """Whether messages wait that a consumer may have now."""
        return any(self._room(each) > 0 and messages.any_waiting(db, each.queue.id) for each in self.consumers.values())

    def claim(self, db: Database, routes: Routes, session: int) -> list[Claimed]:
        """Takes as many messages as the consumers may have, each in turn; inside of a transaction."""
        claimed: list[Claimed] = []
        for consumer in self.consumers.values():
            most = self._room(consumer) - len(claimed)
            if most <= 0:
                break
            if consumer.no_ack:
                found = messages.take(db, consumer.queue.id, most)
            else:
                found = messages.claim(db, routes, consumer.queue, session, most)
            claimed += ((consumer, stored) for stored in found)
        if self.consumers:
            # Who was first is last the next time.
            first = next(iter(self.consumers))
            self.consumers[first] = self.consumers.pop(first)
        return claimed

    def receive(self, claimed: Iterable[Claimed]) -> None:
        """Keeps what was claimed, once that is certain."""
        for consumer, stored in claimed:
            self._unseen.append((consumer, self.number(stored, no_ack=consumer.no_ack), stored))

    def take(self) -> tuple[Consumer, int, Stored] | None:
        """The next delivery that no consumer has seen."""
        return self._unseen.popleft() if self._unseen else None

    def held(self, tag: int, *, multiple: bool, method: tuple[int, int]) -> dict[int, int]:
        """The unacknowledged deliveries that an acknowledgement is about: delivery tag -> message.

        Raises:
            PreconditionFailed: there is no such delivery.
        """
        if tag not in self._unacked and not (multiple and tag == 0):
            raise PreconditionFailed(f"unknown delivery tag {tag}", method)
        if not multiple:
            return {tag: self._unacked[tag]}
        # Nobody speaks for what was claimed ahead and not seen yet.
        unseen = {each for _, each, _ in self._unseen}
        seen = {each: message for each, message in self._unacked.items() if each not in unseen}
        return {each: message for each, message in seen.items() if each <= tag or tag == 0}

    def settled(self, tags: Collection[int]) -> None:
        """These are unacknowledged no more."""
        for tag in tags:
            self._unacked.pop(tag, None)

    def give_back_unseen(self, db: Database, session: int, consumer_tags: Collection[str]) -> None:
        """Puts back what these consumers have not seen, as if it never had been claimed; inside of a transaction."""
        unseen = [stored.id for consumer, _, stored in self._unseen if consumer.tag in consumer_tags]
        messages.release(db, session, unseen, delivered=False)

    def give_back(self, db: Database, session: int) -> None:
        """Puts back everything; inside of a transaction."""
        self.give_back_unseen(db, session, list(self.consumers))
        messages.release(db, session, self._unacked.values())

    def forget(self, consumer_tag: str) -> None:
        """Forgets a consumer and what it has not seen."""
        self.consumers.pop(consumer_tag, None)
        unseen, self._unseen = self._unseen, deque()
        for consumer, tag, stored in unseen:
            if consumer.tag == consumer_tag:
                self._unacked.pop(tag, None)
            else:
                self._unseen.append((consumer, tag, stored))

    def clear(self) -> None:
        """Forgets every consumer and delivery; tags go on counting."""
        self.consumers.clear()
        self.forget_deliveries()

    def forget_deliveries(self) -> None:
        """Forgets every delivery, and keeps the consumers."""
        self._unacked.clear()
        self._unseen.clear()

    def _room(self, consumer: Consumer) -> int:
        room = WINDOW - len(self._unseen)
        return room if consumer.no_ack or not self.prefetch else min(room, self.prefetch - len(self._unacked))


def as_message(stored: Stored, info: dict[str, Any], *, decode: bool) -> Any:
    """A message as py-amqp hands it out; ``decode``: its body as text where it names an encoding, as py-amqp does."""
    message: Any = Message(stored.body)
    try:
        message.properties = messages.read_properties(stored.properties)
    except UNREADABLE as error:
        mark_unreadable(message, error, stored.properties)
    redelivered = stored.deliveries > 1
    if redelivered:
        message.properties.setdefault("application_headers", {})[messages.DELIVERY_COUNT] = stored.deliveries - 1
    if decode and "content_encoding" in message.properties:
        with contextlib.suppress(LookupError, ValueError):
            message.body = stored.body.decode(message.properties["content_encoding"])
    where = {"redelivered": redelivered, "exchange": stored.exchange, "routing_key": stored.routing_key}
    message.delivery_info = info | where
    return message
