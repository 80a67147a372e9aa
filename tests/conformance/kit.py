"""Messages by number, and what the tests of every broker do with them."""

import time
from collections.abc import Callable, Iterable

from tests.conformance.conftest import EXCHANGE, Candidate
from tests.support.amqp import TIMEOUT
from typed_pubsub.brokers.confirms import ConfirmChannel, Outcome
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.events.delivery import Delivery


def nothing() -> None: ...


def made(number: int, body: bytes | None = None) -> ReadyMessage:
    content = b"%d" % number if body is None else body
    return ReadyMessage(content, {"message_id": str(number), "delivery_mode": 2, "content_type": "application/json"})


def publish(
    candidate: Candidate,
    numbers: Iterable[int],
    key: Callable[[int], str] = lambda _: "a.key",
    *,
    exchange: str = EXCHANGE,
    body: bytes | None = None,
) -> dict[int, Outcome]:
    """Publishes messages with these numbers, mandatory; what became of each."""
    with candidate.link() as link:
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        for number in numbers:
            channel.put(number, made(number, body), exchange, key(number))
        channel.flush(TIMEOUT, nothing)
        return channel.take_outcomes()


def take(consumer: Consumer, count: int) -> list[Delivery]:
    """The next ``count`` deliveries, unacknowledged."""
    taken = list(consumer.take(count))
    deadline = time.monotonic() + TIMEOUT
    while len(taken) < count:
        assert time.monotonic() < deadline, f"{len(taken)} of {count} deliveries came"
        consumer.receive(1.0)
        taken += consumer.take(count - len(taken))
    return taken


def drained(consumer: Consumer, until_silent: float = 0.5) -> list[Delivery]:
    """All deliveries, until none has come for a while."""
    while consumer.receive(until_silent):
        pass
    return list(consumer.take(len(consumer.deliveries)))


def numbers(deliveries: Iterable[Delivery]) -> list[int]:
    return [int(delivery.properties["message_id"]) for delivery in deliveries]
