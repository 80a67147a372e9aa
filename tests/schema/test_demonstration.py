"""The demonstration of docs/evolution.md, run as it stands there, and on RabbitMQ to its end."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from kombu.utils.json import loads as kombu_loads

from tests.subscriber.kit import EXCHANGE, reaches, settings
from tests.support.amqp import take_all
from tests.support.children import ROOT
from tests.support.commands import command
from tests.support.services import running
from typed_pubsub import Publisher, PubSubConfig, Registry, TaskMapping, remote_task

pytestmark = pytest.mark.once

PAGE = ROOT / "docs" / "evolution.md"
BLOCK = re.compile(r"^```(py|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, str]]:
    """The files and the terminals of the page, in turn."""
    return BLOCK.findall(PAGE.read_text())


def write(directory: Path, text: str) -> None:
    name = text.partition("\n")[0].removeprefix("# ")
    (directory / name).parent.mkdir(exist_ok=True)
    (directory / name).write_text(text)


def played(terminal: str, directory: Path) -> Iterator[str]:
    """The terminal anew: its commands with what they print now."""
    for line in terminal.splitlines():
        if line.startswith("$ "):
            program, *arguments = shlex.split(line.removeprefix("$ "))
            assert program == "typed-pubsub"
            yield line
            yield from command(*arguments, cwd=directory)[1]


def record(directory: Path) -> None:
    """Bodies of an event that has no class yet: 40 of which 10 lack the reason."""
    orders = [UUID(int=number, version=4) for number in range(40)]
    bodies: list[dict[str, Any]] = []
    for number, order in enumerate(orders):
        body = {"order": str(order), "at": "2026-11-01T09:30:00Z", "cents": 5 * number}
        bodies.append(body if number % 4 == 0 else {**body, "reason": ("withdrawn", "sold out")[number % 2]})
    (directory / "recorded.ndjson").write_text("\n".join(map(json.dumps, bodies)))


def test_the_demonstration_prints_what_the_page_shows(tmp_path: Path) -> None:
    terminals = 0
    record(tmp_path)
    for kind, text in steps():
        if kind == "py":
            write(tmp_path, text)
        else:
            terminals += 1
            assert list(played(text, tmp_path)) == text.splitlines()
    assert terminals == 6


def event_of(text: str, registry: Registry) -> Any:
    """The class of a file of the page, in a registry of its own."""
    members: dict[str, Any] = {"registry": registry, "__name__": "shop.events"}
    exec(text.replace('"shop.order.placed"', '"shop.order.placed", registry=registry'), members)
    return members["OrderPlaced"]


@remote_task("shop.tasks.bill")
def bill(order_id: int, amount: int) -> None: ...


def test_events_of_both_versions_are_scheduled_on_rabbitmq(vhost_url: str) -> None:
    files = [text for kind, text in steps() if kind == "py"]
    before, after = Registry(), Registry()
    first, last = event_of(files[0], before), event_of(files[-1], after)
    mapping = TaskMapping()
    mapping.route(last).to(bill, lambda event, send: send(event.order_id, event.amount))
    config = PubSubConfig(broker_url=vhost_url, exchange=EXCHANGE, publish_timeout=60)
    with running(settings(vhost_url, task_mapping=mapping), after) as subscriber:
        with Publisher(config, registry=before) as old, Publisher(config, registry=after) as new:
            old.publish(first(order_id=1, total=10))
            new.publish(last(order_id=2, amount=20))
        reaches(subscriber, scheduled=2)
    assert sorted(kombu_loads(task.body)[0] for task in take_all(vhost_url, "celery")) == [[1, 10], [2, 20]]
