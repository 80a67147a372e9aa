"""A subscriber warns of what would lose tasks after it: at its start, at the first countdown too long, at a queue."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery
from kombu import Exchange, Queue
from kombu.transport.native_delayed_delivery import declare_native_delayed_delivery_exchanges_and_queues

from tests.subscriber.kit import REGISTRY, Happened, publish, reaches, settings, tasks
from tests.support.amqp import declare
from tests.support.rabbit import broker
from tests.support.services import celery_app, running
from typed_pubsub import PubSubConfig, TaskCall, TaskMapping
from typed_pubsub.testing.nodes import RedisNode

ARGUMENTS = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
SAFE: dict[str, Any] = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_queues": [Queue("celery", Exchange("celery"), routing_key="celery", queue_arguments=ARGUMENTS)],
}


def add(number: int, text: str) -> None: ...


def service(url: str, celery_url: str, countdown: float = 0, **app_settings: Any) -> PubSubConfig:
    app = celery_app(celery_url)
    app.conf.update(app_settings)
    app.task(name="tasks.add", shared=False)(add)
    made = TaskMapping()
    made.route(Happened).to(app.tasks["tasks.add"], call_with(countdown), name="a_route")
    return settings(url, task_mapping=made, get_celery_app=lambda: app)


def call_with(countdown: float) -> Callable[[Happened, Any], TaskCall]:
    def build(event: Happened, send: Callable[..., TaskCall]) -> TaskCall:
        call = send(event.number, "")
        return call.using(countdown=countdown) if countdown else call

    return build


def hazards(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The ids of the sections that were linked to, in order."""
    links = [line.getMessage().partition("docs/reliability.md#") for line in caplog.records]
    return [anchor.rstrip(")") for _, link, anchor in links if link]


def handled(config: PubSubConfig, url: str, caplog: pytest.LogCaptureFixture, count: int = 3) -> None:
    with caplog.at_level(logging.WARNING, "typed_pubsub"), running(config, REGISTRY) as subscriber:
        publish(url, (Happened(number=number) for number in range(count)))
        reaches(subscriber, scheduled=count)


def test_each_hazard_is_told_once_at_the_start(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    config = service(vhost_url, vhost_url)
    with caplog.at_level(logging.INFO, "typed_pubsub"), running(config, REGISTRY):
        pass
    assert hazards(caplog) == ["early-acknowledgement", "no-dead-letter-exchange"]
    order = [record.levelname for record in caplog.records]
    assert order[:3] == ["WARNING", "WARNING", "INFO"], "before anything is consumed"
    assert {record.name for record in caplog.records[:2]} == {"typed_pubsub.hazards"}
    assert "guest" not in caplog.text


def test_an_app_that_is_set_well_is_told_nothing(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    handled(service(vhost_url, vhost_url, **SAFE), vhost_url, caplog)
    assert caplog.records == []
    assert len(tasks(vhost_url)) == 3


def test_the_warnings_have_a_logger_that_may_be_silenced(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "typed_pubsub.hazards"):
        handled(service(vhost_url, vhost_url), vhost_url, caplog)
    assert caplog.records == []


def test_a_countdown_too_long_for_rabbitmq_is_told_once_and_sent(
    vhost_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    handled(service(vhost_url, vhost_url, countdown=7200, **SAFE), vhost_url, caplog)
    assert hazards(caplog) == ["long-countdowns"]
    assert len(tasks(vhost_url)) == 3


def test_a_countdown_too_long_for_redis_is_told_once_and_no_more_when_it_is_mended(
    vhost_url: str, redis_node: RedisNode, caplog: pytest.LogCaptureFixture
) -> None:
    safe = {name: value for name, value in SAFE.items() if name != "task_queues"}
    handled(service(vhost_url, redis_node.url, countdown=7200, **safe), vhost_url, caplog)
    assert hazards(caplog) == ["long-countdowns"]
    caplog.clear()
    mended = {**safe, "broker_transport_options": {"visibility_timeout": 10_000}}
    handled(service(vhost_url, redis_node.url, countdown=7200, **mended), vhost_url, caplog)
    assert caplog.records == []


QUORUM = {**ARGUMENTS, "x-queue-type": "quorum"}
AS_WORKERS: dict[str, Any] = {
    **SAFE,
    "task_queues": [Queue("celery", Exchange("slow", "topic"), routing_key="celery", queue_arguments=QUORUM)],
}


def workers_of_quorum_queues(url: str) -> None:
    """What they declare when they start."""
    with broker(url) as connection:
        declare_native_delayed_delivery_exchanges_and_queues(connection, "classic")


def test_a_quorum_queue_that_the_app_does_not_know_as_one_is_told_once(
    vhost_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    declare(vhost_url, "celery", QUORUM)
    handled(service(vhost_url, vhost_url, countdown=60, **SAFE), vhost_url, caplog)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(
        "Celery's queue 'celery' is used as found: PRECONDITION_FAILED - inequivalent arg 'x-queue-t"
    )
    assert hazards(caplog) == ["queues-used-as-found"]
    assert len(tasks(vhost_url)) == 3, "straight to the queue: the workers would hold them"


def test_a_quorum_queue_that_the_app_knows_is_not(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    workers_of_quorum_queues(vhost_url)
    declare(vhost_url, "celery", QUORUM)
    handled(service(vhost_url, vhost_url, countdown=7200, **AS_WORKERS), vhost_url, caplog)
    assert caplog.records == []
    assert tasks(vhost_url) == [], "RabbitMQ holds them"


def test_of_tasks_by_name_alone_nothing_is_told(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "typed_pubsub"), running(settings(vhost_url), REGISTRY):
        pass
    assert caplog.records == []


def test_a_row_names_a_task_that_the_app_may_have(vhost_url: str, caplog: pytest.LogCaptureFixture) -> None:
    app: Celery = celery_app(vhost_url)
    app.task(name="tasks.add", shared=False)(add)
    row = {
        "routing_key": "a.key",
        "task": "tasks.add",
        "should_schedule": lambda key, body: True,
        "get_args": lambda key, body: ([], {}),
    }
    config = settings(vhost_url, task_mapping=[row], get_celery_app=lambda: app)
    with caplog.at_level(logging.WARNING, "typed_pubsub"), running(config, REGISTRY):
        pass
    assert hazards(caplog) == ["early-acknowledgement", "no-dead-letter-exchange"]
