"""Dead letters in a queue, as a subscriber leaves them there."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.amqp import linked
from typed_pubsub.brokers.confirms import ConfirmChannel
from typed_pubsub.brokers.dead_letters import compose_dead_letter
from typed_pubsub.brokers.topology import ensure_dead_letter_queue, ensure_queue
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.routing.decisions import DeadLetter

MAPPING_ERROR = DeadLetter("mapping_error", "route r: KeyError at m:1 in f")


def event(number: int, key: str = "orders.paid", body: bytes | None = None) -> Delivery:
    """An event of ours; its id tells its number."""
    headers: dict[str, Any] = {"ce-specversion": "1.0", "ce-id": f"event-{number}", "ce-source": "shop"}
    body = body if body is not None else json.dumps({"number": number}).encode()
    return Delivery(key, body, "random", "events", headers, {"content_type": "application/json"})


def leave(
    url: str,
    events: Iterable[Delivery],
    verdict: DeadLetter = MAPPING_ERROR,
    *,
    queue: str = "q",
    age: float = 60.0,
    quorum: bool = False,
) -> None:
    """Writes the dead letters of events to the queue's dead-letter queue, both of which are declared."""
    time = datetime.now(UTC) - timedelta(seconds=age)
    with linked(url) as link:
        ensure_queue(link, queue, {"x-queue-type": "quorum"} if quorum else {})
        ensure_dead_letter_queue(link, queue, quorum=quorum)
        confirming: ConfirmChannel[int] = ConfirmChannel(link)
        for number, each in enumerate(events):
            letter = compose_dead_letter(each, read_metadata(each), verdict, attempts=0, now=time)
            confirming.put(number, letter, "", f"{queue}.dlq")
        confirming.flush(60, lambda: None)
