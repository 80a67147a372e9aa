"""The event broker that a URL names: RabbitMQ, or the embedded one; which of both is nobody's business from here on."""

import re
from typing import Any
from urllib.parse import urlsplit

import kombu
from amqp import spec

from typed_pubsub.brokers import tls
from typed_pubsub.brokers.connection import FAULTS, HEARTBEAT, Link, transport_options
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.settings import amqp_url
from typed_pubsub.settings.checks import EVENT_SCHEMES
from typed_pubsub.settings.sqlite_url import is_sqlite_url, locate

_WITH_PASSWORD = re.compile(r"([a-z0-9+]+://[^:]*):.*@(.*)", re.DOTALL)
_WITHOUT = re.compile(r"[a-z0-9+]+://([^:/]*@)?(\[[0-9a-fA-F:.]*\]|[\w.-]*)(:\d*)?(/.*)?", re.DOTALL)


class EmbeddedLink(Link):
    """A connection to the embedded broker, which speaks AMQP's words but not over a socket."""

    limits_deliveries = True
    sends_what_is_read = True

    def limit(self, seconds: float) -> None:
        """See Link."""
        self._require_open()
        self.raw.limit(seconds)

    def beat(self) -> None:
        """See Link: its connections give signs of life by themselves."""

    @property
    def socket(self) -> Any:
        """See Link: there is none."""
        return None

    def is_readable(self) -> bool:
        """See Link: nobody knows before he has read."""
        return True

    def hold(self, channel: Any, message: ReadyMessage, where: tuple[str, str], *, mandatory: bool) -> None:
        """See Link: what this broker holds back is its own business."""
        channel.send_method(spec.Basic.Publish, "Bssbb", (0, *where, mandatory, False), message)

    @property
    def held(self) -> int:
        """See Link."""
        return 0

    def send_held(self) -> None:
        """See Link."""

    def push_held(self) -> None:
        """See Link."""

    def _read(self, timeout: float) -> None:
        self.raw.drain_events(timeout=timeout)

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
            return open_link(_described(url), timeout)
        except FAULTS:
            self._failures += 1
            raise


def event_connection(url: str, *, heartbeat: int = HEARTBEAT) -> kombu.Connection:
    """Describes one host of an event broker for kombu, with our defaults: heartbeats, TLS with the host name checked.

    Raises:
        MisconfigurationException: the URL, or a file that it names, cannot be read; its text is not repeated.
    """
    try:
        return _embedded(url) if is_sqlite_url(url) else _rabbitmq(url, heartbeat)
    except _Told as error:
        problem = f"BROKER_URL: {error}"
    except ValueError:
        problem = f"BROKER_URL cannot be read as a URL: {masked(url)}"
    # Out here, so that no one finds the first error, which quotes the URL, as the context of this one.
    raise MisconfigurationException(problem)


def _described(url: str) -> kombu.Connection:
    try:
        return event_connection(url)
    except MisconfigurationException as error:
        # It could be read before: a certificate that is just being replaced is a fault, which passes.
        problem = str(error)
    raise ConnectionError(problem)


class _Told(ValueError):
    """Its text repeats nothing of the URL."""


def _embedded(url: str) -> kombu.Connection:
    try:
        locate(url)
    except ValueError as error:
        raise _Told(str(error)) from None
    return kombu.Connection(url)


def _rabbitmq(url: str, heartbeat: int) -> kombu.Connection:
    try:
        bare, options = amqp_url.split(url)
        files = tls.readable({name: options[name] for name in amqp_url.TLS_OPTIONS if name in options})
    except ValueError as error:
        raise _Told(str(error)) from None
    described = kombu.Connection(
        bare, heartbeat=int(options.get("heartbeat", heartbeat)), transport_options=transport_options()
    )
    # What no resolver can be asked for.
    str(described.hostname or "localhost").encode("idna")
    described.ssl = tls.checked(described.hostname, files) if url.startswith("amqps") else False
    return described


def masked(url: str) -> str:
    """A URL, or several separated by ``;``, that may be logged: without passwords, whatever stands in them."""
    parts = url.split(";")
    schemes = [part.partition("://")[0] for part in parts if "://" in part]
    if not is_sqlite_url(url) and len(schemes) == len(parts) and {*schemes} <= {schemes[0], *EVENT_SCHEMES}:
        return ";".join(map(_masked, parts))
    # A password with a ; in it, and then nobody knows where one URL ends.
    return _masked(url)


def _masked(url: str) -> str:
    shown, mark, query = url.partition("?")
    hidden = "?**" if mark else ""
    if "@" in query:
        # A password with a ? in it, or an option with an @: nobody knows which.
        return "**"
    if match := _WITH_PASSWORD.fullmatch(shown):
        return f"{match[1]}:**@{match[2]}{hidden}"
    return f"{shown}{hidden}" if _WITHOUT.fullmatch(shown) else "**"


def unencrypted_hosts(url: str) -> list[str]:
    """The hosts other than this one that the URL reaches in plain text."""
    hosts = [
        urlsplit(part).hostname or "localhost" for part in url.split(";") if not part.startswith(("amqps", "sqlite"))
    ]
    return [host for host in hosts if host != "localhost" and not host.startswith("127.") and host != "::1"]
