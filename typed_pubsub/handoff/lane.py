"""One way out: works wait to be written, are under way, and are finished when their broker has answered.

Works overlap: while the answers to some are awaited, others are written. A fault of the outlet is nobody's among the
works: all that are under way are finished unanswered, to be tried again later.
"""

import time
from collections.abc import Callable
from random import random
from typing import Any, TypeAlias

from typed_pubsub.brokers.advice import advised
from typed_pubsub.brokers.confirms import Outcome, Returned, Taken, missing_or_forbidden, refused_publish
from typed_pubsub.brokers.connection import Link, describe
from typed_pubsub.handoff.report import Report
from typed_pubsub.handoff.work import Destination, Work
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.settle import Confirmed, Refused, Sent, Unanswered, backoff
from typed_pubsub.tasks.outlets import describe_refusal

#: Seconds that an answer is waited for.
CONFIRM_TIMEOUT = 10.0
#: Of one attempt: nobody can be asked to stop while it is under way.
CONNECT_TIMEOUT = 5.0
_MAX_DESTINATIONS = 10_000
# Seconds between attempts to write to a broker that blocks the connection, and each attempt may leave a copy.
_WHILE_BLOCKED = 60.0
_NEVER = float("inf")

#: A message of a work, by its number.
Key: TypeAlias = tuple[Work, int]


