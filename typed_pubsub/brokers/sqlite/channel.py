"""A channel with the methods of ``amqp.Channel``, and what kombu adds to them."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NoReturn
from uuid import uuid4

from amqp import spec
from amqp.exceptions import ChannelError, ConsumerCancelled, NotAllowed
from kombu.transport import base, pyamqp

from typed_pubsub.brokers.sqlite import entities, messages
from typed_pubsub.brokers.sqlite.database import GATE, Database
from typed_pubsub.brokers.sqlite.inbox import Claimed, Consumer, Inbox, as_message
from typed_pubsub.brokers.sqlite.messages import Stored
from typed_pubsub.brokers.sqlite.ports import Owner
from typed_pubsub.brokers.sqlite.sending import SendingMethods

Settle = Callable[[Database, int, list[int]], int]


class Channel(SendingMethods, base.StdChannel):
    """A channel: consumers with their deliveries, and what it publishes."""

    Message = pyamqp.Message
    prepare_message = pyamqp.Channel.prepare_message
    prepare_queue_arguments: Any = pyamqp.Channel.prepare_queue_arguments
    message_to_python = pyamqp.Channel.message_to_python

    def __init__(self, connection: Owner, channel_id: int) -> None:
        """An open channel."""
        super().__init__(connection)
        self.channel_id = channel_id
        self.is_open = True
        self.auto_decode = True
        self.no_ack_consumers: Any = set[str]()
        self._inbox = Inbox()

    @property
    def consumes(self) -> bool:
        """Whether it has a consumer."""
        return bool(self._inbox.consumers)

    def basic_qos(self, prefetch_size: int, prefetch_count: int, a_global: bool) -> None:
        """Bounds the unacknowledged deliveries of the channel, all its consumers together; 0: no bound."""
        self._inbox.prefetch = prefetch_count
        self.owner.look_again()

    def basic_consume(  # noqa: PLR0913  # py-amqp's signature
        self,
        queue: str = "",
        consumer_tag: str = "",
        no_local: bool = False,
        no_ack: bool = False,
        exclusive: bool = False,
        nowait: bool = False,
        callback: Callable[[Any], Any] | None = None,
        arguments: Mapping[str, Any] | None = None,
        on_cancel: Callable[[str], Any] | None = None,
    ) -> str:
        """Starts a consumer; its tag."""
        session = self.owner.session()
        tag = consumer_tag or f"amq.ctag-{uuid4().hex}"
        if tag in self._inbox.consumers:
            msg = f"attempt to reuse consumer tag {tag!r}"
            raise NotAllowed(msg, spec.Basic.Consume)
        with GATE:
            with self._change() as db:
                self.owner.require_session(db)
                found = self._queue(db, queue, spec.Basic.Consume)
                entities.add_consumer(db, session, tag, found, exclusive=exclusive)
            self._inbox.consumers[tag] = Consumer(tag, found, callback, no_ack, on_cancel)
            if no_ack:
                self.no_ack_consumers.add(tag)
        return tag

    def basic_cancel(self, consumer_tag: str, nowait: bool = False) -> None:
        """Ends a consumer; what it has not seen yet goes back to the queue."""
        if consumer_tag not in self._inbox.consumers:
            return
        session = self.owner.session()
        with GATE:
            with self._change() as db:
                self._inbox.give_back_unseen(db, session, [consumer_tag])
                entities.remove_consumers(db, session, [consumer_tag])
            self._forget(consumer_tag)

    def basic_get(self, queue: str = "", no_ack: bool = False) -> Any:
        """The next message of a queue, or None."""
        session = None if no_ack else self.owner.session()
        with GATE:
            with self._change() as db:
                found = self._queue(db, queue, spec.Basic.Get)
                entities.touch(db, found.id)
                if session is None:
                    taken = messages.take(db, found.id, 1)
                else:
                    self.owner.require_session(db)
                    taken = messages.claim(db, self.owner.routes, found, session, 1)
                left = entities.count_queue(db, found.id)[0]
            if not taken:
                return None
            tag = self._inbox.number(taken[0], no_ack=no_ack)
        return self._message(taken[0], {"delivery_tag": tag, "message_count": left})

    def basic_ack(self, delivery_tag: int, multiple: bool = False) -> None:
        """Settles a delivery, or with ``multiple`` every one up to it (0: all)."""
        self._settle(delivery_tag, spec.Basic.Ack, messages.settle, multiple=multiple)

    def basic_reject(self, delivery_tag: int, requeue: bool) -> None:
        """Puts a delivery back where it was, or to the dead letters of its queue."""
        self._settle(delivery_tag, spec.Basic.Reject, messages.release if requeue else self._reject)

    def basic_recover(self, requeue: bool = False) -> None:  # RabbitMQ knows but true
        """Puts every unacknowledged delivery back where it was."""
        session = self.owner.session()
        with GATE:
            with self._change() as db:
                self._inbox.give_back(db, session)
            self._inbox.forget_deliveries()

    def flow(self, active: bool) -> None:
        """Nothing to do: what is not asked for does not come."""

    def send_method(self, sig: tuple[int, int], _format: str, args: Any, content: Any = None) -> None:
        """py-amqp's road to the wire: Basic.Publish, written at the next wait, and Basic.Nack."""
        if sig == spec.Basic.Publish:
            _, exchange, routing_key, mandatory, _ = args
            self._put(content, exchange, routing_key, mandatory=mandatory)
        elif sig == spec.Basic.Nack:
            tag, multiple, requeue = args
            self._settle(tag, sig, messages.release if requeue else self._reject, multiple=multiple)
        else:
            raise NotImplementedError(sig)

    def cancelled(self, db: Database) -> Callable[[], None] | None:
        """What to do about a consumer whose queue is gone, if there is one."""
        gone = self._inbox.gone(db)
        return None if gone is None else partial(self._on_cancelled, gone)

    def has_work(self, db: Database) -> bool:
        """Whether messages wait that a consumer may have now."""
        return self._inbox.has_work(db)

    def claim(self, db: Database, session: int) -> list[Claimed]:
        """Takes as many messages as the consumers may have; inside of a transaction."""
        return self._inbox.claim(db, self.owner.routes, session)

    def receive(self, claimed: Iterable[Claimed]) -> None:
        """Keeps what was claimed, once that is certain."""
        self._inbox.receive(claimed)

    def next_delivery(self) -> Callable[[], None] | None:
        """The next delivery to a consumer, if one has come."""
        delivery = self._inbox.take()
        return None if delivery is None else partial(self._deliver, *delivery)

    def release_unseen(self, db: Database, session: int) -> None:
        """Puts back what no consumer has seen, as if it never had been claimed."""
        self._inbox.give_back_unseen(db, session, list(self._inbox.consumers))

    def close(self) -> None:
        """Ends its consumers; what is unacknowledged goes back to the queue."""
        with GATE:
            owner = self.connection
            try:
                if owner is not None and owner.connected:
                    owner.flush()
                    self._reset()
                    owner.channels.pop(self.channel_id, None)
            except OSError:
                self.owner.break_off()
                raise
            finally:
                self.collect()

    def collect(self) -> None:
        """Forgets everything."""
        self.is_open = False
        self.connection = None
        self._inbox.clear()
        self.no_ack_consumers.clear()
        self.events.clear()

    def _settle(self, tag: int, method: tuple[int, int], settle: Settle, *, multiple: bool = False) -> None:
        with GATE:
            with self._change() as db:
                held = self._inbox.held(tag, multiple=multiple, method=method)
                session = self.owner.current_session
                if session is None or settle(db, session, list(held.values())) < len(held):
                    # Their queue was deleted, or they are somebody else's by now.
                    self.owner.require_session(db)
            self._inbox.settled(held)

    def _reject(self, db: Database, session: int, held: list[int]) -> int:
        return messages.reject(db, self.owner.routes, session, held)

    def _deliver(self, consumer: Consumer, tag: int, stored: Stored) -> None:
        message = self._message(stored, {"consumer_tag": consumer.tag, "delivery_tag": tag})
        if consumer.callback is not None:
            consumer.callback(message)

    def _message(self, stored: Stored, info: dict[str, Any]) -> Any:
        message = as_message(stored, info, decode=self.auto_decode)
        message.channel = self
        return message

    def _on_cancelled(self, consumer: Consumer) -> None:
        self._forget(consumer.tag)
        if consumer.on_cancel is None:
            raise ConsumerCancelled(consumer.tag, spec.Basic.Cancel)
        consumer.on_cancel(consumer.tag)

    def _forget(self, consumer_tag: str) -> None:
        self._inbox.forget(consumer_tag)
        self.no_ack_consumers.discard(consumer_tag)

    def _refuse(self, error: ChannelError) -> NoReturn:
        """As a broker does: closes the channel; py-amqp opens it anew under the same object, with nothing on it."""
        try:
            self._reset()
        except OSError as fault:
            self.owner.break_off()
            raise ConnectionResetError(f"{error}; then: {fault}") from error
        raise error

    def _reset(self) -> None:
        session = self.owner.current_session
        if session is not None:
            database = self.owner.database
            with database.transaction():
                self._inbox.give_back(database, session)
                entities.remove_consumers(database, session, list(self._inbox.consumers))
        self._inbox.clear()
        self.no_ack_consumers.clear()
        self._begin_anew()
        self.owner.look_again()
