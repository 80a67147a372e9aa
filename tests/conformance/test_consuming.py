"""What a consumer holds is its own until it is settled, and comes again when it is not."""

import signal
import time
from pathlib import Path

import pytest
from amqp.exceptions import PreconditionFailed

from tests.conformance.conftest import EXCHANGE, QUEUE, Candidate
from tests.conformance.kit import drained, numbers, publish, take
from tests.support.amqp import TIMEOUT, take_all, wait_for_count
from tests.support.children import Child
from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.consumer import Consumer


def test_deliveries_come_in_the_order_of_publication(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    publish(candidate, range(500))
    with candidate.consumer(prefetch=50) as consumer:
        seen: list[int] = []
        while len(seen) < 500:
            (delivery,) = take(consumer, 1)
            assert not delivery.redelivered
            seen += numbers([delivery])
            # Of hundreds of single ones RabbitMQ may forget the last where the queue is a quorum queue, its consumer
            # leaves at once, and the machine is busy. A subscriber of ours acknowledges many at once.
            if len(seen) % 25 == 0:
                consumer.ack(delivery.tag, multiple=True)
    assert seen == list(range(500))
    wait_for_count(candidate.url, QUEUE, 0)


def test_no_more_than_the_prefetch_is_under_way(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    publish(candidate, range(20))
    with candidate.consumer(prefetch=5) as consumer:
        first = drained(consumer)
        assert numbers(first) == [0, 1, 2, 3, 4]
        consumer.ack(first[0].tag)
        assert numbers(drained(consumer)) == [5]
        consumer.ack(first[-1].tag, multiple=True)
        assert numbers(drained(consumer)) == [6, 7, 8, 9]


def test_an_acknowledgement_is_for_one_or_for_all_up_to_it(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    publish(candidate, range(10))
    with candidate.consumer() as consumer:
        deliveries = take(consumer, 10)
        consumer.ack(deliveries[8].tag)
        consumer.ack(deliveries[3].tag, multiple=True)
    wait_for_count(candidate.url, QUEUE, 5)
    assert [int(found.body) for found in take_all(candidate.url, QUEUE)] == [4, 5, 6, 7, 9]


def test_what_is_not_acknowledged_comes_again_marked(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    publish(candidate, range(5))
    with candidate.consumer() as consumer:
        first = take(consumer, 5)
        consumer.ack(first[1].tag)
    with candidate.consumer() as consumer:
        again = take(consumer, 4)
        assert numbers(again) == [0, 2, 3, 4]
        assert all(delivery.redelivered for delivery in again)
        assert [delivery.body for delivery in again] == [b"0", b"2", b"3", b"4"]
        if candidate.features.limits_deliveries:
            assert [delivery.headers["x-delivery-count"] for delivery in again] == [1, 1, 1, 1]
        assert drained(consumer) == []


def test_a_delivery_tag_that_is_unknown_breaks_the_channel_and_loses_nothing(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    publish(candidate, range(3))
    with candidate.consumer() as consumer:
        take(consumer, 3)

        def acknowledge() -> None:
            consumer.ack(99)
            hear_of_it(consumer)

        with pytest.raises(PreconditionFailed, match="unknown delivery tag"):
            acknowledge()
    wait_for_count(candidate.url, QUEUE, 3)


def test_a_requeued_delivery_goes_to_its_own_queue_only(candidate: Candidate) -> None:
    candidate.ensure("a.key", queue="first")
    candidate.ensure("a.key", queue="second")
    publish(candidate, range(3))
    with broker(candidate.url) as connection:
        channel = connection.default_channel
        got = channel.basic_get("first")
        channel.basic_reject(got.delivery_tag, requeue=True)
        again = eventually(lambda: channel.basic_get("first"))
        assert (again.body, again.delivery_info["redelivered"]) in [("0", True), (b"0", True)]
    wait_for_count(candidate.url, "first", 3)
    wait_for_count(candidate.url, "second", 3)


def test_two_consumers_share_a_queue_and_get_nothing_twice(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    with candidate.consumer(prefetch=10) as one, candidate.consumer(prefetch=10) as other:
        publish(candidate, range(200))
        seen: dict[str, list[int]] = {"one": [], "other": []}
        while sum(map(len, seen.values())) < 200:
            for name, consumer in (("one", one), ("other", other)):
                for delivery in drained(consumer, 0.01):
                    assert not delivery.redelivered
                    seen[name] += numbers([delivery])
                    consumer.ack(delivery.tag)
        assert sorted(seen["one"] + seen["other"]) == list(range(200))
        assert min(map(len, seen.values())) >= 20
    wait_for_count(candidate.url, QUEUE, 0)


def test_the_broker_knows_how_many_consume(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    with candidate.consumer(), candidate.consumer():
        assert queue_state(candidate.url, QUEUE).consumer_count == 2
    eventually(lambda: queue_state(candidate.url, QUEUE).consumer_count == 0)


def hear_of_it(consumer: Consumer) -> None:
    """Reads until the broker has told what is wrong: an error out of here."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        consumer.receive(0.1)
        consumer.link.heartbeat()


HOLDER = """
import sys
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology

url, quorum = sys.argv[1:]
consumer = Consumer(EventBroker(url).connect(30), Topology("an_exchange", "a_queue", (), quorum=quorum == "True"), 10)
while len(consumer.deliveries) < 10:
    consumer.receive(1)
consumer.ack(next(consumer.take(1)).tag)
print("holds", flush=True)
while True:
    consumer.receive(1)
"""


def test_what_a_killed_process_held_comes_again(candidate: Candidate, tmp_path: Path) -> None:
    candidate.ensure("a.key")
    publish(candidate, range(20))
    with Child("-c", HOLDER, candidate.url, str(candidate.features.quorum), cwd=tmp_path) as holder:
        # It acknowledges one, and gets another for it.
        holder.wait_for("holds")
        eventually(lambda: queue_state(candidate.url, QUEUE).message_count == 9)
        holder.signal(signal.SIGKILL)
        holder.wait()
        with candidate.consumer() as consumer:
            begun = time.monotonic()
            deliveries = take(consumer, 19)
            assert time.monotonic() - begun < candidate.features.redelivers_within
    assert sorted(numbers(deliveries)) == list(range(1, 20))
    assert set(numbers(each for each in deliveries if each.redelivered)) == set(range(1, 11))


def test_a_consumer_whose_queue_is_deleted_is_told(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    with candidate.consumer() as consumer, broker(candidate.url) as connection:
        connection.default_channel.queue_delete(QUEUE)
        with pytest.raises(FAULTS):
            hear_of_it(consumer)


def test_a_consumer_that_the_broker_has_given_up_is_told_and_loses_nothing(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    publish(candidate, range(5))
    with candidate.consumer() as consumer:
        (first, *_) = take(consumer, 5)
        candidate.break_connections()

        def acknowledge() -> None:
            consumer.ack(first.tag)
            hear_of_it(consumer)

        with pytest.raises(FAULTS):
            acknowledge()
    with candidate.consumer() as consumer:
        again = take(consumer, 5)
        assert numbers(again) == [0, 1, 2, 3, 4]
        assert all(delivery.redelivered for delivery in again)


def test_what_is_delivered_too_often_is_dead_lettered_by_the_broker(candidate: Candidate) -> None:
    if not candidate.features.limits_deliveries:
        # Nothing counts there: docs/reliability.md says so. It is there after any number of deliveries.
        candidate.ensure("a.key")
        publish(candidate, [1])
        for _ in range(8):
            with candidate.consumer() as consumer:
                take(consumer, 1)
        wait_for_count(candidate.url, QUEUE, 1)
        return
    limited = {
        "x-delivery-limit": 3,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": f"{QUEUE}.dlq",
    }
    kind = {"x-queue-type": "quorum"} if candidate.features.quorum else {}
    with broker(candidate.url) as connection:
        connection.default_channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments=limited | kind)
    candidate.ensure("a.key")
    publish(candidate, [1])
    for count in range(4):
        with candidate.consumer() as consumer:
            (delivery,) = take(consumer, 1)
            assert delivery.headers.get("x-delivery-count", 0) == count
    with candidate.consumer() as consumer:
        assert drained(consumer) == []
    wait_for_count(candidate.url, f"{QUEUE}.dlq", 1)
    (dead,) = take_all(candidate.url, f"{QUEUE}.dlq")
    death = dead.headers["x-death"][0]
    assert dead.body == b"1"
    assert (death["queue"], death["reason"], death["exchange"]) == (QUEUE, "delivery_limit", EXCHANGE)
    assert (death["count"], death["routing-keys"]) == (1, ["a.key"])
