"""The deliveries in hand: decided, sent, and acknowledged when everything they cause is confirmed."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.events.delivery import Delivery, Metadata, read_metadata
from typed_pubsub.handoff.desk import Desk
from typed_pubsub.handoff.report import Report
from typed_pubsub.handoff.work import SettledMemory, Work
from typed_pubsub.routing.decisions import Ack, DeadLetter, HandBack, RetryAfter, Settlement, Skip
from typed_pubsub.routing.table import RoutingTable


class InHand:
    """What came on one connection and is not acknowledged yet, in the order of its delivery tags."""

    def __init__(self, table: RoutingTable, desk: Desk, report: Report, prefetch: int) -> None:
        """Nothing in hand."""
        self._table = table
        self._desk = desk
        self._report = report
        self._memory = SettledMemory(4 * prefetch)
        self._works: dict[int, Work] = {}
        self._news = False
        self.must_rest = False
        #: Headers of the delivery that was decided last.
        self.latest: Mapping[str, Any] = {}
        self._deciding: float | None = None

    def __len__(self) -> int:
        """How many deliveries are in hand."""
        return len(self._works) + (self._deciding is not None)

    def take(self, delivery: Delivery) -> None:
        """Decides what a delivery means and builds what it causes; a redelivery of a settled one causes nothing."""
        said, begun = read_metadata(delivery), time.monotonic()
        self.latest, self._deciding = delivery.headers, begun
        if self._memory.knows(delivery, said):
            work = Work(delivery, said, Skip("settled before"), begun, settled=True)
            self._report.recognised(work)
            self._news = True
        else:
            work = Work(delivery, said, self._table.decide(delivery, said), begun)
            self._desk.take(work)
            self._warn(delivery, said)
        self._works[delivery.tag], self._deciding = work, None

    def age(self) -> float:
        """Seconds since the oldest of them was taken that is not settled, or is being decided; 0 if there is none."""
        begun = [work.begun for work in self._works.values() if not work.settled]
        begun += [] if self._deciding is None else [self._deciding]
        return time.monotonic() - min(begun) if begun else 0.0

    def waiting(self) -> float:
        """Seconds since the first attempt to send the oldest of them that is not settled; 0 if there is none."""
        tried = [work.first_try for work in self._works.values() if not work.settled and work.first_try is not None]
        return time.monotonic() - min(tried) if tried else 0.0

    def send(self, timeout: float, *, wait: bool) -> None:
        """Sends what is due, takes the brokers' answers, and carries out what they mean; see ``Desk.step``."""
        for work, settlement in self._desk.step(timeout, wait=wait):
            self._carry_out(work, settlement)

    def acknowledge(self, consumer: Consumer) -> None:
        """Acknowledges what is settled: one multiple ack up to the first that is not, and one each beyond it.

        Beyond it only if that one is in trouble: usually its turn comes at once.
        """
        if not self._news:
            return
        self._news = False
        prefix: list[int] = []
        front: Work | None = None
        for tag, work in self._works.items():
            if not work.settled:
                front = work
                break
            prefix.append(tag)
        if prefix:
            consumer.ack(prefix[-1], multiple=True)
            for tag in prefix:
                del self._works[tag]
        if front is not None and front.attempts:
            for tag in [tag for tag, work in self._works.items() if work.settled]:
                consumer.ack(tag)
                del self._works[tag]

    def forget(self, deliveries: Iterable[Delivery] = ()) -> None:
        """Forgets all of it: the tags mean nothing on another connection, and what is not settled comes again.

        ``deliveries`` are those that came and were not taken.
        """
        self._desk.abandon()
        for work in self._works.values():
            if not work.settled:
                self._report.requeued(work.said, work.begun)
        for delivery in deliveries:
            self._report.requeued(read_metadata(delivery), time.monotonic())
        self._works.clear()
        self._deciding = None
        self.must_rest = False

    def _warn(self, delivery: Delivery, said: Metadata) -> None:
        if delivery.wire_error is not None:
            return
        target = self._table.target(said.routing_key)
        if not target.routes:
            self._report.unwanted(said.routing_key)
        elif target.meta is None:
            self._report.unmodelled(said.routing_key)

    def _carry_out(self, work: Work, settlement: Settlement) -> None:
        match settlement:
            case Ack():
                work.settled = self._news = True
                self._memory.add(work.delivery, work.said)
                self._report.settled(work)
            case DeadLetter():
                work.decision = settlement
                self._desk.take(work)
            case RetryAfter(seconds):
                work.due = time.monotonic() + seconds
                # It may be in the way of others' acknowledgements.
                self._news = True
                self._desk.take_again(work)
            case HandBack():
                self.must_rest = True
            case _:
                assert_never(settlement)
