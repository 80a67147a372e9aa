"""What a subscriber says of itself: a log line a delivery, counts, warnings once a key."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from typed_pubsub.brokers.connection import describe
from typed_pubsub.errors import TooManyFaults
from typed_pubsub.events.delivery import Metadata
from typed_pubsub.handoff.work import Work
from typed_pubsub.routing.decisions import DeadLetter, Decision
from typed_pubsub.texts import printable

log = logging.getLogger("typed_pubsub.subscriber")

_MAX_WARNED_KEYS = 10_000
_TELL_EVERY = 60.0
# Characters of a sender's words in a log line.
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """What ``on_dead_letter`` is called with: no body, no secret."""

    queue: str
    routing_key: str
    event_id: str
    reason: str
    detail: str


class Report:
    """Logs and counts outcomes (``scheduled``, ``skipped``, ``dead-lettered``, ``requeued``) and faults."""

    def __init__(
        self,
        queue: str,
        exchange: str,
        *,
        max_faults: int | None = None,
        on_dead_letter: Callable[[DeadLettered], None] | None = None,
    ) -> None:
        """See PubSubConfig for the settings."""
        self.outcomes: Counter[str] = Counter()
        self._queue = queue
        self._exchange = exchange
        self._max_faults = max_faults
        self._on_dead_letter = on_dead_letter
        self._faults_in_a_row = 0
        self._warned: set[tuple[str, str]] = set()
        self._refusals_told: dict[str, float] = {}

    def settled(self, work: Work) -> None:
        """One delivery was settled: counts and logs it."""
        self._faults_in_a_row = 0
        self._count(work.outcome, work.said, work.begun, work.task_ids, work.decision)
        if isinstance(work.decision, DeadLetter):
            self._dead_lettered(work, work.decision)

    def recognised(self, work: Work) -> None:
        """One delivery was the redelivery of a settled one: acknowledged again, nothing else."""
        self._faults_in_a_row = 0
        self.outcomes["recognised"] += 1
        event_id, routing_key = _clean(work.said.event_id), _clean(work.said.routing_key)
        log.info("%s of %s was settled before: acknowledged again", event_id, routing_key)

    def requeued(self, said: Metadata, begun: float) -> None:
        """One delivery goes back to its queue, unsettled."""
        self._count("requeued", said, begun)

    def fault(self, where: str, what: str) -> None:
        """A broker failed.

        Raises:
            TooManyFaults: MAX_FAULTS of them in a row.
        """
        self._faults_in_a_row += 1
        self.outcomes["faults"] += 1
        log.warning("%s: %s (fault %d in a row)", where, what, self._faults_in_a_row)
        if self._max_faults is not None and self._faults_in_a_row >= self._max_faults:
            msg = f"{self._faults_in_a_row} faults in a row, nothing settled between them; the last: {what}"
            raise TooManyFaults(msg)

    def refused(self, where: str, detail: str) -> None:
        """A broker answers, and does not take a message: warns at most once a minute."""
        now = time.monotonic()
        if now - self._refusals_told.get(where, -_TELL_EVERY) >= _TELL_EVERY:
            self._refusals_told[where] = now
            log.warning("%s does not take a message, which is kept and tried again: %s", where, detail)

    def unwanted(self, routing_key: str) -> None:
        """No route wants this key: warns once, naming the binding to remove."""
        self._warn_once(
            "unwanted",
            routing_key,
            "no route wants %r: a stale binding? remove from queue %r the binding to exchange %r that takes it",
            self._queue,
            self._exchange,
        )

    def unmodelled(self, routing_key: str) -> None:
        """A row handles a key that no model is bound to: warns once."""
        self._warn_once("unmodelled", routing_key, "no model is bound to %r: rows get its bodies as they come")

    def unwritable(self, path: Path, error: OSError) -> None:
        """The health file cannot be written: warns once."""
        self._warn_once("health", str(path), "the health file %r cannot be written: %s", error)

    def _count(
        self,
        outcome: str,
        said: Metadata,
        begun: float,
        task_ids: Sequence[str] = (),
        decision: Decision | None = None,
    ) -> None:
        self.outcomes[outcome] += 1
        level = logging.WARNING if isinstance(decision, DeadLetter) else logging.INFO
        if not log.isEnabledFor(level):
            return
        fields = {
            "outcome": outcome,
            "routing_key": _clean(said.routing_key),
            "event_id": _clean(said.event_id),
            "task_ids": list(task_ids),
            "milliseconds": round((time.monotonic() - begun) * 1000, 1),
        }
        why = f" {decision.reason}: {_clean(decision.detail)}" if isinstance(decision, DeadLetter) else ""
        log.log(
            level,
            "%s %s event=%s tasks=%s %.1f ms%s",
            outcome,
            fields["routing_key"],
            fields["event_id"],
            ",".join(task_ids) or "-",
            fields["milliseconds"],
            why,
            extra=fields,
        )

    def _dead_lettered(self, work: Work, verdict: DeadLetter) -> None:
        if self._on_dead_letter is None:
            return
        told = DeadLettered(self._queue, work.said.routing_key, work.said.event_id, verdict.reason, verdict.detail)
        try:
            self._on_dead_letter(told)
        except Exception as error:  # noqa: BLE001  # the user's hook must not stop the subscriber
            log.error("on_dead_letter failed: %s", _clean(describe(error)))  # noqa: TRY400  # a traceback may show the event

    def _warn_once(self, kind: str, key: str, text: str, *more: object) -> None:
        if (kind, key) in self._warned:
            return
        if len(self._warned) < _MAX_WARNED_KEYS:
            self._warned.add((kind, key))
            log.warning(text, _clean(key), *more)


def _clean(text: str) -> str:
    """A sender's words for a log line: nothing that could break it, and not without end."""
    return printable(text, most=_LONGEST)
