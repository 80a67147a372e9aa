"""Servers of the fault matrix's own: it kills, freezes and fills them."""

from collections.abc import Iterator

import pytest

from tests.conftest import need
from typed_pubsub.testing.nodes import RabbitMQNode, RedisNode, rabbitmq_available, redis_available


@pytest.fixture(scope="session")
def faulty_rabbitmq() -> Iterator[RabbitMQNode]:
    """A RabbitMQ that no other test uses."""
    need(rabbitmq_available())
    with RabbitMQNode(vhosts=20) as node:
        yield node


@pytest.fixture(scope="session")
def faulty_redis() -> Iterator[RedisNode]:
    """A Redis that no other test uses."""
    need(redis_available())
    with RedisNode() as node:
        yield node
