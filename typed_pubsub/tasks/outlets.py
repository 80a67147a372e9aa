"""Where messages leave: confirming channels where the broker has them, else see plain.py.

An outlet is opened when it is first needed and closed by its owner at the first fault; then it is opened again.
"""

import contextlib
import logging
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

from amqp.exceptions import ChannelError
from celery import Celery
from kombu.exceptions import KombuError

from typed_pubsub.brokers.confirms import ConfirmChannel, Outcome, Returned, refused_publish
from typed_pubsub.brokers.connection import FAULTS, HEARTBEAT, Link, transport_options
from typed_pubsub.brokers.event_broker import open_link
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.brokers.topology import dead_letter_queue, ensure_dead_letter_queue
from typed_pubsub.errors import TopologyRefused
from typed_pubsub.tasks.app_connection import app_connection, app_tls
from typed_pubsub.tasks.builder import TaskMessage
from typed_pubsub.tasks.hazards import used_as_found
from typed_pubsub.tasks.plain import PlainTaskOutlet

log = logging.getLogger("typed_pubsub.subscriber")

K = TypeVar("K", bound=Hashable)
M_contra = TypeVar("M_contra", contravariant=True)

# A header frame must fit into one AMQP frame; RabbitMQ's frames have 131,072 bytes, with some of them for itself.
_MAX_PROPERTIES = 131_000

# Bytes that are written together.
_HOLD = 65_536

# The drivers whose channels confirm and return: py-amqp and the embedded broker (librabbitmq's do not).
_CONFIRMING = ("py-amqp", "typed_pubsub")


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


class _AmqpOutlet(Generic[K]):
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
        return self._channel is not None

    def open(self, timeout: float) -> None:
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
        return self._channel is not None and self._channel.link.blocked

    def flush(self, timeout: float, tick: Callable[[], None]) -> None:
        if self._channel is not None:
            self._channel.flush(timeout, tick, while_blocked=self.while_blocked)

    def send_held(self) -> None:
        if self._channel is not None:
            self._channel.link.send_held()

    @property
    def link(self) -> Link | None:
        return None if self._channel is None else self._channel.link

    def take_outcomes(self) -> dict[K, Outcome]:
        outcomes, self._left = self._left, {}
        return outcomes | self._channel.take_outcomes() if self._channel is not None else outcomes

    def idle(self) -> None:
        if self._channel is not None:
            while self._channel.link.drain(0):
                pass
            self._channel.link.heartbeat()

    def beat(self) -> None:
        if self._channel is not None:
            with contextlib.suppress(*FAULTS):
                self._channel.link.beat()

    def close(self, timeout: float = 1.0) -> None:
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


class DeadLetterOutlet(_AmqpOutlet[K]):
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


class AmqpTaskOutlet(_AmqpOutlet[K]):
    """Tasks to a Celery broker that speaks AMQP: every one mandatory and confirmed."""

    # Nothing can be done without it. 20 minutes until what is held is handed back, and once this, are less than the 30
    # after which RabbitMQ closes the channel of a consumer (consumer_timeout).
    while_blocked = 9 * 60.0

    def __init__(self, app: Celery) -> None:
        """Connects as the app would, with the app's own settings."""
        super().__init__(self._connect_as_app)
        is_amqp = app_connection(app).transport.driver_type == "amqp"
        self._description = app_connection(app, transport_options() if is_amqp else {}, heartbeat=HEARTBEAT)
        self._declared: set[Any] = set()

    @staticmethod
    def prepare(message: TaskMessage) -> tuple[TaskMessage, ReadyMessage]:
        """The AMQP form of a message. Raises for what AMQP cannot carry: before anything of its event is sent."""
        properties = {**message.content, **message.properties, "application_headers": message.headers}
        body = message.body.encode() if isinstance(message.body, str) else message.body
        ready = ReadyMessage(body, properties, message.form)
        if len(ready.written_properties) > _MAX_PROPERTIES:
            msg = f"the task's headers take {len(ready.written_properties)} bytes, AMQP carries {_MAX_PROPERTIES}"
            raise ValueError(msg)
        for name in (message.exchange, message.routing_key):
            if len(name.encode()) > 255:  # noqa: PLR2004  # an AMQP short string
                msg = f"{name[:40]!r}... is longer than the 255 bytes that AMQP carries"
                raise ValueError(msg)
        return message, ready

    def put(self, key: K, message: tuple[TaskMessage, ReadyMessage]) -> None:
        """See Outlet. Declares the task's queue first, as Celery does, once a connection."""
        task, ready = message
        channel = self._open_channel()
        self._declare(channel.link, task)
        channel.put(key, ready, task.exchange, task.routing_key, mandatory=task.mandatory)
        if channel.link.held >= _HOLD:
            channel.link.send_held()

    @staticmethod
    def destination(message: tuple[TaskMessage, ReadyMessage]) -> tuple[str, str]:
        """See Outlet."""
        return message[0].exchange, message[0].routing_key

    @staticmethod
    def is_mandatory(message: tuple[TaskMessage, ReadyMessage]) -> bool:
        """See Outlet."""
        return message[0].mandatory

    def redeclare(self, message: tuple[TaskMessage, ReadyMessage]) -> None:
        """Forgets that the queue of this message was declared: it was deleted since."""
        self._declared -= set(map(_identity, message[0].declare))

    def close(self, timeout: float = 1.0) -> None:
        """See Outlet."""
        self._declared.clear()
        super().close(timeout)

    def _connect_as_app(self, timeout: float) -> Link:
        self._description.ssl = app_tls(self._description)
        return open_link(self._description, timeout)

    def _declare(self, link: Link, message: TaskMessage) -> None:
        for entity in message.declare:
            if _identity(entity) in self._declared:
                continue
            channel = link.channel()
            try:
                entity(channel).declare()
            except ChannelError as error:
                if refused_publish(error):
                    # Of a task written before: the news only came while this declaration was waited for.
                    raise
                # It is there with other arguments than this app believes, or not ours to declare: used as found. If
                # it is not there at all, the message comes back.
                log.warning("%s", used_as_found(entity.name, error))
            # Not after a fault of the connection: nobody would answer, and the wait for it would come on top.
            channel.close()
            self._declared.add(_identity(entity))


def task_outlet(app: Celery) -> "AmqpTaskOutlet[Any] | PlainTaskOutlet[Any]":
    """The outlet for the Celery broker of ``app``. Raises MisconfigurationException for a URL that cannot be read."""
    driver = app_connection(app).transport.driver_name
    return AmqpTaskOutlet(app) if driver in _CONFIRMING else PlainTaskOutlet(app)


def describe_refusal(outcome: Outcome) -> str:
    """One phrase on why a broker did not take a message."""
    return f"returned ({outcome.reply})" if isinstance(outcome, Returned) else "nacked"


def _identity(entity: Any) -> Any:
    exchange = getattr(entity, "exchange", None)
    return type(entity).__name__, entity.name, getattr(entity, "routing_key", None), getattr(exchange, "name", None)
