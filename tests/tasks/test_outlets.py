"""Where tasks leave: what is declared on the way, and what a fault there says of whom."""

from typing import Any

import pytest
from amqp.exceptions import NotFound

from tests.support.amqp import TIMEOUT
from tests.support.rabbit import eventually
from tests.support.services import celery_app
from typed_pubsub.brokers.confirms import Nacked, Returned, Taken, refused_publish
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.tasks.builder import TaskBuilder, TaskMessage
from typed_pubsub.tasks.outlets import describe_refusal
from typed_pubsub.tasks.plain import PlainTaskOutlet
from typed_pubsub.tasks.task_outlet import AmqpTaskOutlet, task_outlet
from typed_pubsub.testing.nodes import RedisNode


def nothing() -> None: ...


def built(app: Any, **options: Any) -> TaskMessage:
    (message,) = TaskBuilder(app).build(TaskCall("a.task", options=options), {})
    return message


class Late:
    """A queue whose declaration is answered only after the news that a task before it was refused."""

    name = "late"

    def __init__(self, outlet: AmqpTaskOutlet[int], refused: Any) -> None:
        self._outlet = outlet
        self._refused = refused

    def __call__(self, channel: Any) -> "Late":
        self._channel = channel
        return self

    def declare(self) -> None:
        self._outlet.put(0, self._refused)
        eventually(lambda: self._channel.queue_declare("late") and None)


def test_the_news_of_a_refused_task_is_not_taken_for_a_refused_declaration(vhost_url: str) -> None:
    app = celery_app(vhost_url)
    outlet: AmqpTaskOutlet[int] = task_outlet(app)  # type: ignore[assignment]
    outlet.open(TIMEOUT)
    refused = outlet.prepare(built(app, exchange="no_exchange", routing_key="a.key"))
    message, ready = outlet.prepare(built(app))
    late = TaskMessage(
        message.body, message.content, message.headers, message.properties, declare=(Late(outlet, refused),)
    )
    with pytest.raises(NotFound) as raised:
        outlet.put(1, (late, ready))
    assert refused_publish(raised.value)
    outlet.close()
    assert outlet.take_outcomes() == {}


def test_a_queue_is_declared_once_a_connection_and_again_when_it_is_asked_for(vhost_url: str) -> None:
    app = celery_app(vhost_url)
    outlet: AmqpTaskOutlet[int] = AmqpTaskOutlet(app)
    message = outlet.prepare(built(app))
    outlet.open(TIMEOUT)

    def sent() -> object:
        outlet.put(1, message)
        outlet.flush(TIMEOUT, nothing)
        return outlet.take_outcomes()[1]

    assert sent() == Taken()
    outlet._open_channel().link.channel().queue_delete("celery")
    assert isinstance(sent(), Returned)
    outlet.redeclare(message)
    assert sent() == Taken()
    outlet.close()
    with pytest.raises(ConnectionError, match="closed"):
        outlet.put(1, message)


def test_the_outlet_fits_the_broker(vhost_url: str, redis_node: RedisNode) -> None:
    assert isinstance(task_outlet(celery_app(vhost_url)), AmqpTaskOutlet)
    assert isinstance(task_outlet(celery_app(redis_node.url)), PlainTaskOutlet)


def test_a_refusal_is_told_in_one_phrase() -> None:
    assert describe_refusal(Returned("NO_ROUTE")) == "returned (NO_ROUTE)"
    assert describe_refusal(Nacked()) == "nacked"
