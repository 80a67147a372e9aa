"""The brokers that the suite is run against, and what each of them may do differently."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.amqp import TIMEOUT
from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.testing.nodes import RabbitMQNode

EXCHANGE, QUEUE = "an_exchange", "a_queue"


@dataclass(frozen=True, slots=True)
class Features:
    """What brokers do differently.

    ``limits_deliveries``: a queue of ours counts deliveries, and dead-letters what was delivered too often;
    ``redelivers_within``: seconds until the deliveries of a process that was killed come again.
    """

    quorum: bool = False
    limits_deliveries: bool = False
    redelivers_within: float = 10.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A broker, fresh and empty."""

    url: str
    features: Features
    #: Breaks every connection to it, from the broker's side.
    break_connections: Callable[[], None] = field(repr=False)

    @contextmanager
    def link(self) -> Iterator[Link]:
        link = EventBroker(self.url).connect(TIMEOUT)
        try:
            yield link
        finally:
            link.close()

    def topology(self, *binding_keys: str, queue: str = QUEUE) -> Topology:
        return Topology(EXCHANGE, queue, binding_keys, quorum=self.features.quorum)

    def ensure(self, *binding_keys: str, queue: str = QUEUE) -> None:
        """The exchange and a queue with its bindings."""
        with self.link() as link:
            self.topology(*binding_keys, queue=queue).ensure(link)

    @contextmanager
    def consumer(self, *, prefetch: int = 100, queue: str = QUEUE) -> Iterator[Consumer]:
        link = EventBroker(self.url).connect(TIMEOUT)
        consumer = Consumer(link, self.topology(queue=queue), prefetch)
        try:
            yield consumer
        finally:
            # Answered, however busy the machine is: RabbitMQ may forget acknowledgements to a quorum queue otherwise.
            consumer.close(TIMEOUT)


def embedded(directory: Path) -> Candidate:
    path = directory / "broker.db"

    def break_connections() -> None:
        # What other processes do with the sessions of one that is dead.
        connection = sqlite3.connect(path, isolation_level=None, timeout=TIMEOUT)
        connection.execute("pragma foreign_keys=on")
        connection.execute("delete from session")
        connection.close()

    return Candidate(f"sqlite:///{path}", Features(limits_deliveries=True), break_connections)


def rabbitmq(node: RabbitMQNode, url: str, *, quorum: bool) -> Candidate:
    def break_connections() -> None:
        node.ctl("close_all_connections", "--vhost", url.rpartition("/")[2], "the test breaks it")

    return Candidate(url, Features(quorum=quorum, limits_deliveries=quorum), break_connections)


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("classic", marks=pytest.mark.broker),
        pytest.param("quorum", marks=pytest.mark.broker),
    ]
)
def candidate(request: pytest.FixtureRequest, tmp_path: Path) -> Candidate:
    if request.param == "embedded":
        return embedded(tmp_path)
    node: RabbitMQNode = request.getfixturevalue("rabbitmq")
    return rabbitmq(node, request.getfixturevalue("vhost_url"), quorum=request.param == "quorum")
