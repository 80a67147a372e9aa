"""The consuming side by itself."""

import time

from tests.subscriber.kit import EXCHANGE, QUEUE, Happened, prepared, publish
from tests.support.rabbit import eventually
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.handoff.intake import Intake

MOST = 33
COUNT = 2 * MOST


def test_what_was_not_read_while_a_handler_was_slow_is_no_silence_of_the_broker(vhost_url: str) -> None:
    """As many deliveries as a turn takes are there already after it."""
    prepared(vhost_url)
    publish(vhost_url, [Happened(number=number) for number in range(COUNT)])
    intake = Intake(EventBroker(f"{vhost_url}?heartbeat=1"), Topology(EXCHANGE, QUEUE, ("app.happened",)), 2 * COUNT)
    intake.open(10.0)

    def waiting() -> int:
        assert intake.consumer is not None
        return len(intake.consumer.deliveries)

    def have_all_come() -> bool:
        intake.receive(0.1, COUNT)
        return waiting() == COUNT

    def has_the_handler_ended() -> bool:
        intake.beat()
        return time.monotonic() - begun > 3.5

    try:
        eventually(have_all_come, what="all deliveries")
        begun = time.monotonic()
        eventually(has_the_handler_ended, what="the end of a slow handler")
        while waiting():
            intake.receive(0.1, MOST)
            assert intake.consumer is not None
            assert list(intake.consumer.take(MOST))
    finally:
        intake.drop()
