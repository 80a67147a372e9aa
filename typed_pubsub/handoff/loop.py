"""The loop of a subscriber: what has come is decided, what is due is sent, what is settled is acknowledged.

Nothing is waited for while there is something to do: deliveries are decided while the answers to others are under way.
Whatever breaks, a delivery is either settled or still the broker's.
"""

import logging
import time
from collections.abc import Callable
from random import random
from threading import Event

from typed_pubsub.brokers.advice import CELERY_SETTING, advised
from typed_pubsub.brokers.connection import FAULTS, describe
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.waiting import wait_for_news
from typed_pubsub.errors import TooManyFaults, TopologyRefused
from typed_pubsub.handoff.desk import Desk
from typed_pubsub.handoff.inhand import InHand
from typed_pubsub.handoff.intake import Intake
from typed_pubsub.handoff.lane import CONFIRM_TIMEOUT, CONNECT_TIMEOUT
from typed_pubsub.handoff.pulse import Pulse
from typed_pubsub.handoff.report import Report
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.settle import backoff

log = logging.getLogger("typed_pubsub.subscriber")

# Deliveries of one turn: so many that turns cost little beside them, and so few that of a prefetch window some are
# decided while some await their confirms and some are on the way.
_BATCH = 33
_TICK = 1.0
# Seconds for what is under way when its event's connection is lost, or the time for draining is over.
_LAST_ANSWERS = 1.0


class Loop:
    """Turns until it is asked to stop; one thread's."""

    def __init__(  # noqa: PLR0917  # its parts
        self, intake: Intake, in_hand: InHand, desk: Desk, report: Report, pulse: Pulse, stop: Event,
        before_batch: Callable[[], None] | None,
    ) -> None:  # fmt: skip
        """``stop`` ends pauses; ``before_batch`` is called before the routes run on what has come."""
        self._intake = intake
        self._in_hand = in_hand
        self._desk = desk
        self._report = report
        self._pulse = pulse
        self._stop = stop
        self._before_batch = before_batch
        self._in_faults = 0
        self._batch_faults = 0
        self._not_ready_since: float | None = None
        self._resting = False

    @property
    def in_flight(self) -> int:
        """How many deliveries have come and are not settled."""
        consumer = self._intake.consumer
        return len(self._in_hand) + (0 if consumer is None else len(consumer.deliveries))

    def __str__(self) -> str:
        """What is in hand just now, and how the connections are: a sentence for people."""
        consumer = "open" if self._intake.consumer is not None else "closed"
        oldest = f", the oldest for {age:.1f} s" if (age := self._in_hand.age()) else ""
        return f"{self.in_flight} deliveries in hand{oldest}; the event broker: {consumer}, {self._desk}"

    def waiting(self) -> float:
        """Seconds for which the oldest of them has waited for a broker, or all for ``before_batch``."""
        kept_back = 0.0 if self._not_ready_since is None else time.monotonic() - self._not_ready_since
        return max(self._in_hand.waiting(), kept_back)

    def turn(self) -> None:
        """One turn of the loop: receive, decide, send, acknowledge; after a fault of the event broker, connect anew."""
        try:
            if self._intake.consumer is None:
                # Keeps the way to Celery alive meanwhile.
                self._in_hand.send(CONFIRM_TIMEOUT, wait=False)
                self._reconnect()
            else:
                self._receive(self._intake.consumer, _TICK)
                self._hand_off(self._intake.consumer, CONFIRM_TIMEOUT)
                self._in_faults = 0
                if self._in_hand.must_rest:
                    self._resting = True
                    self.drop_consumer()
        except (*FAULTS, TopologyRefused) as error:
            told = describe(error) if self._intake.consumer is not None else advised(error)
            self.drop_consumer()
            self._in_faults += 1
            self._report.fault("the event broker", told)
            # A connection that opens and breaks at once must not become a busy loop.
            self._stop.wait(backoff(self._in_faults, random()))  # noqa: S311  # jitter

    def _receive(self, consumer: Consumer, seconds: float) -> None:
        """Waits for deliveries, for answers, or until something is due, at most so long; takes what has come."""
        if not consumer.deliveries:
            seconds = max(min(seconds, self._desk.next_due() - time.monotonic()), 0.0)
            if consumer.link.socket is not None:
                wait_for_news([consumer.link, *self._desk.links], seconds)
                seconds = 0.0
        self._intake.receive(seconds, _BATCH)

    def _hand_off(self, consumer: Consumer, timeout: float) -> None:
        until = time.monotonic() + _TICK
        if consumer.deliveries and self._is_ready():
            with self._pulse:
                for delivery in consumer.take(_BATCH):
                    self._in_hand.take(delivery)
                    # Handlers may be slow; the tasks of the first must not wait for the last.
                    if time.monotonic() > until:
                        break
        # Without a socket nothing tells of answers and deliveries at once: then they are awaited.
        self._in_hand.send(timeout, wait=consumer.link.socket is None)
        self._in_hand.acknowledge(consumer)

    def _is_ready(self) -> bool:
        """Whether ``before_batch`` went well; if not, the deliveries wait, whatever it raised."""
        if self._before_batch is None:
            return True
        try:
            with self._pulse:
                self._before_batch()
        except Exception as error:  # noqa: BLE001  # the framework's code
            self._batch_faults += 1
            if self._not_ready_since is None:
                self._not_ready_since = time.monotonic()
            self._report.fault("before_batch", describe_failure(error)[0])
            time.sleep(min(backoff(self._batch_faults, 0.5), _TICK))
            return False
        self._batch_faults, self._not_ready_since = 0, None
        return True

    def _reconnect(self) -> None:
        """Consumes again: at once, or where what was held too long went back, when Celery's broker is there again."""
        if self._resting:
            try:
                self._desk.open(CONNECT_TIMEOUT)
            except self._desk.task_faults as error:
                self._in_faults += 1
                self._report.fault("Celery's broker", advised(error, CELERY_SETTING))
                self._stop.wait(backoff(self._in_faults, random()))  # noqa: S311  # jitter
                return
            self._resting = False
        self._intake.open(CONNECT_TIMEOUT)

    def drop_consumer(self, timeout: float = _LAST_ANSWERS) -> None:
        """Closes the consuming connection: whatever is in hand and not acknowledged goes back to the queue.

        What is known to be scheduled by then, for which ``timeout`` seconds are given, is not scheduled again.
        """
        self._await_answers(timeout)
        self._in_hand.forget(self._intake.drop())

    def _await_answers(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._desk.is_busy and (left := until - time.monotonic()) > 0:
            links = self._desk.links
            if links:
                wait_for_news(links, left)
            self._in_hand.send(left, wait=not links)

    def drain(self, deadline: float) -> None:
        """Stops consuming and settles what is in hand, until ``deadline`` (monotonic clock)."""
        consumer = self._intake.consumer
        if consumer is None:
            return
        log.info("stopping: %d deliveries in hand", len(consumer.deliveries) + len(self._in_hand))
        try:
            consumer.link.limit(max(deadline - time.monotonic(), 0.1))
            consumer.cancel()
            while (consumer.deliveries or self._in_hand) and (left := deadline - time.monotonic()) > 0:
                self._receive(consumer, min(left, _TICK))
                self._hand_off(consumer, max(left, 0.1))
            self._await_answers(_LAST_ANSWERS)
            self._in_hand.acknowledge(consumer)
        except (*FAULTS, TooManyFaults) as error:
            log.warning("the event broker, while draining: %s", describe(error))
