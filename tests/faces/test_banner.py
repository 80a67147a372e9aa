"""What a subscriber says when it starts."""

from dataclasses import replace

import pytest
from celery import Celery

from typed_pubsub import Event, PubSubConfig, Registry, TaskCall, TaskMapping, call, remote_task
from typed_pubsub.cli import banner
from typed_pubsub.ops.wiring import Wiring, wiring


class LongAgo(Event, routing_key="a.rather.long.key.of.a.rather.long.name", registry=Registry()):
    number: int


@remote_task("another.service.tasks.with_a_long_name")
def far_away(number: int) -> None: ...


mapping = TaskMapping()


@mapping.on(LongAgo)
def tell(event: LongAgo) -> TaskCall:
    return call(far_away, event.number)


mapping.add_legacy(
    [{"routing_key": "a.#", "task": "a.task", "should_schedule": lambda *_: True, "get_args": lambda *_: ([], {})}]
)
CONFIG = PubSubConfig(
    mapping, lambda: None, "amqp://me:s3cret@a-host/v;amqp://me:s3cret@b-host/v", "events", "a-queue", prefetch=1_000
)
TOLD = wiring(CONFIG, mapping.routes, Celery(broker="redis://:s3cret@cache/0", set_as_current=False), 2)
FACTS = """\
broker         amqp://me:**@a-host/v;amqp://me:**@b-host/v
exchange       events
queue          a-queue (classic)
prefetch       1,000
processes      2
Celery broker  redis://:**@cache/0
"""


def test_where_there_is_room_the_routes_are_a_table() -> None:
    route = f"{__name__}.tell"
    widest = f"a.rather.long.key.of.a.rather.long.name  LongAgo (v1)  {route}  another.service.tasks.with_a_long_name"
    assert banner.text(TOLD, None) == (
        f"{FACTS}\n"
        f"{'routing key':39}  event         {'route':{len(route)}}  tasks\n"
        f"{widest}\n"
        f"{'a.#':39}                {'a row':{len(route)}}  a.task"
    )
    assert banner.text(TOLD, len(widest)) == banner.text(TOLD, None)


def test_where_there_is_none_they_are_a_list_that_fits() -> None:
    told = banner.text(TOLD, 60)
    assert max(map(len, told.splitlines())) <= 60
    assert f"\na.rather.long.key.of.a.rather.long.name\n  LongAgo (v1) -> {__name__}.tell ->\n" in told
    assert told.endswith("    another.service.tasks.with_a_long_name\na.#\n  a row -> a.task")


@pytest.mark.parametrize("width", [60, None])
def test_of_many_routes_the_first_are_shown(width: int | None) -> None:
    many = replace(TOLD, routes=TOLD.routes * 100)
    lines = banner.text(many, width).splitlines()
    assert lines[-1] == "and 170 more: typed-pubsub topology show"
    assert len([line for line in lines if line.startswith("a.")]) == 30
    assert len(banner.fields(many)["routes"]) == 30
    assert banner.fields(many)["routes_in_all"] == 200


def test_no_password_is_told_in_any_form(capsys: pytest.CaptureFixture[str]) -> None:
    for told in (banner.text(TOLD, 60), banner.summary(TOLD), str(banner.fields(TOLD))):
        assert "s3cret" not in told
        assert "a-host" in told
        assert "cache/0" in told


def test_the_summary_is_one_line() -> None:
    assert "\n" not in banner.summary(TOLD)
    assert "by 2 routes" in banner.summary(TOLD)


def test_the_embedded_broker_has_one_kind_of_queue() -> None:
    config = PubSubConfig(mapping, lambda: None, "sqlite:///a.db", "events", "a-queue", queue_type="quorum")
    told: Wiring = wiring(config, (), Celery(set_as_current=False))
    assert (told.queue_type, told.processes, told.routes) == ("embedded", 1, ())
