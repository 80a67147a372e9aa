"""Exchanges, queues and bindings: looked at first, declared if missing, used as found, never removed.

Every question that the broker may answer with a closed channel is asked on a throw-away channel.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from amqp.exceptions import AccessRefused, ChannelError, NotFound, PreconditionFailed

from typed_pubsub.brokers.connection import Link
from typed_pubsub.errors import TopologyRefused

#: Of a queue that we declare, where it can be had: deliveries before the broker itself dead-letters a message.
DELIVERY_LIMIT = 50
#: No delivery limit, in the words of RabbitMQ 4.
UNLIMITED = -1
# The version of RabbitMQ from which on a quorum queue has a delivery limit of 20 unless it is told otherwise.
_DROPS_BY_ITSELF = (4,)


def dead_letter_queue(queue: str) -> str:
    """The name of the dead-letter queue of an event queue."""
    return f"{queue}.dlq"


@dataclass(frozen=True, slots=True)
class Topology:
    """What a subscriber needs at the broker."""

    exchange: str
    queue: str
    binding_keys: tuple[str, ...]
    quorum: bool = False

    def ensure(self, link: Link) -> None:
        """Makes sure of exchange, queue, dead-letter queue and bindings.

        Raises:
            TopologyRefused: the broker does not allow it, or has something of another kind under the name.
        """
        ensure_exchange(link, self.exchange)
        ensure_dead_letter_queue(link, self.queue, quorum=self.quorum)
        ensure_queue(link, self.queue, self._arguments(link))
        ensure_bindings(link, self.queue, self.exchange, self.binding_keys)

    def _arguments(self, link: Link) -> dict[str, Any]:
        # A classic queue has no arguments, as the replaced library declares it, so that either may come first.
        if not self.quorum and not link.limits_deliveries:
            return {}
        limited = {
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead_letter_queue(self.queue),
        }
        if link.limits_deliveries:
            # There is one kind of queue, and what it dead-letters is moved in one transaction.
            return limited
        # At-least-once dead-lettering asks for reject-publish (RabbitMQ, "Quorum Queues").
        at_least_once = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
        return {"x-queue-type": "quorum", **limited, **at_least_once}


def ensure_exchange(link: Link, name: str) -> None:
    """A durable topic exchange of this name, unless there is one of any kind already."""
    _find_or_declare(
        link,
        f"exchange {name!r}",
        lambda channel: channel.exchange_declare(name, "topic", passive=True),
        lambda channel: channel.exchange_declare(name, "topic", durable=True, auto_delete=False),
    )


def ensure_queue(link: Link, name: str, arguments: dict[str, Any]) -> None:
    """A durable queue of this name, unless there is one of any kind already."""
    _find_or_declare(
        link,
        f"queue {name!r}",
        lambda channel: channel.queue_declare(name, passive=True),
        lambda channel: channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments),
    )


def ensure_dead_letter_queue(link: Link, queue: str, *, quorum: bool) -> None:
    """The dead-letter queue of an event queue: as durable as that one, and nothing in it ever expires."""
    ensure_queue(
        link,
        dead_letter_queue(queue),
        quorum_for_ever(link.server_version) if quorum and not link.limits_deliveries else {},
    )


def quorum_for_ever(server_version: tuple[int, ...]) -> dict[str, Any]:
    """Arguments of a quorum queue from which this version of RabbitMQ drops nothing for having been looked at.

    From 4.0 on it drops what was delivered 20 times, unless the queue says otherwise; before, there is no limit, and no
    way to say so.
    """
    unlimited = {"x-delivery-limit": UNLIMITED} if server_version >= _DROPS_BY_ITSELF else {}
    return {"x-queue-type": "quorum", **unlimited}


def ensure_bindings(link: Link, queue: str, exchange: str, binding_keys: Iterable[str]) -> None:
    """Binds the queue with every key; the bindings that it has stay."""

    def bind(channel: Any) -> None:
        for key in binding_keys:
            channel.queue_bind(queue, exchange, routing_key=key, nowait=True)
        # Answered only after the bindings before it.
        channel.queue_declare(queue, passive=True)

    try:
        _on_throw_away_channel(link, bind)
    except ChannelError as error:
        raise _refused(f"the bindings of queue {queue!r} to exchange {exchange!r}", error) from error


def count_consumers(link: Link, queue: str) -> int | None:
    """How many consumers a queue has; None: there is no such queue.

    Raises:
        TopologyRefused: the broker does not allow the question.
    """
    found = _look(link, queue)
    return None if found is None else int(found.consumer_count)


def count_messages(link: Link, queue: str) -> int | None:
    """How many messages of a queue are ready to be delivered; None: there is no such queue.

    Raises:
        TopologyRefused: the broker does not allow the question.
    """
    found = _look(link, queue)
    return None if found is None else int(found.message_count)


def drops_by_itself(link: Link, queue: str) -> bool:
    """Whether the broker may drop messages of an existing queue for having been delivered and given back often.

    RabbitMQ does from 4.0 on, where a quorum queue does not say otherwise. Its limit may come from a policy, which
    nobody can ask for here.
    """
    return link.server_version >= _DROPS_BY_ITSELF and has_delivery_limit(link, queue)


def has_delivery_limit(link: Link, queue: str) -> bool:
    """Whether an existing queue is a quorum queue that is not declared to be without a delivery limit.

    Where the user may not declare queues nobody knows, and it may well have one.
    """
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": UNLIMITED}

    def declare(channel: Any) -> None:
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)

    # Declared as one without: the broker names what differs, the kind of the queue first.
    try:
        _on_throw_away_channel(link, declare)
    except PreconditionFailed as error:
        return "x-delivery-limit" in str(error.reply_text)
    except AccessRefused:
        return True
    return False


def _look(link: Link, queue: str) -> Any:
    found: list[Any] = []
    try:
        _on_throw_away_channel(link, lambda channel: found.append(channel.queue_declare(queue, passive=True)))
    except NotFound:
        return None
    except ChannelError as error:
        raise _refused(f"to tell of queue {queue!r}", error) from error
    return found[0]


Question = Callable[[Any], Any]


def _find_or_declare(link: Link, what: str, find: Question, declare: Question) -> None:
    try:
        if not _exists(link, find):
            try:
                _on_throw_away_channel(link, declare)
            except PreconditionFailed:
                # Somebody else was quicker, with other arguments: used as found.
                _on_throw_away_channel(link, find)
    except ChannelError as error:
        raise _refused(what, error) from error


def _exists(link: Link, find: Question) -> bool:
    try:
        _on_throw_away_channel(link, find)
    except NotFound:
        return False
    return True


def _on_throw_away_channel(link: Link, ask: Question) -> None:
    channel = link.channel()
    try:
        ask(channel)
    except ChannelError:
        # py-amqp has reopened the channel under the same object.
        channel.close()
        raise
    # Not after a fault of the connection: nobody would answer, and the wait for it would come on top.
    channel.close()


def _refused(what: str, error: ChannelError) -> TopologyRefused:
    hint = " (the user lacks a permission)" if isinstance(error, AccessRefused) else ""
    return TopologyRefused(f"the broker refused {what}{hint}: {error.reply_text or error}")
