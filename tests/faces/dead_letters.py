"""A service with dead letters, and the command that looks at them."""

import json
from collections.abc import Callable
from typing import Any

from celery import Celery
from click.testing import CliRunner, Result

from tests.routing.kit import row
from tests.support.amqp import take_all
from tests.support.dead_letters import event
from tests.support.services import celery_app
from typed_pubsub import Event, PubSubConfig, TaskMapping
from typed_pubsub.cli.commands import main
from typed_pubsub.cli.service import Service
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.routing import DeadLetter

KEY = "dlq.orders.placed"
UNKNOWN = DeadLetter("unknown_event", "no route or row wants this key")
Run = Callable[..., Result]


class OrderPlaced(Event, routing_key=KEY):
    number: int


def should_schedule(key: str, body: Any) -> bool:
    if body["number"] == 13:
        raise LookupError("unlucky")
    return bool(body["number"] != 14)


MAPPING = TaskMapping().add_legacy([row(KEY, "a_task", should_schedule=should_schedule)])


def order(number: Any) -> Delivery:
    body = json.dumps({"number": number}).encode()
    return event(number if isinstance(number, int) else 0, KEY, body)


def running(url: str, mapping: TaskMapping = MAPPING, app: Celery | None = None) -> Run:
    config = PubSubConfig(mapping, lambda: app if app is not None else celery_app(url), url, "events", "q")

    def run(*args: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, ["dlq", *args], obj=Service(lambda: config), input=text)

    return run


def ids(result: Result) -> list[str]:
    """Of a listing as JSON."""
    return [line["event_id"] for line in json.loads(result.stdout)["letters"]]


def left(url: str, queue: str = "q.dlq") -> list[int]:
    """The numbers of the orders in a queue, which are taken out."""
    return [json.loads(bytes(found.body))["number"] for found in take_all(url, queue)]
