"""Three versions of one key side by side on a real broker, and one route, for the newest."""

from typing import Any

from kombu.utils.json import loads as kombu_loads

from tests.subscriber.kit import DEAD, EXCHANGE, reaches, settings
from tests.support.amqp import message, send, take_all
from tests.support.services import running
from typed_pubsub import Event, Publisher, PubSubConfig, Registry, StructEvent, TaskMapping, remote_task, upcast
from typed_pubsub.events import EventType

REGISTRY = Registry()


class PlacedV1(Event, routing_key="{shop}.order.placed", registry=REGISTRY):
    shop: str
    number: int


class PlacedV2(StructEvent, routing_key="{shop}.order.placed", version=2, registry=REGISTRY):
    shop: str
    order: int


class Placed(Event, routing_key="{shop}.order.placed", version=3, registry=REGISTRY):
    shop: str
    order_id: int


@upcast.body(Placed, version=1)
def v1_to_v2(body: dict[str, Any]) -> dict[str, Any]:
    return {"order": body["number"]}


@upcast
def v2_to_v3(old: PlacedV2) -> Placed:
    return Placed(shop=old.shop, order_id=old.order)


@remote_task("a.task")
def a_task(shop: str, order_id: int) -> None: ...


mapping = TaskMapping()
mapping.route(Placed).to(a_task, lambda e, send: send(e.shop, e.order_id))


def test_three_versions_side_by_side_are_each_scheduled_once_and_a_body_that_does_not_fit_is_a_dead_letter(
    vhost_url: str,
) -> None:
    with (
        running(settings(vhost_url, task_mapping=mapping), REGISTRY) as subscriber,
        Publisher(PubSubConfig(broker_url=vhost_url, exchange=EXCHANGE, publish_timeout=60), registry=REGISTRY) as old,
    ):
        events: list[EventType] = [
            PlacedV1(shop="a", number=1),
            PlacedV2(shop="b", order=2),
            Placed(shop="c", order_id=3),
        ]
        assert old.publish_many(events) == 3
        headers = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "s1"}
        unfit = b'{"shop":"d","order":"hunter2"}'
        send(vhost_url, EXCHANGE, "d.order.placed", message(unfit, {**headers, "ce-schemaversion": "2"}))
        reaches(subscriber, scheduled=3, dead_lettered=1)
    assert sorted(kombu_loads(task.body)[0] for task in take_all(vhost_url, "celery")) == [["a", 1], ["b", 2], ["c", 3]]
    (dead,) = take_all(vhost_url, DEAD)
    assert dead.body == unfit
    assert dead.headers["x-pubsub-reason"] == "invalid_body"
    assert dead.headers["x-pubsub-detail"] == "version 2: $.order: Expected `int`, got `str`"
