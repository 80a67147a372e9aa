"""Does anybody consume a queue? Asked of the event broker: all that is known of a subscriber without a health file."""

import time

from typed_pubsub.brokers.connection import FAULTS, describe
from typed_pubsub.brokers.event_broker import EventBroker, masked
from typed_pubsub.brokers.queues import count_queue
from typed_pubsub.errors import TopologyRefused
from typed_pubsub.ops.connect import connect_any
from typed_pubsub.ops.health import Health

# Seconds.
_GOODBYE = 0.1

_KNOWN_ONLY = "that is all the broker knows, set PUBSUB_HEALTH_FILE to know more"


def judge_queue(url: str, queue: str, timeout: float) -> Health:
    """Healthy if the queue has a consumer, whoever that is; of several brokers the first that answers is asked.

    Args:
        url: of the event broker.
        queue: the subscriber's.
        timeout: seconds for the answer, those of several brokers together.

    Raises:
        MisconfigurationException: the URL cannot be read.
    """
    try:
        found = _ask(EventBroker(url), queue, timeout)
    except (*FAULTS, TopologyRefused) as error:
        return Health("", (f"no answer from the event broker {masked(url)}: {describe(error)}",))
    if found is None:
        return Health("", (f"there is no queue {queue!r}: no subscriber has declared it",))
    if not found:
        return Health("", (f"nobody consumes {queue!r}",))
    return Health(f"{found} consuming {queue!r}; {_KNOWN_ONLY}")


def _ask(broker: EventBroker, queue: str, timeout: float) -> int | None:
    deadline = time.monotonic() + timeout
    link = connect_any(broker, timeout)
    try:
        link.limit(deadline - time.monotonic())
        counted = count_queue(link, queue)
        return None if counted is None else counted[1]
    finally:
        link.close(_GOODBYE)
