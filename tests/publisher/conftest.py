"""A publisher."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.publisher.kit import REGISTRY, Make
from tests.support.amqp import declare
from typed_pubsub import Publisher, PubSubConfig, Registry


@pytest.fixture
def make(vhost_url: str) -> Iterator[Make]:
    """A publisher, with settings to choose, whose exchange has a queue for ``etl.#`` and ``app.scored``."""
    declare(vhost_url, "a_queue", an_exchange="etl.#")
    declare(vhost_url, "a_queue", an_exchange="app.scored")
    made: list[Publisher] = []

    def publisher(registry: Registry = REGISTRY, **settings: Any) -> Publisher:
        config = PubSubConfig(broker_url=vhost_url, exchange="an_exchange", **{"publish_timeout": 30.0, **settings})
        made.append(Publisher(config, registry=registry))
        return made[-1]

    yield publisher
    for one in made:
        one.close()
