"""One connection to the event broker for a command that has a question, or the sentence that says why there is none."""

import contextlib
import sqlite3
import time
from collections.abc import Generator

from typed_pubsub.brokers.advice import advised
from typed_pubsub.brokers.connection import FAULTS, Link, describe
from typed_pubsub.brokers.event_broker import EventBroker, masked
from typed_pubsub.brokers.survey import agreed
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import ConnectFailed
from typed_pubsub.settings.sqlite_url import is_sqlite_url

#: Seconds for connecting, and then for each answer.
TIMEOUT = 10.0
# Seconds.
_GOODBYE = 0.5
_LEAST = 0.1


def connect_any(broker: EventBroker, timeout: float) -> Link:
    """To the first host that answers; each gets its share of the time that is left.

    Raises:
        OSError, AMQPError: none does within ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    for left in range(broker.hosts, 1, -1):
        with contextlib.suppress(*FAULTS):
            return broker.connect(max((deadline - time.monotonic()) / left, _LEAST))
    return broker.connect(max(deadline - time.monotonic(), _LEAST))


@contextlib.contextmanager
def connected(url: str, timeout: float = TIMEOUT) -> Generator[Link]:
    """A connection to the event broker at ``url``, closed afterwards.

    Raises:
        MisconfigurationException: the URL cannot be read.
        ConnectFailed: no connection within ``timeout`` seconds, or it broke meanwhile; the text says what to look at.
    """
    try:
        link = connect_any(EventBroker(url), timeout)
    except FAULTS as error:
        msg = f"no connection to {masked(url)}: {advised(error)}"
        raise ConnectFailed(msg) from error
    try:
        link.limit(timeout)
        yield link
    except FAULTS as error:
        msg = f"the connection to {masked(url)} broke: {describe(error)}"
        raise ConnectFailed(msg) from error
    finally:
        link.close(_GOODBYE)


def require_broker(config: PubSubConfig) -> None:
    """Connects once, for a command that publishes next: a Publisher would wait for its broker.

    Raises:
        ConnectFailed: see ``connected``.
    """
    with connected(config.broker_url, min(config.publish_timeout, TIMEOUT)):
        pass


def broker_version(url: str) -> str:
    """Name and version of the event broker, such as ``RabbitMQ 3.13.7``.

    Raises:
        MisconfigurationException: the URL cannot be read.
        ConnectFailed: see ``connected``.
    """
    if is_sqlite_url(url):
        return f"embedded, SQLite {sqlite3.sqlite_version}"
    with connected(url) as link:
        said = agreed(link)
    return f"{said.product} {said.version}"
