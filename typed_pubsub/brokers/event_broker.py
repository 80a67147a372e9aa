"""The event broker that a URL names: RabbitMQ, or the embedded one; which of both is nobody's business from here on."""

import re
import ssl
from typing import Any
from urllib.parse import urlsplit

import kombu

from typed_pubsub.brokers.connection import FAULTS, HEARTBEAT, Link, transport_options
from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.settings.sqlite_url import is_sqlite_url, locate


class EmbeddedLink(Link):
    """A connection to the embedded broker, which speaks AMQP's words but not over a socket."""

    limits_deliveries = True

    def limit(self, seconds: float) -> None:
        """See Link."""
        self._require_open()
        self.raw.limit(seconds)

    def abandon(self) -> None:
        """See Link."""
        self.raw.collect()

    def _connect(self, connection: kombu.Connection, timeout: float) -> Any:
        connection.connect_timeout = timeout
        return connection.transport.establish_connection()


def open_link(connection: kombu.Connection, timeout: float) -> Link:
    """Connects to what kombu describes. Raises OSError or AMQPError: no connection within ``timeout`` seconds."""
    kind = EmbeddedLink if connection.transport.driver_type == "sqlite" else Link
    return kind(connection, timeout=timeout)


class EventBroker:
    """The event broker behind a URL; of several hosts, separated by ``;``, the next one after each failure."""

    def __init__(self, url: str) -> None:
        """Raises MisconfigurationException for a URL that cannot be read."""
        # Described anew for each connection: kombu keeps the host name that TLS checks over a change of hosts, and
        # threads may connect at the same time.
        self._urls = [url] if is_sqlite_url(url) else url.split(";")
        self._failures = 0
        for host in self._urls:
            event_connection(host)

    @property
    def hosts(self) -> int:
        """How many there are to try."""
        return len(self._urls)

    def connect(self, timeout: float) -> Link:
        """A new connection. Raises OSError or AMQPError: none to this host within ``timeout`` seconds."""
        url = self._urls[self._failures % len(self._urls)]
        try:
            return open_link(event_connection(url), timeout)
        except FAULTS:
            self._failures += 1
            raise


def event_connection(url: str, *, heartbeat: int = HEARTBEAT) -> kombu.Connection:
    """Describes one host of an event broker for kombu, with our defaults: heartbeats, TLS with the host name checked.

    Raises:
        MisconfigurationException: the URL cannot be read; its text is not repeated.
    """
    if is_sqlite_url(url):
        try:
            locate(url)
        except ValueError as error:
            msg = f"BROKER_URL: {error}"
            raise MisconfigurationException(msg) from None
        return kombu.Connection(url)
    verified: bool | dict[str, Any] = (
        {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None} if url.startswith("amqps") else False
    )
    try:
        connection = kombu.Connection(
            url, ssl=verified, heartbeat=heartbeat, transport_options=transport_options(tolerant=True)
        )
        connection.port  # noqa: B018  # parses
    except (ValueError, KeyError):
        msg = f"BROKER_URL cannot be read as a URL: {masked(url)}"
        raise MisconfigurationException(msg) from None
    return connection


def masked(url: str) -> str:
    """A URL, or several separated by ``;``, that may be logged: without passwords."""
    return ";".join(re.sub(r"(://[^:@]*):.*@", r"\1:**@", part) for part in url.split(";"))


def unencrypted_hosts(url: str) -> list[str]:
    """The hosts other than this one that the URL reaches in plain text."""
    hosts = [
        urlsplit(part).hostname or "localhost" for part in url.split(";") if not part.startswith(("amqps", "sqlite"))
    ]
    return [host for host in hosts if host != "localhost" and not host.startswith("127.") and host != "::1"]
