"""Messages of task calls are those that Celery itself writes, but for ids, times and our headers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import celery.signals
import kombu.serialization
import pytest
from celery import Celery
from pydantic import BaseModel

from tests.support.amqp import declare, take_all
from tests.support.rabbit import eventually, queue_state
from tests.support.services import celery_app
from typed_pubsub import MisconfigurationException
from typed_pubsub.brokers.confirms import Taken
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.tasks.builder import TaskBuilder
from typed_pubsub.tasks.task_outlet import AmqpTaskOutlet

OURS = {"ce-id": "an-id", "ce-source": "a-service", "ce-type": "a.key", "ce-correlationid": "a-talk"}
#: Different from one message to the next, whoever sends it.
OWN = {"id", "root_id", "origin", "eta", "expires"}
SOON = datetime.now(UTC) + timedelta(days=1)


def add(first: object = None, *more: object, **named: object) -> None: ...


def app_with(url: str, **settings: Any) -> Celery:
    app = celery_app(url)
    app.conf.update(settings)
    app.task(name="tasks.add", shared=False)(add)
    app.task(name="tasks.busy", shared=False, expires=300, serializer="pickle", time_limit=9)(add)
    return app


def sent_by_us(app: Celery, call: TaskCall, after: int = 0) -> TaskBuilder:
    """``after`` as many that were only built."""
    builder, outlet = TaskBuilder(app), AmqpTaskOutlet[int](app)
    outlet.open(30)
    for _ in range(after):
        builder.build(call, {**OURS, "ce-id": "another"})
    messages = builder.build(call, OURS)
    for number, message in enumerate(messages):
        outlet.put(number, outlet.prepare(message))
    outlet.flush(30, lambda: None)
    assert outlet.take_outcomes() == dict.fromkeys(range(len(messages)), Taken())
    outlet.close()
    return builder


@dataclass(frozen=True)
class Case:
    """A call as a value, and the same one made by Celery itself."""

    call: TaskCall
    plain: Callable[[Celery], Any]
    queue: str = "celery"
    settings: Any = ()
    bound: Any = ()


def local(name: str, *args: Any, **options: Any) -> tuple[TaskCall, Callable[[Celery], Any]]:
    call = TaskCall(name, args, {"named": 1}, options, local=True)
    return call, lambda app: app.tasks[name].apply_async(args, {"named": 1}, **options)


def remote(name: str, *args: Any, **options: Any) -> tuple[TaskCall, Callable[[Celery], Any]]:
    call = TaskCall(name, args, {"named": 1}, options)
    return call, lambda app: app.send_task(name, args, {"named": 1}, **options)


LINKS = {
    "link": celery.Signature("tasks.after", args=(1,), app=Celery(set_as_current=False)),
    "link_error": celery.Signature("tasks.failed", app=Celery(set_as_current=False)),
}
CASES = {
    "a task by name": Case(*remote("elsewhere.task", 1, "two")),
    "a task of the app": Case(*local("tasks.add", 1, "two")),
    "options declared on the task": Case(*local("tasks.busy", 1)),
    "options over those declared": Case(*local("tasks.busy", priority=1, queue="other", serializer="json"), "other"),
    "a queue and a priority": Case(*remote("elsewhere.task", queue="other", priority=3), "other"),
    "countdown": Case(*local("tasks.add", countdown=100)),
    "eta and expires": Case(*local("tasks.add", eta=SOON, expires=SOON + timedelta(days=1))),
    "expires in seconds": Case(*remote("elsewhere.task", expires=500)),
    "time limits": Case(*remote("elsewhere.task", time_limit=5, soft_time_limit=4)),
    "headers": Case(*local("tasks.add", headers={"mine": "x", "ce-id": "not mine to set"})),
    "link and link_error": Case(*local("tasks.add", **LINKS)),
    "shadow and reprs": Case(*local("tasks.add", shadow="name", argsrepr="(...)", kwargsrepr="{...}")),
    "ignore_result and reply_to": Case(*local("tasks.add", ignore_result=True, reply_to="somewhere")),
    "transient": Case(*local("tasks.add", delivery_mode=1)),
    "compression": Case(*local("tasks.add", "x" * 2_000, compression="gzip")),
    "compression by setting": Case(*local("tasks.add", "x" * 2_000), settings={"task_compression": "bzip2"}),
    "serializer by setting": Case(*remote("elsewhere.task", {1, 2}), settings={"task_serializer": "pickle"}),
    "types of json": Case(*local("tasks.add", UUID(int=7), SOON, date(2024, 2, 29), time(1, 2), Decimal("1.50"))),
    "a route": Case(*local("tasks.add"), "routed", {"task_routes": {"tasks.*": {"queue": "routed", "priority": 2}}}),
    "a default queue": Case(*local("tasks.add"), "mine", {"task_default_queue": "mine"}),
    "an exchange and a key": Case(
        *remote("elsewhere.task", exchange="topics", routing_key="a.key"), "by-topic", bound={"topics": "a.#"}
    ),
    "protocol 1": Case(*remote("elsewhere.task"), settings={"task_protocol": 1}),
    "an own task id": Case(*local("tasks.add", task_id="mine")),
}
#: Of these Celery itself builds every message.
CELERYS = {
    "options declared on the task",    # pickle
    "link and link_error",
    "compression",
    "compression by setting",
    "serializer by setting",
    "protocol 1",
}  # fmt: skip


def comparable(message: Any) -> tuple[Any, ...]:
    headers = {name: value for name, value in message.headers.items() if name not in OWN and name not in OURS}
    properties = {name: value for name, value in message.properties.items() if name != "application_headers"}
    for own in ("correlation_id", "reply_to"):
        properties.pop(own, None)
    if "expiration" in properties:
        # Milliseconds that are left.
        properties["expiration"] = round(int(properties["expiration"]) / 60_000)
    info = {name: message.delivery_info[name] for name in ("exchange", "routing_key")}
    return headers, properties, info


@pytest.mark.parametrize("after", [0, 2], ids=["first", "third"])
@pytest.mark.parametrize("name", CASES)
def test_a_call_is_written_as_celery_itself_would(vhost_url: str, name: str, after: int) -> None:
    case = CASES[name]
    app = app_with(vhost_url, **dict(case.settings))
    if case.bound:
        declare(vhost_url, case.queue, **case.bound)
    case.plain(app)
    (plain,) = eventually(lambda: take_all(vhost_url, case.queue))  # Celery itself waits for no confirm
    builder = sent_by_us(app, case.call, after)
    (ours,) = take_all(vhost_url, case.queue)
    assert len(builder._templates) == (name not in CELERYS)
    pool: Any = app.pool
    pool.force_close_all()

    assert comparable(ours) == comparable(plain)
    if name == "protocol 1":
        # Its ids are in the body.
        assert ours.body[:20] == plain.body[:20]
        return
    assert ours.body == plain.body
    assert {header: ours.headers[header] for header in OURS} == OURS
    assert ours.headers["root_id"] == ours.headers["id"] == ours.properties["correlation_id"]
    if case.call.options.get("task_id"):
        assert ours.headers["id"] == plain.headers["id"] == "mine"
    for moment in ("eta", "expires"):
        mine, theirs = ours.headers[moment], plain.headers[moment]
        assert (mine is None) == (theirs is None)
        if mine is not None:
            assert abs(datetime.fromisoformat(mine) - datetime.fromisoformat(theirs)) < timedelta(seconds=20)


def test_what_a_signals_receiver_adds_is_written(vhost_url: str) -> None:
    seen: list[str] = []

    def stamp(sender: str, headers: dict[str, Any], properties: dict[str, Any], **_: Any) -> None:
        seen.append(sender)
        headers["stamp"] = "added"
        properties["app_id"] = "added"

    celery.signals.before_task_publish.connect(stamp)
    try:
        sent_by_us(app_with(vhost_url), TaskCall("elsewhere.task"))
    finally:
        celery.signals.before_task_publish.disconnect(stamp)
    (found,) = take_all(vhost_url, "celery")
    assert (found.headers["stamp"], found.properties["app_id"], seen) == ("added", "added", ["elsewhere.task"])


def test_celerys_own_events_of_sent_tasks_are_written_too(vhost_url: str) -> None:
    declare(vhost_url, "watching", celeryev="task.#")
    app = app_with(vhost_url, task_send_sent_event=True)
    sent_by_us(app, TaskCall("elsewhere.task", options={"task_id": "mine"}))
    (event,) = take_all(vhost_url, "watching")
    assert event.delivery_info["routing_key"] == "task.sent"
    assert b'"uuid": "mine"' in event.body
    assert len(take_all(vhost_url, "celery")) == 1


def test_celerys_own_event_is_not_mandatory(vhost_url: str) -> None:
    app = app_with(vhost_url, task_send_sent_event=True)
    task, event = TaskBuilder(app).build(TaskCall("elsewhere.task"), OURS)
    assert (task.mandatory, event.mandatory) == (True, False)
    assert event.exchange == "celeryev"


class Model(BaseModel):
    number: int


@pytest.fixture
def custom() -> Iterator[str]:
    """A serializer of which nothing is known."""
    kombu.serialization.register("custom", repr, str, "application/x-custom", "utf-8")
    yield "custom"
    kombu.serialization.unregister("custom")


def test_a_serializer_that_may_not_keep_types_gets_their_json_form(vhost_url: str, custom: str) -> None:
    app = app_with(vhost_url)
    arguments = (UUID(int=7), SOON, date(2024, 2, 29), time(1, 2), Decimal("1.50"), [{"n": UUID(int=8)}])
    sent_by_us(app, TaskCall("tasks.add", arguments, {"d": Decimal(1)}, {"serializer": custom}, local=True))
    (found,) = take_all(vhost_url, "celery")
    plain = (
        str(UUID(int=7)),
        SOON.isoformat().replace("+00:00", "Z"),
        "2024-02-29",
        "01:02:00",
        "1.50",
        [{"n": str(UUID(int=8))}],
    )
    assert found.properties["content_type"] == "application/x-custom"
    assert repr(plain) in found.body.decode()
    assert "{'d': '1'}" in found.body.decode()


@pytest.mark.parametrize(
    "options", [{"serializer": "no-such"}, {"compression": "no-such"}, {"countdown": "soon"}, {"priority": "high"}]
)
def test_an_option_that_celery_refuses_fails_before_anything_is_sent(vhost_url: str, options: dict[str, Any]) -> None:
    app = app_with(vhost_url)
    call = TaskCall("elsewhere.task", options=options)
    with pytest.raises(Exception, match=r"."):
        [AmqpTaskOutlet.prepare(message) for message in TaskBuilder(app).build(call, OURS)]
    assert take_all(vhost_url, "celery") == []


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"big": "x" * 140_000}},
        {"headers": {"a set": {1}}},
        {"routing_key": "k" * 256, "exchange": "e"},
        {"reply_to": "r" * 256},
    ],
    ids=["large headers", "a set", "long key", "long reply-to"],
)
def test_what_amqp_cannot_carry_fails_before_anything_is_sent(vhost_url: str, options: dict[str, Any]) -> None:
    (message,) = TaskBuilder(app_with(vhost_url)).build(TaskCall("elsewhere.task", options=options), OURS)
    with pytest.raises(Exception, match=r".") as raised:
        AmqpTaskOutlet.prepare(message)
    assert raised.type.__name__ in {"ValueError", "FrameSyntaxError", "error", "TypeError"}


def test_a_task_that_publishes_by_another_road_is_refused(vhost_url: str) -> None:
    app = app_with(vhost_url)

    class Elsewhere(app.Task):  # type: ignore[name-defined,misc]
        def apply_async(self, *args: Any, **options: Any) -> None: ...

    app.task(name="tasks.elsewhere", base=Elsewhere, shared=False)(add)
    with pytest.raises(RuntimeError, match="published nothing"):
        TaskBuilder(app).build(TaskCall("tasks.elsewhere", local=True), OURS)


def test_an_app_that_runs_tasks_at_once_is_refused(vhost_url: str) -> None:
    with pytest.raises(MisconfigurationException, match="task_always_eager"):
        TaskBuilder(app_with(vhost_url, task_always_eager=True))
    with pytest.raises(MisconfigurationException, match="expected a Celery app, got int"):
        TaskBuilder(7)


def test_a_result_backend_is_not_subscribed_to(redis_node: Any, vhost_url: str) -> None:
    app = app_with(vhost_url, result_backend=redis_node.url, task_ignore_result=False)
    sent_by_us(app, TaskCall("tasks.add", local=True))
    assert len(take_all(vhost_url, "celery")) == 1
    backend: Any = app.backend
    assert backend.client.pubsub_channels() == []
    assert backend.result_consumer._pubsub is None
    backend.client.close()


def test_tasks_are_sent_while_their_result_backend_is_away(vhost_url: str) -> None:
    app = app_with(vhost_url, result_backend="redis://127.0.0.1:1/0", task_ignore_result=False)
    sent_by_us(app, TaskCall("tasks.add", local=True))
    sent_by_us(app, TaskCall("elsewhere.task"))
    assert len(take_all(vhost_url, "celery")) == 2


def test_no_queue_is_declared_for_results_that_nobody_waits_for(vhost_url: str) -> None:
    app = app_with(vhost_url, result_backend="rpc://", task_ignore_result=False)
    sent_by_us(app, TaskCall("tasks.add", local=True))
    (task,) = take_all(vhost_url, "celery")
    assert task.properties["reply_to"] == app.thread_oid
    assert queue_state(vhost_url, app.thread_oid) is None
    app.tasks["tasks.add"].apply_async()
    assert queue_state(vhost_url, app.thread_oid) is not None, "as Celery itself does"
    pool: Any = app.pool
    pool.force_close_all()
