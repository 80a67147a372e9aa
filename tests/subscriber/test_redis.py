"""Celery's broker may be no AMQP broker: tasks go there by kombu's own send."""

import json
import time
from base64 import b64decode
from collections.abc import Iterator

import pytest
import redis
from kombu.utils.json import loads as kombu_loads

from tests.subscriber.kit import QUEUE, REGISTRY, Happened, publish, publish_one, reaches, settings
from tests.support.amqp import take_all, wait_for_count
from tests.support.rabbit import eventually
from tests.support.services import celery_app, running
from typed_pubsub.testing.nodes import RedisNode


@pytest.fixture
def client(redis_node: RedisNode) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_node.url) as client:
        yield client


def tasks(client: "redis.Redis", queue: str = "celery") -> list[tuple[int, str]]:
    """Number and id of each task in a list of Redis, the oldest first."""
    found = [json.loads(raw) for raw in client.lrange(queue, 0, -1)]
    return [(kombu_loads(b64decode(one["body"]))[0][0], one["headers"]["id"]) for one in reversed(found)]


def test_tasks_arrive_in_redis_with_the_headers_of_their_events(
    vhost_url: str, redis_node: RedisNode, client: "redis.Redis"
) -> None:
    with running(settings(vhost_url, celery_url=redis_node.url), REGISTRY) as subscriber:
        publish(vhost_url, [*(Happened(number=number) for number in range(50)), Happened(number=50, queue="other")])
        reaches(subscriber, scheduled=51)
    assert [number for number, _ in tasks(client)] == list(range(50))
    assert [number for number, _ in tasks(client, "other")] == [50]
    (raw,) = client.lrange("other", 0, -1)
    assert json.loads(raw)["headers"]["ce-source"] == "a-service"
    assert take_all(vhost_url, QUEUE) == []


def test_redis_may_go_away_and_come_back_and_nothing_is_lost(
    vhost_url: str, redis_node: RedisNode, client: "redis.Redis"
) -> None:
    with running(settings(vhost_url, celery_url=redis_node.url), REGISTRY) as subscriber:
        publish_one(vhost_url, 0)
        reaches(subscriber, scheduled=1)
        redis_node.kill()
        publish(vhost_url, (Happened(number=number) for number in range(1, 30)))
        eventually(lambda: subscriber.outcomes.get("faults", 0) >= 2)
        assert subscriber.outcomes["scheduled"] == 1
        redis_node.start()
        reaches(subscriber, scheduled=30)
    found = tasks(client)
    assert {number for number, _ in found} == set(range(30))
    assert len(set(found)) == 30


def test_a_redis_that_says_nothing_keeps_the_subscriber_from_stopping_only_for_its_socket_timeout(
    vhost_url: str, redis_node: RedisNode
) -> None:
    app = celery_app(redis_node.url)
    app.conf.broker_transport_options = {"socket_timeout": 1.5}
    config = settings(vhost_url, get_celery_app=lambda: app, drain_timeout=1.0)
    with running(config, REGISTRY) as subscriber:
        publish_one(vhost_url, 0)
        reaches(subscriber, scheduled=1)
        with redis_node.paused():
            publish_one(vhost_url, 1)
            wait_for_count(vhost_url, QUEUE, 0)
            begun = time.monotonic()
            subscriber.stop()
            eventually(lambda: subscriber.outcomes.get("requeued"), timeout=60)
            assert time.monotonic() - begun < 8
    wait_for_count(vhost_url, QUEUE, 1)
