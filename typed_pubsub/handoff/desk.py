"""The sending half of the hand-off: what works cause is built, written, and judged by what the brokers answer.

Two lanes: tasks to Celery's broker, dead letters to the event broker.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import random

from typed_pubsub.brokers.advice import CELERY_SETTING
from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.dead_letters import compose_dead_letter
from typed_pubsub.handoff.lane import Key, Lane
from typed_pubsub.handoff.report import Report
from typed_pubsub.handoff.work import Work
from typed_pubsub.routing.decisions import DeadLetter, Schedule, Settlement, Skip
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.settle import Confirmed, Sent, Unanswered, settle
from typed_pubsub.tasks.builder import TaskBuilder
from typed_pubsub.tasks.outlets import DeadLetterOutlet
from typed_pubsub.tasks.plain import PlainTaskOutlet
from typed_pubsub.tasks.task_outlet import AmqpTaskOutlet


class Desk:
    """Sends what works cause and says what becomes of them."""

    def __init__(
        self,
        builder: TaskBuilder,
        tasks: AmqpTaskOutlet[Key] | PlainTaskOutlet[Key],
        dead_letters: DeadLetterOutlet[Key],
        report: Report,
        tick: Callable[[], None],
    ) -> None:
        """``tick`` is called at least each second while an outlet is waited for."""
        self._builder = builder
        self._prepare = tasks.prepare
        self._tasks = Lane("Celery's broker", CELERY_SETTING, tasks, report, tick)
        self._dead_letters = Lane("the dead-letter queue", "BROKER_URL", dead_letters, report, tick)
        self._lanes = (self._tasks, self._dead_letters)
        self._skipped: list[Work] = []

    @property
    def confirmed(self) -> float | None:
        """When a broker last confirmed something (monotonic clock)."""
        return max((lane.confirmed for lane in self._lanes if lane.confirmed is not None), default=None)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return any(lane.is_busy for lane in self._lanes)

    @property
    def links(self) -> list[Link]:
        """The open connections whose news can be waited for."""
        return [link for lane in self._lanes if (link := lane.link) is not None]

    @property
    def task_faults(self) -> tuple[type[BaseException], ...]:
        """What ``open`` raises when there is no connection to be had."""
        faults: tuple[type[BaseException], ...] = self._tasks.outlet.faults
        return faults

    def __str__(self) -> str:
        """How its ways out are just now."""
        return ", ".join(map(str, self._lanes))

    def open(self, timeout: float) -> None:
        """Connects to Celery's broker. Raises one of its outlet's ``faults``."""
        self._tasks.outlet.open(timeout)

    def take(self, work: Work) -> None:
        """Builds every message of a work, before any is written; a failure makes the work a dead letter.

        A work whose decision has become a dead letter is taken once more.
        """
        if isinstance(work.decision, Schedule):
            try:
                headers = work.decision.headers
                built = [message for call in work.decision.calls for message in self._builder.build(call, headers)]
                work.messages = {number: self._prepare(message) for number, message in enumerate(built)}
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001  # Celery's signals and serializers run anyone's code
                where, text = describe_failure(error)
                work.decision = DeadLetter("mapping_error", f"the task message cannot be built: {where}", text)
        if isinstance(work.decision, DeadLetter):
            self._compose(work, work.decision)
        self.take_again(work)

    def take_again(self, work: Work) -> None:
        """Takes a work whose messages are built, to be sent when it is due."""
        match work.decision:
            case Schedule():
                self._tasks.add(work)
            case DeadLetter():
                self._dead_letters.add(work)
            case Skip():
                self._skipped.append(work)

    def next_due(self) -> float:
        """When there is something to write (monotonic clock)."""
        return min(lane.next_due() for lane in self._lanes)

    def step(self, timeout: float, *, wait: bool) -> list[tuple[Work, Settlement]]:
        """Writes what is due, takes the answers that have come; the works that this ends an attempt of.

        Args:
            timeout: seconds that connecting and each write may take.
            wait: for all answers, not only those that are there.
        """
        settlements: list[tuple[Work, Settlement]] = []
        for lane in self._lanes:
            for work, sent in lane.step(timeout, wait=wait):
                settlements.append((work, self._settle(lane, work, sent)))
        skipped, self._skipped = self._skipped, []
        settlements += [(work, settle(work.decision, Confirmed(), attempt=1, held=0, jitter=0)) for work in skipped]
        return settlements

    def abandon(self) -> None:
        """Forgets all works: their deliveries come again."""
        for lane in self._lanes:
            lane.abandon()
        self._skipped.clear()

    def beat(self) -> None:
        """A sign of life on both connections while nobody reads them; a fault is met at the next use."""
        for lane in self._lanes:
            lane.outlet.beat()

    def close(self, timeout: float) -> None:
        """Closes both outlets."""
        for lane in self._lanes:
            lane.outlet.close(timeout)

    @staticmethod
    def _settle(lane: Lane, work: Work, sent: Sent) -> Settlement:
        if isinstance(sent, Confirmed):
            return settle(work.decision, sent, attempt=1, held=0, jitter=0)
        held = time.monotonic() - (work.first_try or work.written)
        attempt = lane.failures if isinstance(sent, Unanswered) else work.attempts
        return settle(work.decision, sent, attempt=attempt, held=held, jitter=random())  # noqa: S311  # jitter

    @staticmethod
    def _compose(work: Work, verdict: DeadLetter) -> None:
        letter = compose_dead_letter(work.delivery, work.said, verdict, attempts=work.attempts, now=datetime.now(UTC))
        work.become_dead(letter)
