"""The sending half of the hand-off: what works cause is built, written, and judged by what the brokers answer.

Two outlets: tasks to Celery's broker, dead letters to the event broker. A fault of an outlet is nobody's fault among
the works: all that wait for it are tried again together, later.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import random
from typing import Any

from typed_pubsub.brokers.confirms import Outcome, Returned, Taken, missing_or_forbidden, refused_publish
from typed_pubsub.brokers.connection import describe
from typed_pubsub.brokers.dead_letters import compose_dead_letter
from typed_pubsub.handoff.report import Report
from typed_pubsub.handoff.work import Destination, Work
from typed_pubsub.routing.decisions import DeadLetter, Schedule, Settlement, Skip
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.settle import Confirmed, Refused, Sent, Unanswered, backoff, settle
from typed_pubsub.tasks.builder import TaskBuilder
from typed_pubsub.tasks.outlets import AmqpTaskOutlet, DeadLetterOutlet, describe_refusal
from typed_pubsub.tasks.plain import PlainTaskOutlet

#: Messages written before their confirms are waited for: bounds what is under way.
_WINDOW = 1_000
_MAX_DESTINATIONS = 10_000
# Seconds between attempts to write to a broker that blocks the connection, and each attempt may leave a copy.
_WHILE_BLOCKED = 60.0
_CONFIRM_TIMEOUT = 10.0
_CONNECT_TIMEOUT = 5.0

Key = tuple[int, int]


@dataclass(slots=True)
class _Lane:
    """An outlet, and when it may be tried again.

    ``taken`` counts what its broker has confirmed, by where it went; ``just_taken`` is the part of the attempt that is
    under way.
    """

    name: str
    outlet: Any
    failures: int = 0
    retry_at: float = 0.0
    confirmed: int = 0
    fault: str = ""
    taken: Counter[Destination] = field(default_factory=Counter[Destination])
    just_taken: Counter[Destination] = field(default_factory=Counter[Destination])
    forgotten: int = 0

    def took(self, to: Destination) -> None:
        """Its broker has confirmed a message."""
        self.confirmed += 1
        if len(self.taken) >= _MAX_DESTINATIONS:
            # Routing keys may be of the events' making. What is forgotten counts on from here, never from less.
            self.forgotten = max(self.taken.values())
            self.taken.clear()
        self.taken[to] = max(self.taken[to], self.forgotten) + 1
        self.just_taken[to] += 1


class Desk:
    """Sends what works cause and says what becomes of them."""

    def __init__(
        self,
        builder: TaskBuilder,
        tasks: "AmqpTaskOutlet[Key] | PlainTaskOutlet[Key]",
        dead_letters: "DeadLetterOutlet[Key]",
        report: Report,
        tick: Callable[[], None],
    ) -> None:
        """``tick`` is called at least each second while an outlet is waited for."""
        self._builder = builder
        self._prepare = tasks.prepare
        self._tasks = _Lane("Celery's broker", tasks)
        self._dead_letters = _Lane("the dead-letter queue", dead_letters)
        self._report = report
        self._tick = tick
        #: When a broker last confirmed something (monotonic clock).
        self.confirmed: float | None = None

    def open(self, timeout: float) -> None:
        """Connects to Celery's broker. Raises one of its outlet's ``faults``."""
        self._tasks.outlet.open(timeout)

    @property
    def task_faults(self) -> tuple[type[BaseException], ...]:
        """What ``open`` raises when there is no connection to be had."""
        faults: tuple[type[BaseException], ...] = self._tasks.outlet.faults
        return faults

    def prepare(self, work: Work) -> None:
        """Builds every message of a work, before any is written; a failure makes the work a dead letter."""
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
            self._prepare_dead_letter(work, work.decision)

    def send(self, works: Sequence[Work], timeout: float) -> list[tuple[Work, Settlement]]:
        """One attempt for each work; what becomes of each. Takes at most about ``timeout`` seconds an outlet."""
        settlements: list[tuple[Work, Settlement]] = []
        for lane in (self._tasks, self._dead_letters):
            group = [work for work in works if self._lane(work) is lane]
            if group:
                self._attempt(lane, group, timeout)
                settlements += [(work, self._settle(lane, work)) for work in group]
        skipped = [work for work in works if isinstance(work.decision, Skip)]
        settlements += [(work, settle(work.decision, Confirmed(), attempt=1, held=0, jitter=0)) for work in skipped]
        return settlements

    def idle(self) -> None:
        """Keeps idle connections alive; a broken one is dropped, to be made anew when it is needed."""
        for lane in (self._tasks, self._dead_letters):
            try:
                lane.outlet.idle()
            except lane.outlet.faults as error:
                self._fault(lane, error)

    def beat(self) -> None:
        """A sign of life on both connections while nobody reads them; a fault is met at the next use."""
        for lane in (self._tasks, self._dead_letters):
            lane.outlet.beat()

    def close(self, timeout: float) -> None:
        """Closes both outlets."""
        for lane in (self._tasks, self._dead_letters):
            lane.outlet.close(timeout)

    def _lane(self, work: Work) -> _Lane | None:
        match work.decision:
            case Schedule():
                return self._tasks
            case DeadLetter():
                return self._dead_letters
            case Skip():
                return None

    def _attempt(self, lane: _Lane, works: list[Work], timeout: float) -> None:
        now = time.monotonic()
        for work in works:
            work.first_try = now if work.first_try is None else work.first_try
            work.seen_confirmed = lane.confirmed if work.seen_confirmed is None else work.seen_confirmed
            work.refusal, work.returned, work.at_fault = None, False, False
        if now < lane.retry_at:
            return
        by_tag = {work.delivery.tag: work for work in works}
        lane.fault = ""
        lane.just_taken.clear()
        others = [work for work in works if not work.alone]
        # Suspects go last and alone: whoever closes the channel then takes nobody along.
        for group in [others] * bool(others) + [[work] for work in works if work.alone]:
            if not self._write(lane, group, min(timeout, _CONFIRM_TIMEOUT)):
                break
        else:
            lane.failures = 0
        self._apply(lane, by_tag, lane.outlet.take_outcomes())

    def _write(self, lane: _Lane, works: list[Work], timeout: float) -> bool:
        """Writes the messages of ``works`` and waits for the answers; False after a fault that ends the attempt."""
        outlet = lane.outlet
        try:
            outlet.open(min(timeout, _CONNECT_TIMEOUT))
            pending = 0
            for work in works:
                for number, message in work.messages.items():
                    outlet.put((work.delivery.tag, number), message)
                    pending += 1
                    if pending % _WINDOW == 0:
                        outlet.flush(timeout, self._tick)
            outlet.flush(timeout, self._tick)
        except Exception as error:  # noqa: BLE001  # declaring and writing run code of kombu's transports
            if isinstance(error, outlet.faults) and not refused_publish(error):
                self._fault(lane, error)
                return False
            self._refused(lane, works, error)
        return True

    def _refused(self, lane: _Lane, works: list[Work], error: Exception) -> None:
        """A message that the broker refuses, or that cannot be written, ended the channel: no fault of the broker's."""
        lane.outlet.close(0.1)
        lane.fault = _told(error, lane.outlet.faults)
        if len(works) > 1:
            # Whose it was is not told, and it takes the others along: next time each goes alone.
            for work in works:
                work.alone = True
            return
        (work,) = works
        work.refusal = f"refused ({lane.fault})"
        work.refused_at = lane.outlet.destination(next(iter(work.messages.values())))
        # An exchange that is missing or forbidden may be so for all; anything else is this message's own.
        work.at_fault = not missing_or_forbidden(error)
        work.refusals += work.at_fault
        self._report.refused(lane.name, work.refusal)

    def _apply(self, lane: _Lane, works: dict[int, Work], outcomes: dict[Key, Outcome]) -> None:
        for (tag, number), outcome in outcomes.items():
            work = works.get(tag)
            if work is None:
                continue
            if isinstance(outcome, Taken):
                self.confirmed = time.monotonic()
                message = work.messages.pop(number)
                if lane.outlet.is_mandatory(message):
                    # Celery's events about a task are taken whatever becomes of the task.
                    lane.took(lane.outlet.destination(message))
                    # Its own tasks do not speak for the broker's taking those of others.
                    work.seen_confirmed = (work.seen_confirmed or 0) + 1
                continue
            work.refused_at = lane.outlet.destination(work.messages[number])
            work.refusal = describe_refusal(outcome)
            work.returned = isinstance(outcome, Returned)
            self._report.refused(lane.name, work.refusal)
            if work.returned:
                lane.outlet.redeclare(work.messages[number])

    def _settle(self, lane: _Lane, work: Work) -> Settlement:
        now = time.monotonic()
        work.attempts += 1
        sent: Sent
        if not work.messages:
            sent = Confirmed()
        elif work.refusal is not None:
            self._count_refusal(lane, work)
            sent = Refused(work.refusal, work.refusals)
        else:
            sent = Unanswered(lane.fault)
        held = now - (work.first_try if work.first_try is not None else now)
        attempt = lane.failures if isinstance(sent, Unanswered) else work.attempts
        return settle(work.decision, sent, attempt=attempt, held=held, jitter=random())  # noqa: S311  # jitter

    @staticmethod
    def _count_refusal(lane: _Lane, work: Work) -> None:
        others = lane.confirmed > (work.seen_confirmed or 0)
        work.seen_confirmed = lane.confirmed
        here = lane.taken[work.refused_at]
        earlier = work.seen_there.get(work.refused_at, here - lane.just_taken[work.refused_at])
        crowded, work.seen_there[work.refused_at] = here > earlier, here
        if work.returned and not work.redeclared:
            # The first return only shows that the queue has to be declared again.
            work.redeclared = True
        elif others and not crowded and not work.at_fault:
            # While a broker takes nothing from anyone, a refusal says nothing of this event; nor while the very queue
            # that refused it takes others: it is full, is being emptied, and this one's turn comes.
            work.refusals += 1

    def _fault(self, lane: _Lane, error: BaseException) -> None:
        blocked = lane.outlet.is_blocked
        lane.outlet.close(0.1)
        lane.failures += 1
        lane.fault = _told(error, lane.outlet.faults)
        pause = _WHILE_BLOCKED if blocked else backoff(lane.failures, random())  # noqa: S311  # jitter
        lane.retry_at = time.monotonic() + pause
        self._report.fault(lane.name, lane.fault)

    def _prepare_dead_letter(self, work: Work, verdict: DeadLetter) -> None:
        now = datetime.now(UTC)
        work.messages = {0: compose_dead_letter(work.delivery, work.said, verdict, attempts=work.attempts, now=now)}
        work.first_try = work.seen_confirmed = None


def _told(error: BaseException, faults: tuple[type[BaseException], ...]) -> str:
    """What may be logged of an error: a broker's own words, but of anyone else's code only the line."""
    return describe(error) if isinstance(error, faults) else describe_failure(error)[0]
