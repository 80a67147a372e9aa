"""A look at a broker with kombu alone, none of the library's own code: queues, messages, foreign publishers."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import kombu
from amqp.exceptions import NotFound

T = TypeVar("T")
#: Seconds that the tests beside one may cost it; those that measure more finely are marked ``alone``.
SLACK = 1.0


def eventually(look: Callable[[], T], *, timeout: float = 30.0, what: str = "it") -> T:
    """The first true thing that ``look`` gives."""
    deadline = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come about within {timeout} s, last seen: {found!r}"
        time.sleep(0.02)


@contextmanager
def broker(url: str) -> Iterator[Any]:
    """A kombu connection, connected."""
    with kombu.Connection(url) as connection:
        connection.connect()
        yield connection


def queue_state(url: str, queue: str) -> Any:
    """``message_count`` and ``consumer_count`` of a queue, or None if there is none."""
    with broker(url) as connection:
        try:
            return connection.default_channel.queue_declare(queue, passive=True)
        except NotFound:
            return None


def get(url: str, queue: str, *, timeout: float = 30.0) -> Any:
    """Takes the next message from a queue, acknowledged, once there is one; its body is bytes."""

    def take(channel: Any) -> Any:
        try:
            return channel.basic_get(queue, no_ack=True)
        except NotFound:
            return None

    with broker(url) as connection:
        channel = connection.default_channel
        channel.auto_decode = False
        return eventually(lambda: take(channel), timeout=timeout, what=f"a message in {queue!r}")
