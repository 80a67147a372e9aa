"""settle: every branch, as a table; and its delays."""

from typing import Any

import pytest

from typed_pubsub.routing import Ack, DeadLetter, HandBack, RetryAfter, Schedule, Skip, settle
from typed_pubsub.routing.decisions import Decision, Settlement
from typed_pubsub.routing.settle import HAND_BACK_AFTER, MAX_REFUSALS, Confirmed, Refused, Sent, Unanswered, backoff

SCHEDULE, SKIP, DEAD = Schedule(()), Skip("no"), DeadLetter("oversize", "big")
EXHAUSTED = DeadLetter("retries_exhausted", "the Celery broker refused it 5 times: no queue")
EXHAUSTED_9 = DeadLetter("retries_exhausted", "the Celery broker refused it 9 times: no queue")
LATE = HAND_BACK_AFTER
AGAIN = RetryAfter(0.1)

TABLE: list[tuple[Decision, Sent, float, Settlement]] = [
    (SCHEDULE, Confirmed(), 0, Ack()),
    (SCHEDULE, Confirmed(), LATE, Ack()),
    (SCHEDULE, Refused("no queue"), 0, AGAIN),
    (SCHEDULE, Refused("no queue", 4), 0, AGAIN),
    (SCHEDULE, Refused("no queue", 4), LATE, HandBack()),
    (SCHEDULE, Refused("no queue", 5), 0, EXHAUSTED),
    (SCHEDULE, Refused("no queue", 5), LATE, EXHAUSTED),
    (SCHEDULE, Refused("no queue", 9), 0, EXHAUSTED_9),
    (SCHEDULE, Unanswered("away"), 0, AGAIN),
    (SCHEDULE, Unanswered("away"), LATE - 0.1, AGAIN),
    (SCHEDULE, Unanswered("away"), LATE, HandBack()),
    (SKIP, Confirmed(), 0, Ack()),
    (SKIP, Refused("x", 9), 0, Ack()),
    (SKIP, Unanswered("x"), LATE, Ack()),
    (DEAD, Confirmed(), 0, Ack()),
    (DEAD, Refused("no queue", 4), 0, AGAIN),
    (DEAD, Refused("no queue", 500), 0, AGAIN),
    (DEAD, Refused("no queue", 500), LATE, HandBack()),
    (DEAD, Unanswered("away"), 0, AGAIN),
    (DEAD, Unanswered("away"), LATE, HandBack()),
]  # fmt: skip


@pytest.mark.parametrize(("decision", "sent", "held", "settlement"), TABLE)
def test_what_becomes_of_a_delivery(decision: Decision, sent: Sent, held: float, settlement: Settlement) -> None:
    assert settle(decision, sent, attempt=1, held=held, jitter=1.0) == settlement


def test_the_limits_are_those_of_the_contract() -> None:
    assert MAX_REFUSALS == 5
    assert HAND_BACK_AFTER == 20 * 60


@pytest.mark.parametrize("jitter", [0.0, 0.3, 1.0])
def test_delays_grow_to_five_seconds_and_never_shrink(jitter: float) -> None:
    delays = [backoff(attempt, jitter) for attempt in range(1, 2_000)]
    assert delays == sorted(delays)
    assert delays[0] >= 0.05
    assert delays[-1] <= 5.0
    assert delays[-1] == pytest.approx(5.0 * (0.5 + jitter / 2))


def test_the_shortest_delay_of_an_attempt_is_the_longest_of_the_one_before() -> None:
    for attempt in range(1, 6):
        assert backoff(attempt + 1, 0.0) == pytest.approx(backoff(attempt, 1.0))


@pytest.mark.parametrize("attempt", [-5, 0, 1, 10**9])
def test_any_number_of_attempts_gives_a_bounded_delay(attempt: int) -> None:
    decided: Any = settle(SCHEDULE, Unanswered(""), attempt=attempt, held=0, jitter=0.5)
    assert 0.05 <= decided.seconds <= 5.0
