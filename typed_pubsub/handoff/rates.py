"""How much a subscriber has handed off lately, and how far it is behind: a log line now and then."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from typed_pubsub.events.message import TIME
from typed_pubsub.handoff.inhand import InHand
from typed_pubsub.handoff.intake import Intake
from typed_pubsub.handoff.report import Report

log = logging.getLogger("typed_pubsub.subscriber")

# Seconds before a line is due at which the broker is asked what the line will tell of the queue.
_ASK_BEFORE = 1.0
_SETTLED = ("scheduled", "skipped", "dead-lettered")


@dataclass(frozen=True, slots=True)
class Rate:
    """What became of the deliveries of the last ``seconds``.

    ``per_second`` counts those that were scheduled, skipped and dead-lettered. ``ready`` is how many waited in the
    queue when the broker last told; ``newest_age`` how many seconds ago the event happened that was decided last.
    None: that is not known.
    """

    seconds: float
    scheduled: int
    skipped: int
    dead_lettered: int
    requeued: int
    faults: int
    per_second: float
    ready: int | None
    newest_age: float | None

    @property
    def is_news(self) -> bool:
        """Whether anything happened, or should have: an idle subscriber says nothing."""
        return any((self.scheduled, self.skipped, self.dead_lettered, self.requeued, self.faults, self.ready))

    def __str__(self) -> str:
        """One line; of the counts those that are not 0."""
        counted = {"scheduled": self.scheduled, "skipped": self.skipped, "dead-lettered": self.dead_lettered}
        counted |= {"requeued": self.requeued, "faults": self.faults}
        told = ", ".join(f"{count:,} {what}" for what, count in counted.items() if count) or "nothing"
        ready = "" if self.ready is None else f"; {self.ready:,} ready in the queue"
        newest = "" if self.newest_age is None else f"; the newest event is {self.newest_age:.1f} s old"
        return f"in {self.seconds:.0f} s: {told} ({self.per_second:,.1f}/s){ready}{newest}"


class Rates:
    """Tells the log every so many seconds; nothing where nothing happened and nothing waits."""

    def __init__(self, every: float, report: Report, intake: Intake, in_hand: InHand) -> None:
        """The first line comes after ``every`` seconds."""
        self._every = every
        self._report = report
        self._intake = intake
        self._in_hand = in_hand
        self._since = time.monotonic()
        self._before: Mapping[str, int] = {}

    def tell_if_due(self) -> None:
        """Asks the broker shortly before a line is due, and logs it when it is; else does nothing."""
        passed = time.monotonic() - self._since
        if passed < self._every - _ASK_BEFORE:
            return
        self._intake.ask()
        if passed >= self._every:
            self._tell(passed)

    def _tell(self, seconds: float) -> None:
        now = dict(self._report.outcomes)
        counts = {name: count - self._before.get(name, 0) for name, count in now.items()}
        settled = sum(counts.get(name, 0) for name in _SETTLED)
        rate = Rate(
            seconds=round(seconds, 1),
            scheduled=counts.get("scheduled", 0),
            skipped=counts.get("skipped", 0),
            dead_lettered=counts.get("dead-lettered", 0),
            requeued=counts.get("requeued", 0),
            faults=counts.get("faults", 0),
            per_second=round(settled / seconds, 1),
            ready=self._intake.ready,
            newest_age=age(self._in_hand.latest, datetime.now(UTC)) if settled else None,
        )
        self._since, self._before = time.monotonic(), now
        if rate.is_news:
            log.info("%s", rate, extra=asdict(rate))


def age(headers: Mapping[str, Any], now: datetime) -> float | None:
    """Seconds since an event with these headers happened, at least 0; None where they do not say when in full."""
    said = headers.get(TIME)
    if not isinstance(said, str):
        return None
    try:
        happened = datetime.fromisoformat(said)
    except ValueError:
        return None
    return None if happened.tzinfo is None else round(max((now - happened).total_seconds(), 0.0), 3)
