"""Decisions and settlements: what a delivery means, and what to do after sending. Values, compared by equality."""

from typing import Literal, TypeAlias

import msgspec

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


class Schedule(msgspec.Struct, frozen=True):
    """The event causes these tasks, all of them or none; ``headers`` go on every one."""

    calls: tuple[TaskCall, ...]
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class Skip(msgspec.Struct, frozen=True):
    """Nobody wants a task for this event, and nothing failed."""

    reason: str


class DeadLetter(msgspec.Struct, frozen=True):
    """The event goes to the dead-letter queue.

    ``detail`` may be logged; ``private`` (an exception's own text, which may quote the body) goes into the dead letter
    only.
    """

    reason: Reason
    detail: str
    private: str = ""


class Ack(msgspec.Struct, frozen=True):
    """Everything that the delivery caused is confirmed: acknowledge it."""


class RetryAfter(msgspec.Struct, frozen=True):
    """Send the same messages again after this many seconds; the delivery stays unacknowledged."""

    seconds: float


class HandBack(msgspec.Struct, frozen=True):
    """Give the delivery back to its queue: it was held for too long, and the broker would time it out."""


Decision: TypeAlias = Schedule | Skip | DeadLetter
Settlement: TypeAlias = Ack | DeadLetter | RetryAfter | HandBack
