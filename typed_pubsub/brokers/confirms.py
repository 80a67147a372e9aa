"""A channel in confirm mode: write many messages, wait once, know of each what became of it.

Delivery tags are counted here, because py-amqp's own ``basic_publish_confirm`` takes any confirm for the one it waits
for. After any exception the channel is worthless: what is settled is settled, what is pending is unknown.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from amqp import spec
from amqp.exceptions import AccessRefused, ChannelError, NotFound

from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.ready import ReadyMessage

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Taken:
    """The broker has the message, in at least one queue if it was mandatory."""


@dataclass(frozen=True, slots=True)
class Returned:
    """No queue takes the message; ``reply`` is the broker's word for it."""

    reply: str


@dataclass(frozen=True, slots=True)
class Nacked:
    """A queue refused the message: it is full, or in trouble."""


Outcome: TypeAlias = Taken | Returned | Nacked

_TAKEN = Taken()


class ConfirmChannel(Generic[K]):
    """A confirming channel of a connection; ``key`` is whatever the caller knows a message by."""

    def __init__(self, link: Link, channel: Any = None) -> None:
        """Puts a channel of ``link`` in confirm mode; None: opens one."""
        self.link = link
        self.outcomes: dict[K, Outcome] = {}
        self._written = 0
        self._pending: dict[int, tuple[K, ReadyMessage, str, str]] = {}
        self._returned: dict[int, str] = {}
        self._channel = link.channel() if channel is None else channel
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)

    def __len__(self) -> int:
        """How many messages are written and not yet settled."""
        return len(self._pending)

    def put(self, key: K, message: ReadyMessage, exchange: str, routing_key: str, *, mandatory: bool = True) -> None:
        """Writes a message, which leaves as ``Link.hold`` says; its outcome is there when the broker has answered."""
        self.link.hold(self._channel, message, (exchange, routing_key), mandatory=mandatory)
        # Counted after the write: what raises before anything was sent has no tag.
        self._written += 1
        self._pending[self._written] = (key, message, exchange, routing_key)

    def take_outcomes(self) -> dict[K, Outcome]:
        """What was settled since the last call."""
        outcomes, self.outcomes = self.outcomes, {}
        return outcomes

    def flush(self, timeout: float, tick: Callable[[], None], *, while_blocked: float = 0.0) -> None:
        """Waits until every message is settled; ``tick`` is called at least each second while nothing comes.

        While the broker has blocked the connection (an alarm of its memory or disk) the time does not run, for at most
        ``while_blocked`` seconds: it says that it lives, and will answer. Whoever gives up and writes again on another
        connection may be read twice.

        Raises:
            TimeoutError: the broker did not answer within ``timeout`` seconds. The channel is then worthless.
        """
        begun = time.monotonic()
        end = begun + timeout
        while self._pending:
            now = time.monotonic()
            if self.link.blocked and now - begun < while_blocked:
                end = now + timeout
            left = end - now
            if left <= 0:
                msg = f"no confirm for {len(self._pending)} messages within {timeout:g} s"
                raise TimeoutError(msg)
            if not self.link.drain(min(left, 1.0)):
                if self.link.blocked:
                    self.link.heartbeat()
                tick()

    def close(self, timeout: float = 1.0) -> None:
        """Closes the connection, with the channel."""
        self.link.close(timeout)

    def _on_ack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001  # py-amqp's callback
        for settled in self._settled(tag, multiple=multiple):
            key = self._pending.pop(settled)[0]
            reply = self._returned.pop(settled, None)
            self.outcomes[key] = _TAKEN if reply is None else Returned(reply)

    def _on_nack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001  # py-amqp's callback
        for settled in self._settled(tag, multiple=multiple):
            self._returned.pop(settled, None)
            self.outcomes[self._pending.pop(settled)[0]] = Nacked()

    def _settled(self, tag: int, *, multiple: bool) -> list[int]:
        if not multiple:
            return [tag] if tag in self._pending else []
        settled: list[int] = []
        for pending in self._pending:
            if pending > tag:
                break
            settled.append(pending)
        return settled

    def _on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        # A return names no tag. It precedes the confirm, and returns come in the order of publishing: it belongs to
        # the first pending message that looks the same.
        for tag, (_, written, to, key) in self._pending.items():
            alike = (to, key) == (exchange, routing_key) and _ids(written) == _ids(message)
            if alike and tag not in self._returned:
                self._returned[tag] = str(error.reply_text or error)
                return


def refused_publish(error: BaseException) -> bool:
    """Whether the broker closed the channel because of a message (too large, no such exchange, not allowed)."""
    return isinstance(error, ChannelError) and tuple(getattr(error, "method_sig", ())) == spec.Basic.Publish


def missing_or_forbidden(error: BaseException) -> bool:
    """Whether the broker refused a message for where it goes, not for what it is."""
    return isinstance(error, NotFound | AccessRefused)


def _ids(message: Any) -> tuple[Any, Any]:
    return message.properties.get("message_id"), message.properties.get("correlation_id")
