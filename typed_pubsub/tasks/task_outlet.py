"""Where tasks leave for Celery's broker: a confirming channel where it speaks AMQP."""

import logging
from typing import Any

from amqp.exceptions import ChannelError
from celery import Celery

from typed_pubsub.brokers.confirms import refused_publish
from typed_pubsub.brokers.connection import HEARTBEAT, Link, transport_options
from typed_pubsub.brokers.event_broker import open_link
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.tasks.app_connection import app_connection, app_tls
from typed_pubsub.tasks.hazards import used_as_found
from typed_pubsub.tasks.messages import TaskMessage
from typed_pubsub.tasks.outlets import AmqpOutlet, K
from typed_pubsub.tasks.plain import PlainTaskOutlet

log = logging.getLogger("typed_pubsub.subscriber")

# A header frame must fit into one AMQP frame; RabbitMQ's frames have 131,072 bytes, with some of them for itself.
_MAX_PROPERTIES = 131_000

# Bytes that are written together.
_HOLD = 65_536

# The drivers whose channels confirm and return: py-amqp and the embedded broker (librabbitmq's do not).
_CONFIRMING = ("py-amqp", "typed_pubsub")


class AmqpTaskOutlet(AmqpOutlet[K]):
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
        body = message.body.encode() if isinstance(message.body, str) else message.body
        ready = ReadyMessage(body, message.basic_properties(), message.form)
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


def _identity(entity: Any) -> Any:
    exchange = getattr(entity, "exchange", None)
    return type(entity).__name__, entity.name, getattr(entity, "routing_key", None), getattr(exchange, "name", None)
