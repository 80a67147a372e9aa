"""What to do with a delivery once its messages were sent, or were not: the second pure half."""

from dataclasses import dataclass
from typing import TypeAlias

from typed_pubsub.routing.decisions import Ack, DeadLetter, Decision, HandBack, RetryAfter, Schedule, Settlement, Skip

#: How often the Celery broker may refuse an event's own tasks, while it takes others, until it is a dead letter.
MAX_REFUSALS = 5

#: Seconds after which an event that cannot be handed off goes back to its queue: RabbitMQ closes the channel of a
#: consumer that holds a delivery for 30 minutes (consumer_timeout, since 3.8.17).
HAND_BACK_AFTER = 20 * 60.0

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The broker has confirmed every message of the event, each in a queue."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker answered, and refused a message of this event: nacked, returned, or too large.

    ``counted`` is how often so far, counting only refusals that are the event's own: the broker took messages of other
    events meanwhile, or the message is beyond doubt at fault.
    """

    detail: str
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The broker did not answer: connection lost, timed out, or not there. No fault of the event."""

    detail: str


Sent: TypeAlias = Confirmed | Refused | Unanswered


def backoff(attempt: int, jitter: float) -> float:
    """Seconds before the next attempt: doubling from 0.1 to 5, ``jitter`` (0 to 1) spreading the upper half."""
    ceiling = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(attempt - 1, 16))
    return ceiling * (0.5 + jitter / 2)


def settle(decision: Decision, sent: Sent, *, attempt: int, held: float, jitter: float) -> Settlement:
    """What becomes of a delivery after an attempt to send what it caused.

    Args:
        decision: what the delivery means; a Skip sends nothing and is acknowledged.
        sent: how the attempt ended.
        attempt: how many attempts have failed in a row, this one included; for the delay.
        held: seconds since the first attempt.
        jitter: a random number from 0 to 1.
    """
    if isinstance(decision, Skip) or isinstance(sent, Confirmed):
        return Ack()
    if isinstance(sent, Refused) and isinstance(decision, Schedule) and sent.counted >= MAX_REFUSALS:
        return DeadLetter("retries_exhausted", f"the Celery broker refused it {sent.counted} times: {sent.detail}")
    if held >= HAND_BACK_AFTER:
        return HandBack()
    return RetryAfter(backoff(max(attempt, 1), jitter))
