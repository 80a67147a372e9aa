"""One event, one mapping and one subscriber, as most tests of the hand-off need them."""

from collections.abc import Callable, Iterable
from typing import Any

from kombu.utils.json import loads as kombu_loads

from tests.support.amqp import linked, message, send, take_all
from tests.support.rabbit import eventually
from tests.support.services import celery_app
from typed_pubsub import Publisher, PubSubConfig, Registry, StructEvent, Subscriber, TaskCall, TaskMapping
from typed_pubsub.brokers.topology import Topology

EXCHANGE, QUEUE, DEAD = "an_exchange", "a_queue", "a_queue.dlq"
REGISTRY = Registry()


class Happened(StructEvent, routing_key="app.happened", registry=REGISTRY):
    """Something that causes a task with its number, in the queue that it names."""

    number: int
    queue: str = "celery"
    size: int = 0


def happened_call(event: Happened) -> TaskCall:
    missing = {"exchange": "no_exchange", "routing_key": "a.key"}
    options = missing if event.queue == "no_exchange" else {"queue": event.queue}
    return TaskCall("a.task", (event.number, "x" * event.size), {}, options)


def mapping(handler: Callable[[Happened], Any] = happened_call, name: str = "a_route") -> TaskMapping:
    made = TaskMapping()
    made.on(Happened, name=name)(handler)
    return made


def settings(url: str, handler: Callable[[Happened], Any] = happened_call, **given: Any) -> PubSubConfig:
    """``celery_url`` where Celery's broker is another one."""
    app = celery_app(given.pop("celery_url", url))
    defaults = {"task_mapping": mapping(handler), "get_celery_app": lambda: app, "publish_timeout": 60.0}
    return PubSubConfig(**{**defaults, "broker_url": url, "exchange": EXCHANGE, "queue_name": QUEUE, **given})


def publish(url: str, events: Iterable[Happened], **context: str) -> int:
    config = PubSubConfig(broker_url=url, exchange=EXCHANGE, publish_timeout=60, source="a-service")
    with Publisher(config, registry=REGISTRY) as publisher:
        return publisher.publish_many(events, **context)


def publish_one(url: str, number: int, event_id: str | None = None, **fields: Any) -> None:
    config = PubSubConfig(broker_url=url, exchange=EXCHANGE, publish_timeout=60, source="a-service")
    with Publisher(config, registry=REGISTRY) as publisher:
        publisher.publish(Happened(number=number, **fields), event_id=event_id)


def send_foreign(url: str, number: int, **properties: Any) -> None:
    """As the replaced library publishes: no headers, no id."""
    send(url, EXCHANGE, "app.happened", message(b'{"number": %d}' % number, **properties))


def prepared(url: str) -> None:
    """The queue with its binding, before any subscriber."""
    with linked(url) as link:
        Topology(EXCHANGE, QUEUE, ("app.happened",)).ensure(link)


def tasks(url: str, queue: str = "celery") -> list[tuple[int, str]]:
    """Number and id of each task that is in the queue, taken out of it."""
    return [(kombu_loads(task.body)[0][0], task.headers["id"]) for task in take_all(url, queue)]


def reaches(subscriber: Subscriber, timeout: float = 60.0, **outcomes: int) -> None:
    """Waits until the subscriber has counted these outcomes; ``dead_lettered`` for dead-lettered."""
    wanted = {name.replace("_", "-"): count for name, count in outcomes.items()}
    eventually(
        lambda: all(subscriber.outcomes.get(name, 0) == count for name, count in wanted.items()),
        timeout=timeout,
        what=f"{wanted} of {subscriber.outcomes}",
    )
