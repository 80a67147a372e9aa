"""Where the hosts of a broker are, and by what they are reached: for looking at the network below a connection."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import kombu

from typed_pubsub.brokers.event_broker import event_connection

_TLS_PORT, _PORT = 5671, 5672


@dataclass(frozen=True, slots=True)
class Address:
    """One host. ``tls``: py-amqp's options for it, None: in plain text."""

    host: str
    port: int
    user: str
    vhost: str
    tls: Mapping[str, Any] | None = None


def event_addresses(url: str) -> Iterator[tuple[str, Address]]:
    """Each host of an event broker's URL, RabbitMQ's, with its own URL.

    Raises:
        MisconfigurationException: a URL cannot be read.
    """
    for part in url.split(";"):
        described = event_connection(part)
        yield part, address_of(described, described.ssl or None)


def address_of(described: kombu.Connection, tls: Any) -> Address:
    """The host that a description is of at this moment; ``tls``: what it is reached with."""
    host = str(described.hostname or "localhost")
    port = int(described.port or (_TLS_PORT if tls else _PORT))
    return Address(host, port, str(described.userid or ""), str(described.virtual_host or "/"), tls or None)
