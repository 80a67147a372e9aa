"""What was published and is not in the file yet: written in one transaction, all of it or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import ChannelError, PreconditionFailed, error_for_code
from amqp.serialization import dumps

from typed_pubsub.brokers.frames import UNREADABLE
from typed_pubsub.brokers.sqlite import messages
from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.sqlite.entities import not_found
from typed_pubsub.brokers.sqlite.routes import Routes
from typed_pubsub.events.message import PERSISTENT

_NO_ROUTE = 312
#: A message is read and written whole; RabbitMQ 3.10 has the same limit.
MAX_BODY_BYTES = 128 * 1024 * 1024


class Sender(Protocol):
    """A channel, as far as it is told what became of its messages."""

    def takes(self, publication: "Publication") -> bool:
        """Whether the message was put on the channel as it is, not before an error that closed it."""
        ...

    def break_with(self, error: ChannelError) -> None:
        """An error closes the channel."""
        ...

    def fail(self) -> None:
        """Raises that error."""
        ...

    def confirm(self, number: int, *, taken: bool) -> None:
        """Every message up to this one that is not told of yet is in the file; not ``taken``: a queue refused it."""
        ...

    def give_back(self, error: ChannelError, exchange: str, routing_key: str, message: Any) -> None:
        """No queue takes a message."""
        ...


@dataclass(frozen=True, slots=True)
class Publication:
    """A message on its way, serialized; ``number`` counts those of a confirming channel since it was opened.

    ``ttl`` is its time to live in seconds, negative if it could not be read; ``durable``: to be on the disk when it is
    confirmed.
    """

    channel: Sender
    opened: int
    number: int | None
    exchange: str
    routing_key: str
    properties: bytes
    body: bytes
    ttl: float | None
    mandatory: bool
    durable: bool


def publication(
    channel: Sender, position: tuple[int, int | None], message: Any, where: tuple[str, str], *, mandatory: bool
) -> Publication:
    """A message of py-amqp's on its way.

    Raises:
        struct.error, ValueError, TypeError, AMQPError: AMQP cannot carry it; nothing has happened then.
    """
    dumps("ss", where)
    # py-amqp lets surrogates through; a broker would not.
    "".join(where).encode()
    body = message.body
    if isinstance(body, str):
        # As py-amqp does.
        body = body.encode(message.properties.setdefault("content_encoding", "utf-8"))
    expiration = message.properties.get("expiration")
    ttl = None if expiration is None else int(expiration) / 1000 if str(expiration).isdecimal() else -1.0
    properties: bytes = message._serialize_properties()  # noqa: SLF001  # py-amqp's own road to its writer
    durable = message.properties.get("delivery_mode") == PERSISTENT
    return Publication(channel, *position, *where, properties, bytes(body), ttl, mandatory, durable)


#: What a channel is to be told, in order.
Event: TypeAlias = tuple[Sender, Callable[[], None]]


def write(db: Database, routes: Routes, publications: list[Publication]) -> list[Event]:
    """Writes messages; what their channels are to be told: returns and refusals, one confirm, the error that ends it.

    Persistent messages are on the disk when this returns, as a broker's are when it confirms them.

    Raises:
        TimeoutError, OSError: nothing was written; see ``Database.transaction``.
    """
    told: list[Event] = []
    confirmed: dict[Sender, int] = {}
    broken: dict[Sender, ChannelError] = {}
    with db.transaction(durable=any(each.durable for each in publications)):
        routes.refresh()
        for each in publications:
            channel = each.channel
            if channel in broken or not channel.takes(each):
                continue
            answer = _store(db, routes, each)
            if isinstance(answer, ChannelError):
                broken[channel] = answer
                continue
            if answer is not None:
                told.append((channel, answer))
            if each.number is not None:
                confirmed[channel] = each.number
    for channel, error in broken.items():
        channel.break_with(error)
    told += ((channel, partial(channel.confirm, number, taken=True)) for channel, number in confirmed.items())
    return told + [(channel, channel.fail) for channel in broken]


def _store(db: Database, routes: Routes, each: Publication) -> ChannelError | Callable[[], None] | None:
    """Writes one message; the error that closes its channel, or what its channel is to be told of it, or None."""
    queues = routes.find(each.exchange, each.routing_key)
    if queues is None:
        return not_found("exchange", each.exchange, spec.Basic.Publish)
    if each.ttl is not None and each.ttl < 0:
        return PreconditionFailed("invalid expiration: expected milliseconds as a text", spec.Basic.Publish)
    if len(each.body) > MAX_BODY_BYTES:
        text = f"message size {len(each.body)} is larger than configured max size {MAX_BODY_BYTES}"
        return PreconditionFailed(text, spec.Basic.Publish)
    if queues:
        open_queues = [queue for queue in queues if not messages.is_full(db, queue)]
        messages.put(db, open_queues, (each.exchange, each.routing_key), (each.properties, each.body), each.ttl)
        if len(open_queues) < len(queues) and each.number is not None:
            return partial(each.channel.confirm, each.number, taken=False)
    elif each.mandatory:
        returned: Any = Message(each.body)
        try:
            returned.properties = messages.read_properties(each.properties)
        except UNREADABLE:
            returned.properties = {}
        error: Any = error_for_code(_NO_ROUTE, "NO_ROUTE", spec.Basic.Return, ChannelError)
        return partial(each.channel.give_back, error, each.exchange, each.routing_key, returned)
    return None
