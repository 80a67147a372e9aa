"""A delivery in hand, and the memory of those that were settled."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from typed_pubsub.events.delivery import Delivery, Metadata
from typed_pubsub.routing.decisions import DeadLetter, Decision, Schedule, Skip

_REMEMBERED = 10_000

#: Exchange and routing key.
Destination: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class Refusal:
    """What a broker has refused of a work: ``text`` and ``where`` of the last one.

    ``returned``: no queue took it; ``at_fault``: beyond doubt its own; ``counted``: how many were its own fault;
    ``redeclared``: its queue was declared again once; ``alone``: one of several that the broker refused together
    without saying which, so each goes by itself.
    """

    text: str = ""
    where: Destination = ("", "")
    returned: bool = False
    at_fault: bool = False
    counted: int = 0
    redeclared: bool = False
    alone: bool = False


@dataclass(slots=True, eq=False)
class Work:
    """One delivery on its way to being settled.

    ``messages`` are those of its messages that are not confirmed, by number, ``unanswered`` how many of them are under
    way; times are of the monotonic clock. ``seen`` is what the lane's broker had taken of anyone's when this work was
    first written or last refused, ``own`` what it has taken of this one's since.
    """

    delivery: Delivery
    said: Metadata
    decision: Decision
    begun: float
    messages: dict[int, Any] = field(default_factory=dict[int, Any])
    settled: bool = False
    due: float = 0.0
    attempts: int = 0
    first_try: float | None = None
    written: float = 0.0
    unanswered: int = 0
    seen: int = -1
    own: int = 0
    refusal: Refusal | None = None

    def become_dead(self, letter: Any) -> None:
        """From now on only its dead letter is to be sent, on the other lane: what happened on the first is over."""
        self.messages, self.refusal = {0: letter}, None
        self.due, self.first_try, self.seen, self.own = 0.0, None, -1, 0

    @property
    def is_suspect(self) -> bool:
        """Whether it has to go alone."""
        return self.refusal is not None and self.refusal.alone

    def refused(self) -> Refusal:
        """Its refusals, to be told of one more."""
        if self.refusal is None:
            self.refusal = Refusal()
        return self.refusal

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
        """Remembers at least ``least`` deliveries, and at most twice as many or 20,000."""
        self._size = max(least, _REMEMBERED)
        # Two generations, of which the older one goes when the younger one is full: nothing is sought or moved.
        self._younger: set[bytes] = set()
        self._older: set[bytes] = set()

    def add(self, delivery: Delivery, said: Metadata) -> None:
        """Remembers a settled delivery; one without an id cannot be recognised."""
        if said.has_id:
            self._younger.add(_identity(delivery, said))
            if len(self._younger) >= self._size:
                self._older, self._younger = self._younger, set()

    def knows(self, delivery: Delivery, said: Metadata) -> bool:
        """Whether this is the redelivery of a delivery that was settled."""
        if not (delivery.redelivered and said.has_id):
            return False
        identity = _identity(delivery, said)
        return identity in self._younger or identity in self._older


def _identity(delivery: Delivery, said: Metadata) -> bytes:
    # The lengths make it plain where each part ends.
    names = f"{len(said.source)} {len(said.event_id)} {said.source}{said.event_id}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(names + delivery.body, digest_size=16).digest()
