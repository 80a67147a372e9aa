"""What is published in a run: events, of which the confirmed ones are noted, and messages that are no events."""

import contextlib
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from tests.faults.service import EXCHANGE, KEY, Happened, expected_tasks
from tests.support.amqp import message, send
from typed_pubsub import Publisher, PublishFailed, PubSubConfig

_CHUNK, _PAUSE = 20, 0.05


class Load:
    """Publishes to ``events``, at least ``size`` events a run."""

    def __init__(self, events: str, size: int) -> None:
        self.events = events
        self.size = size
        self.confirmed: list[int] = []
        self.poisoned: list[bytes] = []
        self._numbers = iter(range(10**9))

    @property
    def wanted(self) -> int:
        """How many tasks the events that are confirmed so far shall cause."""
        return sum(len(expected_tasks(number)) for number in self.confirmed)

    @contextlib.contextmanager
    def publisher(self, url: str | None = None, *, timeout: float = 60.0) -> Generator[Publisher]:
        """A publisher, past the proxies unless told otherwise; what no queue takes is an error."""
        config = PubSubConfig(
            broker_url=url or self.events, exchange=EXCHANGE, publish_timeout=timeout, unroutable="raise", source="s"
        )
        with Publisher(config) as publisher:
            yield publisher

    def publish(self, events: int, publisher: Publisher | None = None, **fields: float) -> PublishFailed | None:
        """Publishes so many more events, and notes which the broker confirmed. Gives the error, if it was one."""
        numbers = [next(self._numbers) for _ in range(events)]
        if publisher is not None:
            return self._publish(publisher, numbers, **fields)
        with self.publisher() as own:
            return self._publish(own, numbers, **fields)

    @contextlib.contextmanager
    def load(self, url: str | None = None) -> Generator[None]:
        """All events of the run: half of them at once, the others while the block runs, and more until it ends."""
        with self.publisher(url) as publisher:
            first = self.size // 2 if url is None else 0
            self.publish(first, publisher)
            over = threading.Event()

            def rest() -> None:
                sent = first
                while sent < self.size or not over.is_set():
                    self.publish(_CHUNK, publisher)
                    sent += _CHUNK
                    over.wait(_PAUSE if sent < self.size else 5 * _PAUSE)

            thread = threading.Thread(target=rest)
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()

    def poison(self, *bodies: bytes, **properties: Any) -> None:
        """Events that must end as dead letters, byte for byte."""
        for body in bodies:
            # Persistent, or a broker that is killed may forget it: what no promise is about.
            self.poison_message(body, message(body, delivery_mode=2, **properties))

    def poison_message(self, body: bytes, sent: Any) -> None:
        """One, written by hand."""
        send(self.events, EXCHANGE, KEY, sent)
        self.poisoned.append(body)

    def confirm(self, numbers: Iterable[int]) -> None:
        """Notes events that another process has published and had confirmed."""
        self.confirmed += numbers

    def _publish(self, publisher: Publisher, numbers: Iterable[int], **fields: float) -> PublishFailed | None:
        read: list[int] = []

        def events() -> Iterator[Happened]:
            for number in numbers:
                read.append(number)
                yield Happened(number=number, **fields)

        failed: PublishFailed | None = None
        missing: set[int] = set()
        try:
            publisher.publish_many(events())
        except PublishFailed as error:
            failed = error
            missing = {index for index, _ in (*error.unroutable, *error.unknown, *error.unsent)}
        self.confirmed += [number for index, number in enumerate(read) if index not in missing]
        return failed
