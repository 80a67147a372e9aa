"""Decisions and settlements: what a delivery means, and what to do after sending. Values, compared by equality."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from typed_pubsub.routing.calls import TaskCall

#: Why a delivery is a dead letter: a closed list, the words of ``x-pubsub-reason``.
Reason: TypeAlias = Literal[
    "undecodable",
    "oversize",
    "unknown_event",
    "invalid_body",
    "newer_version",
    "mapping_error",
    "retries_exhausted",
]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The event causes these tasks, all of them or none; ``headers`` go on every one."""

    calls: tuple[TaskCall, ...]
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Skip:
    """Nobody wants a task for this event, and nothing failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The event goes to the dead-letter queue.

    ``detail`` may be logged; ``private`` (an exception's own text, which may quote the body) goes into the dead letter
    only.
    """

    reason: Reason
    detail: str
    private: str = ""


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything that the delivery caused is confirmed: acknowledge it."""


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Send the same messages again after this many seconds; the delivery stays unacknowledged."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HandBack:
    """Give the delivery back to its queue: it was held for too long, and the broker would time it out."""


Decision: TypeAlias = Schedule | Skip | DeadLetter
Settlement: TypeAlias = Ack | DeadLetter | RetryAfter | HandBack
