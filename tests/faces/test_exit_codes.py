"""How every face ends: the exit codes of the contract, errors in one line, no traceback unless it is a bug."""

import signal
from typing import Any

import pytest

from tests.conftest import need
from tests.faces.conftest import Service
from tests.support.children import Child
from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub import Publisher, PubSubConfig
from typed_pubsub.testing.nodes import RedisNode, redis_available

pytestmark = pytest.mark.once

# What the faces share is tried by one of them.
GOOD = {"wanted": True, "divisor": 1}


def publish(url: str, key: str, body: dict[str, Any]) -> str:
    with Publisher(PubSubConfig(broker_url=url, exchange="events", unroutable="raise")) as publisher:
        return publisher.publish_event(key, body)


def error_line(child: Child) -> str:
    """The one line about the error on stderr."""
    assert "Traceback" not in child.output
    (line,) = [line for line in child.stderr if line.startswith(("Error: ", "CommandError: "))]
    assert line == child.stderr[-1]
    return line


SIGNALS = [("cli", number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
SIGNALS += [("flask", signal.SIGINT), ("django", signal.SIGTERM)]


@pytest.mark.parametrize(("any_face", "number"), SIGNALS, indirect=["any_face"])
def test_0_when_asked_to_stop(any_face: Service, vhost_url: str, number: signal.Signals) -> None:
    with any_face.start(vhost_url) as child:
        child.wait_for("consuming queue 'a-queue' of exchange 'events'")
        child.signal(number)
        assert child.wait() == 0, child.output
    assert "stopped as asked" in child.stderr[-1]
    assert child.stdout == ["Starting subscriber..."]
    assert "Traceback" not in child.output


def test_0_when_asked_to_stop_while_no_broker_is_there_yet(any_face: Service, nobody_there: str) -> None:
    with any_face.start(nobody_there, connect_timeout=600) as child:
        child.wait_for("Starting subscriber...")
        assert child.terminate() == 0, child.output


def test_2_for_settings_and_every_one_is_named(any_face: Service) -> None:
    code, child = any_face.run("redis://h/0", exchange="", prefetch=0, unroutable="shout")
    assert code == 2, child.output
    line = error_line(child)
    assert all(name in line for name in ("BROKER_URL", "EXCHANGE", "PREFETCH", "UNROUTABLE")), line
    assert child.stdout == []


def test_2_for_what_only_a_subscriber_needs(any_face: Service) -> None:
    code, child = any_face.run("amqp://127.0.0.1//", queue_name=None, task_mapping=None)
    assert code == 2, child.output
    assert error_line(child).endswith("PubSubConfig: a subscriber needs QUEUE_NAME, TASK_MAPPING")


def test_2_for_a_row_that_is_declared_wrongly(any_face: Service) -> None:
    code, child = any_face.run("amqp://127.0.0.1//", task_mapping=[{"routing_key": "a.key"}])
    assert code == 2, child.output
    assert "PUBSUB_TASK_MAPPING[0]: lacks 'task', 'should_schedule', 'get_args'" in error_line(child)


OPTIONS = [("cli", "--log-levle", "info"), ("flask", "--log-level", "loud"), ("django", "--log-format", "xml")]


@pytest.mark.parametrize(("any_face", "option", "value"), OPTIONS, indirect=["any_face"])
def test_2_for_an_option_that_is_not_there(any_face: Service, option: str, value: str) -> None:
    code, child = any_face.run("amqp://127.0.0.1//", option, value)
    assert code == 2, child.output
    assert "Traceback" not in child.output


VARIABLES = [("cli", "TYPED_PUBSUB_LOG_LEVEL"), ("flask", "TYPED_PUBSUB_LOG_FORMAT"), ("django", "TYPED_PUBSUB_STATS")]


@pytest.mark.parametrize(("any_face", "name"), VARIABLES, indirect=["any_face"])
def test_2_for_a_wrong_option_in_the_environment(any_face: Service, name: str) -> None:
    code, child = any_face.run("amqp://127.0.0.1//", env={name: "loud"})
    assert code == 2, child.output
    assert "'loud' is not" in child.output


def test_3_when_there_is_no_broker_within_the_timeout(any_face: Service, nobody_there: str) -> None:
    code, child = any_face.run(nobody_there, connect_timeout=1)
    assert code == 3, child.output
    assert "within 1 s" in error_line(child)
    assert "s3cret" not in child.output


def test_10_when_the_queue_is_refused(any_face: Service, vhost_url: str) -> None:
    with broker(vhost_url) as connection:
        connection.default_channel.queue_declare("a-queue", exclusive=True)
        code, child = any_face.run(vhost_url)
    assert code == 10, child.output
    assert "the broker refused queue 'a-queue'" in error_line(child)


def test_10_when_a_permission_is_missing(service: Service, vhost_url: str) -> None:
    # A name that RabbitMQ keeps for itself is refused to anyone, as any name is to a user without the permission.
    code, child = service.run(vhost_url, exchange="amq.mine")
    assert code == 10, child.output
    assert "the broker refused exchange 'amq.mine' (the user lacks a permission)" in error_line(child)


def test_1_for_the_unexpected_and_its_traceback_is_shown(any_face: Service) -> None:
    code, child = any_face.run("amqp://127.0.0.1//", get_celery_app="service.broken")
    assert code == 1, child.output
    assert child.stderr[-1] == "RuntimeError: no app today"
    assert "Traceback (most recent call last):" in child.output


def test_4_after_too_many_faults_in_a_row(service: Service, vhost_url: str) -> None:
    need(redis_available())
    with (
        RedisNode() as redis,
        service.start(vhost_url, env={"CELERY_BROKER": redis.url}, max_faults=2) as child,
    ):
        child.wait_for("consuming")
        redis.kill()
        publish(vhost_url, "a.key", GOOD)
        assert child.wait() == 4, child.output
    assert "2 faults in a row" in error_line(child)
    assert queue_state(vhost_url, "a-queue").message_count == 1, "the event is kept"


def test_143_at_once_on_the_second_sigterm(service: Service, vhost_url: str) -> None:
    need(redis_available())
    with (
        RedisNode() as redis,
        service.start(vhost_url, env={"CELERY_BROKER": redis.url}, drain_timeout=600) as child,
    ):
        child.wait_for("consuming")
        redis.kill()
        publish(vhost_url, "a.key", GOOD)
        child.wait_for("Celery's broker", "fault")
        child.signal(signal.SIGTERM)
        # It consumes no more, and goes on trying to settle what it has in hand.
        eventually(lambda: queue_state(vhost_url, "a-queue").consumer_count == 0)
        assert child.alive
        assert child.terminate() == 128 + signal.SIGTERM, child.output
    eventually(lambda: queue_state(vhost_url, "a-queue").message_count == 1, what="the event, back in its queue")
