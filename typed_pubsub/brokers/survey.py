"""What a connection tells of its broker. Nothing is changed but for an exclusive queue of the connection's own.

Each question that the broker may answer with a closed channel is asked on a channel of its own.
"""

import secrets
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amqp import Message
from amqp.exceptions import AccessRefused, ChannelError, NotFound

from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.topology import on_throw_away_channel

#: How often a message goes to the broker and back.
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Agreed:
    """What client and broker agreed on: ``heartbeat`` in seconds and ``frame_max`` in bytes, 0: none, no limit."""

    product: str
    version: str
    cluster: str
    heartbeat: int
    frame_max: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker refused a question; ``permission``: because the user may not do this."""

    text: str
    permission: bool


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """Seconds from publishing a message to having it back, confirmed."""

    median: float
    worst: float


def agreed(link: Link) -> Agreed:
    """What was said in the handshake; of the embedded broker, which has none, nothing."""
    raw = link.raw
    said: Mapping[str, Any] = getattr(raw, "server_properties", None) or {}
    product, version, cluster = (str(said.get(name, "")) for name in ("product", "version", "cluster_name"))
    heartbeat, frame_max = (int(getattr(raw, name, 0) or 0) for name in ("heartbeat", "frame_max"))
    return Agreed(product, version, cluster, heartbeat, frame_max)


def may_publish(link: Link, exchange: str) -> Refused | None:
    """What stands against publishing to an exchange that exists: asked by taking a binding away that nobody made.

    RabbitMQ looks at the permission to write first, which is the one that publishing needs.
    """
    key = secrets.token_hex(16)
    answer = _ask(link, lambda channel: channel.exchange_unbind(exchange, "amq.topic", routing_key=key))
    # Of amq.topic the permission to read would be asked for: then that to write is there.
    return answer if isinstance(answer, Refused) and f"'{exchange}'" in answer.text else None


def may_bind(link: Link, queue: str, exchange: str) -> Refused | None:
    """What stands against binding a queue to an exchange, both there: asked as ``may_publish`` does."""
    key = secrets.token_hex(16)
    answer = _ask(link, lambda channel: channel.queue_unbind(queue, exchange, routing_key=key))
    return answer if isinstance(answer, Refused) else None


def measure(link: Link, timeout: float) -> RoundTrips | Refused:
    """Publishes to a queue of this connection's own, and waits for message and confirm, ``ROUNDS`` times.

    Raises:
        TimeoutError: one did not come back within ``timeout`` seconds.
        OSError, AMQPError: the connection broke.
    """

    def ask(channel: Any) -> RoundTrips:
        queue = channel.queue_declare("", exclusive=True, auto_delete=True)[0]
        rounds = _Rounds(link, channel, queue, timeout)
        times = [rounds.once() for _ in range(ROUNDS)]
        return RoundTrips(statistics.median(times), max(times))

    answer: RoundTrips | Refused | None = _ask(link, ask)
    return Refused("its own queue was gone", permission=False) if answer is None else answer


class _Rounds:
    def __init__(self, link: Link, channel: Any, queue: str, timeout: float) -> None:
        self._link, self._channel, self._queue, self._timeout = link, channel, queue, timeout
        self._back = self._confirmed = 0
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.basic_consume(queue, no_ack=True, callback=self._on_message)

    def once(self) -> float:
        """Seconds for one message."""
        begun = time.monotonic()
        wanted = self._back + 1
        self._channel.basic_publish(Message(b"typed_pubsub doctor"), "", self._queue, mandatory=True)
        while self._back < wanted or self._confirmed < wanted:
            left = begun + self._timeout - time.monotonic()
            if left <= 0:
                msg = f"a message did not come back within {self._timeout:g} s"
                raise TimeoutError(msg)
            self._link.drain(left)
        return time.monotonic() - begun

    def _on_message(self, _message: Any) -> None:
        self._back += 1

    def _on_ack(self, tag: int, _multiple: bool) -> None:  # noqa: FBT001  # py-amqp's callback
        self._confirmed = tag


def _ask(link: Link, question: Callable[[Any], Any]) -> Any:
    """The answer, None where what is asked for is not there, Refused where the broker closed the channel."""
    found: list[Any] = []
    try:
        on_throw_away_channel(link, lambda channel: found.append(question(channel)))
    except NotFound:
        return None
    except ChannelError as error:
        return Refused(" ".join(str(error.reply_text or error).split()), isinstance(error, AccessRefused))
    return found[0]


def file_problem(path: str, timeout: float) -> str | None:
    """What SQLite finds wrong in the file of the embedded broker, which has to be there; None: nothing.

    Raises:
        OSError: the file is locked, or cannot be read.
        MisconfigurationException: it is none of ours.
    """
    database = Database(path, timeout=timeout)
    try:
        told = database.read("pragma quick_check(1)")[0][0]
    finally:
        database.close()
    return None if told == "ok" else str(told)
