"""What can be told of a Celery app's broker, whatever it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from celery import Celery

from typed_pubsub.brokers.addresses import Address, address_of
from typed_pubsub.brokers.connection import HEARTBEAT, Link, transport_options
from typed_pubsub.brokers.event_broker import masked, open_link
from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.settings.sqlite_url import locate
from typed_pubsub.tasks.app_connection import app_connection, app_tls

Kind = Literal["amqp", "sqlite", "redis", "other"]
_PORTS = {"redis": 6379}


@dataclass(frozen=True, slots=True)
class RedisState:
    """A Redis: settings that it does not tell are None; ``visibility_timeout`` is kombu's, in seconds."""

    version: str
    policy: str | None
    append_only: str | None
    visibility_timeout: float


class AppBroker:
    """The broker of a Celery app, described as the app has it."""

    def __init__(self, app: Any) -> None:
        """Connects to nothing.

        Raises:
            MisconfigurationException: it is no Celery app, or its URL cannot be read.
        """
        if not isinstance(app, Celery):
            msg = f"GET_CELERY_APP: expected a Celery app, got {type(app).__name__}"
            raise MisconfigurationException(msg)
        self._app: Any = app
        self._described = app_connection(self._app)
        url: Any = self._app.conf.broker_write_url or ""
        #: Without passwords.
        self.url = masked(url if isinstance(url, str) else ";".join(map(str, url)))

    @property
    def kind(self) -> Kind:
        """What speaks there."""
        driver = self._described.transport.driver_type
        return driver if driver in ("amqp", "sqlite", "redis") else "other"

    @property
    def path(self) -> str:
        """Of the embedded broker's file."""
        return locate(str(self._app.conf.broker_write_url)).path

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that the app names, by name."""
        return tuple(sorted(self._app.amqp.queues))

    def addresses(self) -> Iterator[Address]:
        """The host; of several the first."""
        described = app_connection(self._app)
        if self.kind == "amqp":
            yield address_of(described, app_tls(described) or None)
        elif self.kind == "redis":
            port = int(described.port or _PORTS["redis"])
            yield Address(str(described.hostname or "localhost"), port, "", str(described.virtual_host or "0"))

    def connect(self, timeout: float) -> Link:
        """A connection to a broker that speaks AMQP. Raises OSError or AMQPError."""
        options = transport_options() if self.kind == "amqp" else {}
        described = app_connection(self._app, options, heartbeat=HEARTBEAT)
        described.ssl = app_tls(described)
        return open_link(described, timeout)

    def ask_redis(self, timeout: float) -> RedisState:
        """Pings a Redis, and asks for its settings. Raises one of ``faults``."""
        options: Mapping[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        with app_connection(self._app, options, connect_timeout=timeout) as described:
            channel = described.channel()
            with channel.conn_or_acquire() as client:
                client.ping()
                version = str(client.info("server").get("redis_version", ""))
                policy, append_only = (_setting(client, name) for name in ("maxmemory-policy", "appendonly"))
            return RedisState(version, policy, append_only, float(channel.visibility_timeout))

    @property
    def faults(self) -> tuple[type[BaseException], ...]:
        """What a broker that is no AMQP one raises when it cannot be reached."""
        transport = self._described.transport
        return (OSError, *transport.connection_errors, *transport.channel_errors)


def _setting(client: Any, name: str) -> str | None:
    # Services that rent a Redis out do not let it be asked.
    try:
        return str(client.config_get(name)[name])
    except Exception:  # noqa: BLE001  # its own classes of errors are in an extra
        return None
