"""The outlet to a Celery broker that is not AMQP, such as Redis: kombu's own send."""

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import kombu
from celery import Celery
from kombu.exceptions import KombuError

from typed_pubsub.brokers.confirms import Outcome, Taken
from typed_pubsub.brokers.connection import FAULTS, Link
from typed_pubsub.tasks.app_connection import app_connection
from typed_pubsub.tasks.builder import TaskMessage

K = TypeVar("K", bound=Hashable)


class PlainTaskOutlet(Generic[K]):
    """Tasks to a Celery broker of any other kind: kombu's own send, confirmed by the answer to the write."""

    while_blocked = 0.0

    def __init__(self, app: Celery) -> None:
        """Connects as the app would, with the app's own settings."""
        is_redis = app_connection(app).transport.driver_type == "redis"
        # kombu's default is to wait for ever.
        options = {"socket_timeout": 10.0, "socket_connect_timeout": 5.0} if is_redis else {}
        self._description: kombu.Connection = app_connection(app, options)
        self._producer: Any = None
        self._outcomes: dict[K, Outcome] = {}
        transport: Any = self._description.transport
        self.faults: tuple[type[BaseException], ...] = (
            *FAULTS,
            KombuError,
            *transport.connection_errors,
            *transport.channel_errors,
        )

    @property
    def is_open(self) -> bool:
        """See Outlet."""
        return self._producer is not None

    @staticmethod
    def prepare(message: TaskMessage) -> TaskMessage:
        """The message itself: nothing is known of what this transport can carry."""
        return message

    def open(self, timeout: float) -> None:
        """See Outlet."""
        if self._producer is None:
            self._description.connect_timeout = timeout
            self._description.connect()
            self._producer = self._description.Producer(self._description.channel(), auto_declare=False)

    def put(self, key: K, message: TaskMessage) -> None:
        """See Outlet. Returns when the broker has answered."""
        for entity in message.declare:
            self._producer.maybe_declare(entity)
        channel = self._producer.channel
        content = message.content
        ready = channel.prepare_message(
            message.body, content["priority"], content["content_type"], content["content_encoding"], message.headers,
            message.properties,
        )  # fmt: skip
        channel.basic_publish(ready, exchange=message.exchange, routing_key=message.routing_key)
        self._outcomes[key] = Taken()

    @staticmethod
    def destination(message: TaskMessage) -> tuple[str, str]:
        """See Outlet."""
        return message.exchange, message.routing_key

    @staticmethod
    def is_mandatory(message: TaskMessage) -> bool:
        """See Outlet."""
        return message.mandatory

    @property
    def is_blocked(self) -> bool:
        """These transports tell of none."""
        return False

    def redeclare(self, message: TaskMessage) -> None:
        """Nothing to do: these transports tell of no missing queue."""

    def flush(self, timeout: float, tick: Callable[[], None]) -> None:
        """Nothing to wait for."""

    def send_held(self) -> None:
        """Nothing is held back."""

    @property
    def link(self) -> Link | None:
        """There is none of ours."""
        return None

    def take_outcomes(self) -> dict[K, Outcome]:
        """See Outlet."""
        outcomes, self._outcomes = self._outcomes, {}
        return outcomes

    def idle(self) -> None:
        """Nothing to keep alive: these connections are made anew when they break."""

    def beat(self) -> None:
        """Nothing to keep alive."""

    def close(self, timeout: float = 1.0) -> None:  # noqa: ARG002  # see Outlet
        """See Outlet."""
        self._producer = None
        self._description.close()
