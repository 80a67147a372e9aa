"""Exchanges, queues and bindings: looked at first, declared if missing, used as found, never removed.

Every question that the broker may answer with a closed channel is asked on a throw-away channel.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amqp.exceptions import AccessRefused, ChannelError, NotFound, PreconditionFailed

from typed_pubsub.brokers.connection import Link
from typed_pubsub.errors import TopologyRefused

#: Of a queue that we declare, where it can be had: deliveries before the broker itself dead-letters a message.
DELIVERY_LIMIT = 50
#: No delivery limit, in the words of RabbitMQ 4.
UNLIMITED = -1
#: The version of RabbitMQ from which on a quorum queue has a delivery limit of 20 unless it is told otherwise.
LIMITS_QUORUM_QUEUES = (4,)


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
        arguments = queue_arguments(self.queue, quorum=self.quorum, limits_deliveries=link.limits_deliveries)
        ensure_queue(link, self.queue, arguments)
        ensure_bindings(link, self.queue, self.exchange, self.binding_keys)


def queue_arguments(queue: str, *, quorum: bool, limits_deliveries: bool) -> dict[str, Any]:
    """The arguments that an event queue is declared with; ``limits_deliveries`` is the broker's (see Link)."""
    # A classic queue has no arguments, as the replaced library declares it, so that either may come first.
    if not quorum and not limits_deliveries:
        return {}
    limited = {
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead_letter_queue(queue),
    }
    if limits_deliveries:
        # There is one kind of queue, and what it dead-letters is moved in one transaction.
        return limited
    # At-least-once dead-lettering asks for reject-publish (RabbitMQ, "Quorum Queues").
    at_least_once = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
    return {"x-queue-type": "quorum", **limited, **at_least_once}


def dead_letter_arguments(*, quorum: bool, limits_deliveries: bool, server_version: tuple[int, ...]) -> dict[str, Any]:
    """The arguments that a dead-letter queue is declared with: as durable as the event queue, no limit of any kind.

    ``limits_deliveries`` and ``server_version`` are the broker's (see Link).
    """
    if not quorum or limits_deliveries:
        return {}
    # Before 4.0 there is no limit, and no way to say so.
    unlimited = {"x-delivery-limit": UNLIMITED} if server_version >= LIMITS_QUORUM_QUEUES else {}
    return {"x-queue-type": "quorum", **unlimited}


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
    arguments = dead_letter_arguments(
        quorum=quorum, limits_deliveries=link.limits_deliveries, server_version=link.server_version
    )
    ensure_queue(link, dead_letter_queue(queue), arguments)


def ensure_bindings(link: Link, queue: str, exchange: str, binding_keys: Iterable[str]) -> None:
    """Binds the queue with every key; the bindings that it has stay."""

    def bind(channel: Any) -> None:
        for key in binding_keys:
            channel.queue_bind(queue, exchange, routing_key=key, nowait=True)
        # Answered only after the bindings before it.
        channel.queue_declare(queue, passive=True)

    try:
        on_throw_away_channel(link, bind)
    except ChannelError as error:
        raise refused(f"the bindings of queue {queue!r} to exchange {exchange!r}", error) from error


def declare_queue(link: Link, name: str, arguments: Mapping[str, Any]) -> None:
    """A durable queue with exactly these arguments. Raises TopologyRefused: there is another one of that name."""
    try:
        on_throw_away_channel(
            link,
            lambda channel: channel.queue_declare(name, durable=True, auto_delete=False, arguments=dict(arguments)),
        )
    except ChannelError as error:
        raise refused(f"queue {name!r}", error) from error


#: A binding of a queue: exchange, key and arguments.
BindingOf = tuple[str, str, Mapping[str, Any]]


def add_bindings(link: Link, queue: str, bindings: Iterable[BindingOf]) -> None:
    """Binds the queue; a binding that it has stays. Raises TopologyRefused."""

    def bind(channel: Any) -> None:
        for exchange, key, arguments in bindings:
            channel.queue_bind(queue, exchange, routing_key=key, arguments=dict(arguments))

    try:
        on_throw_away_channel(link, bind)
    except ChannelError as error:
        raise refused(f"a binding of queue {queue!r}", error) from error


def remove_bindings(link: Link, queue: str, bindings: Iterable[BindingOf]) -> None:
    """Takes bindings away; one that is not there is none. Raises TopologyRefused."""

    def unbind(channel: Any) -> None:
        for exchange, key, arguments in bindings:
            channel.queue_unbind(queue, exchange, routing_key=key, arguments=dict(arguments))

    try:
        on_throw_away_channel(link, unbind)
    except ChannelError as error:
        raise refused(f"to take a binding of queue {queue!r} away", error) from error


Question = Callable[[Any], Any]


def _find_or_declare(link: Link, what: str, find: Question, declare: Question) -> None:
    try:
        if not _exists(link, find):
            try:
                on_throw_away_channel(link, declare)
            except PreconditionFailed:
                # Somebody else was quicker, with other arguments: used as found.
                on_throw_away_channel(link, find)
    except ChannelError as error:
        raise refused(what, error) from error


def _exists(link: Link, find: Question) -> bool:
    try:
        on_throw_away_channel(link, find)
    except NotFound:
        return False
    return True


def on_throw_away_channel(link: Link, ask: Question) -> None:
    """Calls ``ask`` with a channel of its own. Raises ChannelError: the broker's answer closed it."""
    channel = link.channel()
    try:
        ask(channel)
    except ChannelError:
        # py-amqp has reopened the channel under the same object.
        channel.close()
        raise
    # Not after a fault of the connection: nobody would answer, and the wait for it would come on top.
    channel.close()


def refused(what: str, error: ChannelError) -> TopologyRefused:
    """The error for a refusal of the broker's; ``what`` follows "the broker refused"."""
    hint = " (the user lacks a permission)" if isinstance(error, AccessRefused) else ""
    return TopologyRefused(f"the broker refused {what}{hint}: {error.reply_text or error}")
