"""Events as they pass: watched, recorded, and published again from a recording."""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from threading import Event

from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.pool import Pool
from typed_pubsub.brokers.publishing import Publication
from typed_pubsub.brokers.tap import Tap
from typed_pubsub.config import PubSubConfig
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.message import Message
from typed_pubsub.ops.connect import connected

log = logging.getLogger("typed_pubsub.publisher")

_LOOK_EVERY = 0.5


@contextmanager
def passing(
    config: PubSubConfig, binding_keys: Iterable[str], stop: Event, *, most: int | None = None,
    limit: int | None = None, seconds: float | None = None,
) -> Generator[Iterator[list[Delivery]]]:  # fmt: skip
    """Copies of the events that pass through the exchange, some at a time; copies come from here on.

    What the caller has looped over counts as done. Ends when ``stop`` is set, after ``limit`` events or ``seconds``.

    Args:
        config: needs ``broker_url`` and ``exchange``.
        binding_keys: of the events wanted.
        stop: looked at every half second.
        most: see Tap.
        limit: how many events; None: without end.
        seconds: how long; None: without end.

    Raises:
        ConnectFailed: no connection, or it broke meanwhile.
        TopologyRefused: there is no exchange, or the broker allows no queue of our own.
    """
    with connected(config.broker_url) as link:
        tap = Tap(link, config.exchange, binding_keys, most=most)
        yield _batches(tap, stop, limit, seconds)


def _batches(tap: Tap, stop: Event, limit: int | None, seconds: float | None) -> Iterator[list[Delivery]]:
    until = None if seconds is None else time.monotonic() + seconds
    while not stop.is_set() and (limit is None or limit > 0):
        left = _LOOK_EVERY if until is None else min(_LOOK_EVERY, until - time.monotonic())
        if left <= 0:
            return
        deliveries = tap.receive(left)[:limit]
        if deliveries:
            yield deliveries
            tap.done(deliveries[-1])
            limit = None if limit is None else limit - len(deliveries)


def publish_again(
    config: PubSubConfig, messages: Iterable[Message], stop: Event, *, rate: float | None = None,
    advance: Callable[[int], None] = lambda _more: None,
) -> int:  # fmt: skip
    """Publishes messages as they are to the exchange, confirmed, under their own keys; returns how many.

    Args:
        config: needs ``broker_url`` and ``exchange``.
        messages: read as they are written.
        stop: ends it after what is under way.
        rate: at most so many a second; None: as many as the broker takes.
        advance: called with how many more are written.

    Raises:
        PublishFailed: see Publication.
    """
    pool = Pool(EventBroker(config.broker_url).connect, config.exchange)
    publication = Publication(pool, config.exchange, config.publish_timeout, config.unroutable, _Unroutable().warn)
    try:
        return publication.run(_paced(messages, stop, rate, advance), at_hand=rate is None)
    finally:
        pool.close()


class _Unroutable:
    """Warns once a key."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def warn(self, routing_key: str) -> None:
        if routing_key not in self._told:
            self._told.add(routing_key)
            log.warning("no queue takes events of %r: nobody will see them", routing_key)


def _paced(
    messages: Iterable[Message], stop: Event, rate: float | None, advance: Callable[[int], None]
) -> Iterator[Message]:
    begun = time.monotonic()
    for number, message in enumerate(messages):
        if rate is not None:
            stop.wait(max(begun + number / rate - time.monotonic(), 0.0))
        if stop.is_set():
            return
        yield message
        advance(1)