class Lane:
    """An outlet with its works. Each work handed in by ``add`` is given back by ``step``, finished."""

    def __init__(self, name: str, setting: str, outlet: Any, report: Report, tick: Callable[[], None]) -> None:
        """``setting`` says where the outlet goes; ``tick`` is called each second while the outlet is waited for."""
        self.name = name
        self._setting = setting
        self.outlet = outlet
        self._report = report
        self._tick = tick
        self._waiting: list[Work] = []
        self._under_way: dict[Work, None] = {}
        self._finished: list[tuple[Work, Sent]] = []
        #: Faults in a row.
        self.failures = 0
        self._suspects = False
        #: When the broker last took something (monotonic clock).
        self.confirmed: float | None = None
        self._retry_at = 0.0
        self._clock = 0
        self._last_taken: dict[Destination, int] = {}
        self._floor = 0
        # When time began to run for what is under way: it does not while the broker blocks the connection.
        self._running_since = 0.0
        self._blocked_since: float | None = None

    def __str__(self) -> str:
        """How the way out is just now."""
        how = "blocked by the broker" if self.outlet.is_blocked else "open" if self.outlet.is_open else "closed"
        return f"{self.name}: {how}, {len(self._under_way)} awaiting an answer, {len(self._waiting)} to be written"

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._under_way)

    @property
    def link(self) -> Link | None:
        """The connection, if there is one whose news can be waited for."""
        link: Link | None = self.outlet.link
        return None if link is None or link.socket is None else link

    def add(self, work: Work) -> None:
        """Takes a work, to be written when it is due."""
        self._waiting.append(work)

    def next_due(self) -> float:
        """When there is something to write, as far as the clock knows (monotonic clock)."""
        if not self._waiting or self.outlet.is_blocked or (self._under_way and self._is_careful()):
            return _NEVER
        return max(self._retry_at, min(work.due for work in self._waiting))

    def step(self, timeout: float, *, wait: bool) -> list[tuple[Work, Sent]]:
        """Writes what is due and takes the answers that have come; the works that are finished, and how that ended.

        Args:
            timeout: seconds that connecting and each write may take.
            wait: for all answers, not only those that are there.
        """
        now = time.monotonic()
        self._note_blocking(now)
        if self._waiting and now >= self._retry_at and not self.outlet.is_blocked:
            self._write_due(now, timeout)
        if self.outlet.is_open:
            self._read(timeout, wait=wait)
        finished, self._finished = self._finished, []
        return finished

    def abandon(self) -> None:
        """Forgets all works; what is under way is never heard of again."""
        self._waiting.clear()
        if self._under_way:
            self._under_way.clear()
            self.outlet.close(0.1)
            self.outlet.take_outcomes()

    def _is_careful(self) -> bool:
        """Whether one of the works has to go alone: whoever closes the channel then takes nobody along."""
        if self._suspects:
            self._suspects = any(work.is_suspect for work in (*self._waiting, *self._under_way))
        return self._suspects

    def _write_due(self, now: float, timeout: float) -> None:
        due = [work for work in self._waiting if work.due <= now]
        if self._is_careful():
            if self._under_way:
                return
            due = [work for work in due if work.is_suspect][:1] or due
        left = set(due)
        self._waiting = [work for work in self._waiting if work not in left] if len(due) < len(self._waiting) else []
        for work in due:
            self._begin(work, now)
        self._guarded(lambda: self._write(due, timeout))

    def _begin(self, work: Work, now: float) -> None:
        if not self._under_way:
            self._running_since = now
        self._under_way[work] = None
        work.written = now
        work.unanswered = len(work.messages)
        if work.first_try is None:
            work.first_try = now
        if work.seen < 0:
            work.seen = self._clock
        if work.refusal is not None:
            work.refusal.returned, work.refusal.at_fault = False, False

    def _write(self, works: list[Work], timeout: float) -> None:
        outlet = self.outlet
        outlet.open(min(timeout, CONNECT_TIMEOUT))
        for work in works:
            for number, message in work.messages.items():
                outlet.put((work, number), message)
        outlet.send_held()

    def _read(self, timeout: float, *, wait: bool) -> None:
        if self._under_way and (wait or self.link is None):
            self._guarded(lambda: self.outlet.flush(min(timeout, CONFIRM_TIMEOUT), self._tick))
        else:
            self._guarded(self.outlet.idle)
        self._apply(self.outlet.take_outcomes())
        if self._under_way:
            oldest = next(iter(self._under_way)).written
            if time.monotonic() - max(oldest, self._running_since) > CONFIRM_TIMEOUT:
                self._fault(TimeoutError(f"no confirm for {len(self._under_way)} events within {CONFIRM_TIMEOUT:g} s"))

    def _note_blocking(self, now: float) -> None:
        """While the broker blocks the connection, time does not run: it lives, and will answer."""
        if not self.outlet.is_blocked:
            self._blocked_since = None
        else:
            self._blocked_since = now if self._blocked_since is None else self._blocked_since
            if now - self._blocked_since < self.outlet.while_blocked:
                self._running_since = now

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001  # declaring and writing run code of kombu's transports
            if isinstance(error, self.outlet.faults) and not refused_publish(error):
                self._fault(error)
            else:
                self._refused(error)

    def _fault(self, error: BaseException) -> None:
        blocked, was_open = self.outlet.is_blocked, self.outlet.is_open
        self._close()
        self.failures += 1
        told = describe(error) if was_open else advised(error, self._setting)
        pause = _WHILE_BLOCKED if blocked else backoff(self.failures, random())  # noqa: S311  # jitter
        self._retry_at = time.monotonic() + pause
        self._give_up(told)
        self._report.fault(self.name, told)

    def _refused(self, error: Exception) -> None:
        """A message that the broker refuses, or that cannot be written, ended the channel: no fault of the broker's."""
        self._close()
        told = _told(error, self.outlet.faults)
        if len(self._under_way) == 1:
            (work,) = self._under_way
            refusal = work.refused()
            refusal.text = f"refused ({told})"
            refusal.where = self.outlet.destination(next(iter(work.messages.values())))
            # An exchange that is missing or forbidden may be so for all; anything else is this message's own.
            refusal.at_fault = not missing_or_forbidden(error)
            refusal.counted += refusal.at_fault
            self._report.refused(self.name, refusal.text)
            self._finish(work)
        self._suspects = bool(self._under_way)
        for work in self._under_way:
            # Whose it was is not told, and it takes the others along: next time each goes alone.
            work.refused().alone = True
        self._give_up(told)

    def _close(self) -> None:
        self.outlet.close(0.1)
        self._apply(self.outlet.take_outcomes())

    def _give_up(self, told: str) -> None:
        for work in self._under_way:
            work.attempts += 1
            self._finished.append((work, Unanswered(told)))
        self._under_way.clear()

    def _apply(self, outcomes: dict[Key, Outcome]) -> None:
        if not outcomes:
            return
        self.failures = 0
        for (work, number), outcome in outcomes.items():
            work.unanswered -= 1
            if isinstance(outcome, Taken):
                message = work.messages.pop(number)
                if self.outlet.is_mandatory(message):
                    # Celery's events about a task are taken whatever becomes of the task.
                    self._took(work, self.outlet.destination(message))
            else:
                self._was_refused(work, work.messages[number], outcome)
            if not work.unanswered:
                self._finish(work)

    def _took(self, work: Work, to: Destination) -> None:
        self.confirmed = time.monotonic()
        self._clock += 1
        # Its own tasks do not speak for the broker's taking those of others.
        work.own += 1
        if to not in self._last_taken and len(self._last_taken) >= _MAX_DESTINATIONS:
            # Routing keys may be of the events' making. What is forgotten counts as taken just now, never as long ago.
            self._floor = self._clock
            self._last_taken.clear()
        self._last_taken[to] = self._clock

    def _was_refused(self, work: Work, message: Any, outcome: Outcome) -> None:
        refusal = work.refused()
        refusal.where = self.outlet.destination(message)
        refusal.text = describe_refusal(outcome)
        refusal.returned = isinstance(outcome, Returned)
        self._report.refused(self.name, refusal.text)
        if refusal.returned:
            self.outlet.redeclare(message)

    def _finish(self, work: Work) -> None:
        del self._under_way[work]
        work.attempts += 1
        if not work.messages:
            self._finished.append((work, Confirmed()))
            return
        refusal = work.refused()
        others = self._clock - work.seen > work.own
        crowded = self._last_taken.get(refusal.where, self._floor) > work.seen
        work.seen, work.own = self._clock, 0
        if refusal.returned and not refusal.redeclared:
            # The first return only shows that the queue has to be declared again.
            refusal.redeclared = True
        elif others and not crowded and not refusal.at_fault:
            # While a broker takes nothing from anyone, a refusal says nothing of this event; nor while the very queue
            # that refused it takes others: it is full, is being emptied, and this one's turn comes.
            refusal.counted += 1
        self._finished.append((work, Refused(refusal.text, refusal.counted)))


def _told(error: BaseException, faults: tuple[type[BaseException], ...]) -> str:
    """What may be logged of an error: a broker's own words, but of anyone else's code only the line."""
    return describe(error) if isinstance(error, faults) else describe_failure(error)[0]
