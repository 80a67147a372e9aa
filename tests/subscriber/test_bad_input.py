"""Whatever comes, it is one dead letter with the reason, and nothing else changes: the neighbours are scheduled, the
subscriber lives, no other queue grows, and no log tells of the body."""

import bz2
import json
import logging
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kombu.utils.json import loads as kombu_loads

from tests.subscriber.corpus import KINDS, MAX_BODY, REGISTRY, SECRET, Bad, Evil, mapping
from tests.support.amqp import declare, message, send, take_all, wait_for_count
from tests.support.children import Child
from tests.support.rabbit import eventually
from tests.support.services import celery_app, running
from typed_pubsub import PubSubConfig, Subscriber
from typed_pubsub.testing.nodes import RabbitMQNode

EXCHANGE, QUEUE = "an_exchange", "a_queue"


@dataclass(frozen=True)
class Service:
    url: str
    subscriber: Subscriber


@pytest.fixture(scope="module")
def service(rabbitmq: RabbitMQNode) -> Iterator[Service]:
    """One subscriber for all of it: each kind finds it alive after the ones before."""
    url = rabbitmq.vhost()
    declare(url, "other")
    declare(url, QUEUE, an_exchange="unknown.*")
    app = celery_app(url)
    config = PubSubConfig(mapping, lambda: app, url, EXCHANGE, QUEUE, max_body_bytes=MAX_BODY)
    with running(config, REGISTRY) as subscriber:
        yield Service(url, subscriber)
    wait_for_count(url, QUEUE, 0)
    assert subscriber.outcomes.get("requeued", 0) == 0, "every delivery was acknowledged"


def becomes_a_dead_letter(service: Service, bad: Bad) -> Any:
    """Publishes ``bad`` between two good events, and looks at everything that it must have done, and must not."""
    before = service.subscriber.outcomes
    send(service.url, EXCHANGE, "typed.event", message(b'{"number": 1}'))
    send(service.url, EXCHANGE, bad.key, bad.message())
    send(service.url, EXCHANGE, "typed.event", message(b'{"number": 2}'))
    eventually(lambda: sum(service.subscriber.outcomes.values()) == sum(before.values()) + 3)
    after = service.subscriber.outcomes
    assert after["scheduled"] - before.get("scheduled", 0) == 2
    assert after["dead-lettered"] - before.get("dead-lettered", 0) == 1
    assert [kombu_loads(task.body)[0] for task in take_all(service.url, "celery")] == [[1], [2]]
    (dead,) = take_all(service.url, f"{QUEUE}.dlq")
    assert dead.headers["x-pubsub-reason"] == bad.reason
    assert dead.headers["x-pubsub-routing-key"] == bad.key
    assert dead.body == bad.body or (not dead.body and not bad.body)
    assert set(dead.properties) <= {"application_headers", "content_type", "delivery_mode", "message_id"}
    assert dead.properties["delivery_mode"] == 2
    assert {name for name in dead.headers if not name.startswith("x-pubsub-")} == set()
    json.loads(dead.headers["x-pubsub-original"])
    wait_for_count(service.url, QUEUE, 0)
    wait_for_count(service.url, "other", 0)
    return dead


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_one_dead_letter_and_its_neighbours_are_scheduled(
    service: Service, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        becomes_a_dead_letter(service, KINDS[kind])
    told = "\n".join(f"{record.getMessage()} {record.exc_text} {vars(record)}" for record in caplog.records)
    assert SECRET not in told
    assert "dead-lettered" in told


def test_a_pickle_is_never_loaded(service: Service, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    body = pickle.dumps(Evil(touched))
    for kind in ("application/x-python-serialize", "application/json"):
        becomes_a_dead_letter(service, Bad("typed.event", "undecodable", body, properties={"content_type": kind}))
    assert not touched.exists()


def test_a_user_id_of_somebody_else_does_not_stop_the_dead_letter(service: Service, rabbitmq: RabbitMQNode) -> None:
    vhost = service.url.rpartition("/")[2]
    rabbitmq.ctl("add_user", "somebody", "pw")
    rabbitmq.ctl("set_permissions", "--vhost", vhost, "somebody", ".*", ".*", ".*")
    before = sum(service.subscriber.outcomes.values())
    bad = message(b"[", user_id="somebody")
    send(service.url.replace("guest:guest", "somebody:pw"), EXCHANGE, "typed.event", bad)
    eventually(lambda: sum(service.subscriber.outcomes.values()) == before + 1)
    (dead,) = take_all(service.url, f"{QUEUE}.dlq")
    assert "user_id" not in dead.properties
    assert json.loads(dead.headers["x-pubsub-original"])["properties"]["user_id"] == "somebody"


def test_headers_of_a_good_event_do_not_reach_its_task(service: Service) -> None:
    foreign = {"CC": ["celery"], "timelimit": [1, 1], "task": "evil.task", "queue": "other", "x-delay": 9, "id": "mine"}
    before = sum(service.subscriber.outcomes.values())
    send(service.url, EXCHANGE, "typed.event", message(b'{"number": 1}', foreign, reply_to="other", priority=9))
    eventually(lambda: sum(service.subscriber.outcomes.values()) == before + 1)
    (task,) = take_all(service.url, "celery")
    assert task.headers["task"] == "a.task"
    assert task.headers["timelimit"] == [None, None]
    assert not {"CC", "queue", "x-delay"} & set(task.headers)
    assert task.properties["priority"] == 0
    assert task.properties["reply_to"] != "other"
    assert task.headers["eta"] is None


BOMBED = """
import resource, sys
from celery import Celery
from typed_pubsub import PubSubConfig, Subscriber

row = {"routing_key": "#", "task": "t", "should_schedule": lambda k, b: True, "get_args": lambda k, b: ([], {})}
config = PubSubConfig([row], lambda: Celery(broker=sys.argv[1]), sys.argv[1], "an_exchange", "a_queue")
subscriber = Subscriber(config)
import logging; logging.basicConfig(level="INFO", stream=sys.stdout)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
subscriber.start()
print("grown by", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, "MB")
"""


@pytest.mark.once
def test_a_compression_bomb_leaves_the_memory_flat(broker_url: str, tmp_path: Path) -> None:
    bomb = bz2.compress(bytes(400_000_000))
    assert len(bomb) < 1_000
    (tmp_path / "bombed.py").write_text(BOMBED)
    with Child("bombed.py", broker_url, cwd=tmp_path) as child:
        child.wait_for("consuming")
        for kind in ("application/x-bz2", "bzip2"):
            send(broker_url, EXCHANGE, "a.key", message(bomb, {"compression": kind}))
        child.wait_for("dead-lettered", count=2)
        assert child.terminate() == 0
    assert int(child.stdout[-1].split()[2]) < 50
    assert [dead.body for dead in take_all(broker_url, f"{QUEUE}.dlq")] == [bomb, bomb]
