"""Where messages leave: confirming channels; for tasks see task_outlet.py, and plain.py where a broker has none.

An outlet is opened when it is first needed and closed by its owner at the first fault; then it is opened again.
"""

import contextlib
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from kombu.exceptions import KombuError

from typed_pubsub.brokers.confirms import ConfirmChannel, Outcome, Returned
from typed_pubsub.brokers.connection import FAULTS, Link
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.brokers.topology import dead_letter_queue, ensure_dead_letter_queue
from typed_pubsub.errors import TopologyRefused

K = TypeVar("K", bound=Hashable)
M_contra = TypeVar("M_contra", contravariant=True)


class Outlet(Protocol[K, M_contra]):
    """Takes messages to a broker and tells what became of each."""

    faults: tuple[type[BaseException], ...]
    #: Seconds for which a blocked connection is waited for beyond the time for an answer.
    while_blocked: float

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        ...

    def open(self, timeout: float) -> None:
        """Connects, if there is no connection. Raises one of ``faults``."""
        ...

    def put(self, key: K, message: M_contra) -> None:
        """Writes a message. Raises one of ``faults``."""
        ...

    def destination(self, message: M_contra) -> tuple[str, str]:
        """Exchange and routing key of a message."""
        ...

    def flush(self, timeout: float, tick: Callable[[], None]) -> None:
        """Waits for every answer, calling ``tick`` meanwhile. Raises one of ``faults``."""
        ...

    def send_held(self) -> None:
        """Sends what ``put`` may have held back. Raises one of ``faults``."""
        ...

    @property
    def link(self) -> Link | None:
        """The connection, if there is one that tells of answers."""
        ...

    def take_outcomes(self) -> dict[K, Outcome]:
        """What was settled since the last call, also before a fault."""
        ...

    @property
    def is_blocked(self) -> bool:
        """Whether the broker has blocked the connection: an alarm of its memory or disk."""
        ...

    def is_mandatory(self, message: M_contra) -> bool:
        """Whether a queue has to take the message."""
        ...

    def idle(self) -> None:
        """Takes the answers that have come and keeps the connection alive. Raises one of ``faults``."""
        ...

    def beat(self) -> None:
        """A sign of life while nobody reads the connection. Raises nothing."""
        ...

    def close(self, timeout: float = 1.0) -> None:
        """Drops the connection."""
        ...


class AmqpOutlet(Generic[K]):
    """What both AMQP outlets share: one connection with one confirming channel."""

    faults: tuple[type[BaseException], ...] = (*FAULTS, KombuError)
    #: Seconds for which a blocked connection is waited for beyond the time for an answer.
    while_blocked = 0.0

    def __init__(self, connect: Callable[[float], Link]) -> None:
        self._connect = connect
        self._channel: ConfirmChannel[K] | None = None
        self._left: dict[K, Outcome] = {}

    @property
    def is_open(self) -> bool:
        """See Outlet."""
        return self._channel is not None

    def open(self, timeout: float) -> None:
        """See Outlet."""
        if self._channel is None:
            link = self._connect(timeout)
            try:
                self._prepare(link)
                self._channel = ConfirmChannel(link)
            except BaseException:
                link.close()
                raise

    @property
    def is_blocked(self) -> bool:
        """See Outlet."""
        return self._channel is not None and self._channel.link.blocked

    def flush(self, timeout: float, tick: Callable[[], None]) -> None:
        """See Outlet."""
        if self._channel is not None:
            self._channel.flush(timeout, tick, while_blocked=self.while_blocked)

    def send_held(self) -> None:
        """See Outlet."""
        if self._channel is not None:
            self._channel.link.send_held()

    @property
    def link(self) -> Link | None:
        """See Outlet."""
        return None if self._channel is None else self._channel.link

    def take_outcomes(self) -> dict[K, Outcome]:
        """See Outlet."""
        outcomes, self._left = self._left, {}
        return outcomes | self._channel.take_outcomes() if self._channel is not None else outcomes

    def idle(self) -> None:
        """See Outlet."""
        if self._channel is not None:
            while self._channel.link.drain(0):
                pass
            self._channel.link.heartbeat()

    def beat(self) -> None:
        """See Outlet."""
        if self._channel is not None:
            with contextlib.suppress(*FAULTS):
                self._channel.link.beat()

    def close(self, timeout: float = 1.0) -> None:
        """See Outlet."""
        if self._channel is not None:
            channel, self._channel = self._channel, None
            self._left |= channel.take_outcomes()
            channel.close(timeout)

    def _prepare(self, link: Link) -> None:
        """What has to be there before the first message."""

    def _open_channel(self) -> ConfirmChannel[K]:
        if self._channel is None:
            msg = "the outlet is closed"
            raise ConnectionError(msg)
        return self._channel


class DeadLetterOutlet(AmqpOutlet[K]):
    """Dead letters, through the default exchange of the event broker."""

    def __init__(self, connect: Callable[[float], Link], queue: str, *, quorum: bool) -> None:
        """``queue`` is the event queue; ``connect`` opens a connection to its broker."""
        super().__init__(connect)
        self.faults = (*self.faults, TopologyRefused)
        self._queue = queue
        self._quorum = quorum

    def put(self, key: K, message: ReadyMessage) -> None:
        """See Outlet."""
        self._open_channel().put(key, message, "", dead_letter_queue(self._queue))

    def destination(self, message: ReadyMessage) -> tuple[str, str]:  # noqa: ARG002  # there is only one
        """See Outlet."""
        return "", dead_letter_queue(self._queue)

    @staticmethod
    def is_mandatory(message: ReadyMessage) -> bool:  # noqa: ARG004  # every dead letter is
        """See Outlet."""
        return True

    def redeclare(self, message: ReadyMessage) -> None:  # noqa: ARG002  # there is only one queue
        """Makes sure of the queue again before the next dead letter: it was deleted since."""
        self.close(0.1)

    def _prepare(self, link: Link) -> None:
        # Somebody may have deleted it since the start.
        ensure_dead_letter_queue(link, self._queue, quorum=self._quorum)


def describe_refusal(outcome: Outcome) -> str:
    """One phrase on why a broker did not take a message."""
    return f"returned ({outcome.reply})" if isinstance(outcome, Returned) else "nacked"
