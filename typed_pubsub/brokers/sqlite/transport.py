"""kombu's door to the embedded broker: ``sqlite:///relative.db`` and ``sqlite:////absolute/path.db``."""

import sqlite3
from typing import Any

import amqp
from kombu.transport import base

from typed_pubsub.brokers.sqlite.connection import Connection
from typed_pubsub.brokers.sqlite.entities import EXCHANGE_TYPES
from typed_pubsub.settings.sqlite_url import locate

_TIMEOUT = 10.0


class Transport(base.Transport):
    """Connections to the file that the URL names; kombu and Celery use them as those of py-amqp."""

    can_parse_url = True
    driver_type = "sqlite"
    driver_name = "typed_pubsub"

    connection_errors = amqp.Connection.connection_errors
    channel_errors = amqp.Connection.channel_errors
    recoverable_connection_errors = amqp.Connection.recoverable_connection_errors
    recoverable_channel_errors = amqp.Connection.recoverable_channel_errors

    implements = base.Transport.implements.extend(exchange_type=frozenset(EXCHANGE_TYPES))

    client: Any

    def __init__(self, client: Any, **_: Any) -> None:
        """``client`` is the kombu.Connection."""
        self.client = client

    def driver_version(self) -> str:
        """SQLite's."""
        return sqlite3.sqlite_version

    def establish_connection(self) -> Connection:
        """Opens the file.

        Raises:
            ValueError: the URL names no file.
            MisconfigurationException: the file cannot be used.
            OSError: locked, or the disk is full or broken.
        """
        location = locate(self.client.hostname)
        connection = Connection(location.path, lease=location.lease, timeout=self.client.connect_timeout or _TIMEOUT)
        connection.client = self.client
        return connection

    def create_channel(self, connection: Connection) -> Any:
        """A new channel."""
        return connection.channel()

    def drain_events(self, connection: Connection, **kwargs: Any) -> None:
        """Waits for one event."""
        connection.drain_events(**kwargs)

    def verify_connection(self, connection: Connection) -> bool:
        """Whether it is open."""
        return connection.connected

    def close_connection(self, connection: Connection) -> None:
        """Closes it."""
        connection.client = None
        connection.close()

    def as_uri(self, uri: str, include_password: bool = False, mask: str = "**") -> str:  # noqa: ARG002, FBT001, FBT002
        """The URL as it is: there is no password in it."""
        return uri

    def _collect(self, connection: Connection | None) -> None:
        if connection is not None:
            connection.collect()
