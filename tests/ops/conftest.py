"""A RabbitMQ node with its management API."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import need
from typed_pubsub.testing.nodes import RabbitMQNode, rabbitmq_available


@dataclass(frozen=True)
class Managed:
    """The node and where its API answers."""

    node: RabbitMQNode
    api: str


@pytest.fixture(scope="session")
def managed() -> Iterator[Managed]:
    """A node with the management plugin: one for each test process."""
    need(rabbitmq_available())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings = {"management.tcp.port": str(port), "management.tcp.ip": "127.0.0.1"}
    with RabbitMQNode(plugins=("rabbitmq_management",), settings=settings) as node:
        yield Managed(node, f"http://127.0.0.1:{port}")


@pytest.fixture
def managed_url(managed: Managed) -> Iterator[str]:
    """The URL of a fresh virtual host of that node."""
    url = managed.node.vhost()
    yield url
    managed.node.give_back(url)


@pytest.fixture
def nobody_listens() -> Iterator[str]:
    """The URL of an API that is not there: a port that is taken and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
