"""A delivery in hand, and the memory of those that were settled."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from typed_pubsub.events.delivery import Delivery, Metadata
from typed_pubsub.routing.decisions import DeadLetter, Decision, Schedule, Skip

_REMEMBERED = 20_000

#: Exchange and routing key.
Destination: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class Work:
    """One delivery on its way to being settled.

    ``messages`` are those of its messages that are not confirmed, by number; times are of the monotonic clock;
    ``refusal`` is the last attempt's (``returned``: no queue took it; ``at_fault``: beyond doubt its own), ``refusals``
    counts those that were its own fault, ``seen_confirmed`` is what its broker had confirmed of anyone's by then, and
    ``seen_there`` of what went to the place that refused it (``refused_at``);
    ``alone``: one of several that the broker refused together without saying which, so each goes by itself.
    """

    delivery: Delivery
    said: Metadata
    decision: Decision
    begun: float
    messages: dict[int, Any] = field(default_factory=dict[int, Any])
    first_try: float | None = None
    due: float = 0.0
    attempts: int = 0
    refusals: int = 0
    refusal: str | None = None
    returned: bool = False
    at_fault: bool = False
    alone: bool = False
    redeclared: bool = False
    seen_confirmed: int | None = None
    refused_at: Destination = ("", "")
    seen_there: dict[Destination, int] = field(default_factory=dict[Destination, int])
    settled: bool = False

    @property
    def outcome(self) -> str:
        """What becomes of the delivery when it is settled, in the contract's words."""
        match self.decision:
            case Schedule():
                return "scheduled"
            case Skip():
                return "skipped"
            case DeadLetter():
                return "dead-lettered"

    @property
    def task_ids(self) -> list[str]:
        """The ids of the tasks that it causes."""
        calls = self.decision.calls if isinstance(self.decision, Schedule) else ()
        return [str(call.options["task_id"]) for call in calls]


class SettledMemory:
    """The deliveries that this process settled lately, so that a redelivery changes nothing.

    Recognised are only deliveries that the broker marks as redelivered, with the same source, id and body: two
    different events of one id, or one published twice, are both handled.
    """

    def __init__(self, least: int) -> None:
        """Remembers at least ``least`` deliveries."""
        self._size = max(least, _REMEMBERED)
        self._settled: OrderedDict[tuple[str, str, bytes], None] = OrderedDict()

    def add(self, delivery: Delivery, said: Metadata) -> None:
        """Remembers a settled delivery; one without an id cannot be recognised."""
        if said.has_id:
            self._settled[_identity(delivery, said)] = None
            if len(self._settled) > self._size:
                self._settled.popitem(last=False)

    def knows(self, delivery: Delivery, said: Metadata) -> bool:
        """Whether this is the redelivery of a delivery that was settled."""
        return delivery.redelivered and said.has_id and _identity(delivery, said) in self._settled


def _identity(delivery: Delivery, said: Metadata) -> tuple[str, str, bytes]:
    return said.source, said.event_id, hashlib.blake2b(delivery.body, digest_size=16).digest()
