"""What was published and is not in the file yet: written in one transaction, all of it or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import ChannelError, PreconditionFailed, error_for_code

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

    def confirm(self, number: int) -> None:
        """Every message up to this one is in the file."""
        ...

    def give_back(self, error: ChannelError, exchange: str, routing_key: str, message: Any) -> None:
        """No queue takes a message."""
        ...


@dataclass(frozen=True, slots=True)
class Publication:
    """A message on its way; ``number`` counts those of a confirming channel since it was opened."""

    channel: Sender
    opened: int
    number: int | None
    message: Any
    exchange: str
    routing_key: str
    mandatory: bool


#: What a channel is to be told, in order.
Event: TypeAlias = tuple[Sender, Callable[[], None]]


def write(db: Database, routes: Routes, publications: list[Publication]) -> list[Event]:
    """Writes messages; what their channels are to be told: returns, then one confirm, then the error that ends it.

    Persistent messages are on the disk when this returns, as a broker's are when it confirms them.

    Raises:
        TimeoutError, OSError: nothing was written; see ``Database.transaction``.
    """
    returns: list[Event] = []
    confirmed: dict[Sender, int] = {}
    broken: dict[Sender, ChannelError] = {}
    durable = any(each.message.properties.get("delivery_mode") == PERSISTENT for each in publications)
    with db.transaction(durable=durable):
        routes.refresh()
        for each in publications:
            if each.channel in broken or not each.channel.takes(each):
                continue
            answer = _store(db, routes, each)
            if isinstance(answer, ChannelError):
                broken[each.channel] = answer
                continue
            if answer is not None:
                returns.append((each.channel, answer))
            if each.number is not None:
                confirmed[each.channel] = each.number
    for channel, error in broken.items():
        channel.break_with(error)
    confirms: list[Event] = [(channel, partial(channel.confirm, number)) for channel, number in confirmed.items()]
    return returns + confirms + [(channel, channel.fail) for channel in broken]


def _store(db: Database, routes: Routes, each: Publication) -> ChannelError | Callable[[], None] | None:
    """Writes one message; the error that closes its channel, or how to return it, or None."""
    queues = routes.find(each.exchange, each.routing_key)
    if queues is None:
        return not_found("exchange", each.exchange, spec.Basic.Publish)
    body, ttl = _body(each.message), _time_to_live(each.message)
    if ttl is not None and ttl < 0:
        return PreconditionFailed("invalid expiration: expected milliseconds as a text", spec.Basic.Publish)
    if len(body) > MAX_BODY_BYTES:
        return PreconditionFailed(f"message size {len(body)} larger than {MAX_BODY_BYTES}", spec.Basic.Publish)
    properties: bytes = each.message._serialize_properties()  # noqa: SLF001  # py-amqp's own road to its writer
    if queues:
        messages.put(db, queues, (each.exchange, each.routing_key), (properties, body), ttl)
        return None
    if not each.mandatory:
        return None
    returned: Any = Message(body)
    returned.properties = messages.read_properties(properties)
    error: Any = error_for_code(_NO_ROUTE, "NO_ROUTE", spec.Basic.Return, ChannelError)
    return partial(each.channel.give_back, error, each.exchange, each.routing_key, returned)


def _body(message: Any) -> bytes:
    body = message.body
    if isinstance(body, str):
        # As py-amqp does.
        return body.encode(message.properties.setdefault("content_encoding", "utf-8"))
    return bytes(body)


def _time_to_live(message: Any) -> float | None:
    """Seconds; negative: not to be read."""
    expiration = message.properties.get("expiration")
    if expiration is None:
        return None
    return int(expiration) / 1000 if str(expiration).isdecimal() else -1.0
