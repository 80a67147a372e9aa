"""Code that others put in Celery's road is run for every message, if it was there before a template or came after."""

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import celery._state
import celery.app.amqp
import kombu.serialization
import pytest
from celery import Celery, Task, signals
from celery.app.amqp import AMQP, Queues
from celery.app.routes import MapRoute, Router
from celery.backends.base import DisabledBackend
from kombu import Producer, Queue

from tests.tasks.building import CALL, REMOTE, app_of, one, ready, takes_any, templated
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.tasks.builder import TaskBuilder

Owner = Callable[[Celery], Any]

WRAPPED: dict[str, tuple[Owner, str, TaskCall]] = {
    "apply_async of every task": (lambda app: Task, "apply_async", CALL),
    "apply_async of a task's class": (lambda app: type(app.tasks["tasks.any"]), "apply_async", CALL),
    "apply_async of a task": (lambda app: app.tasks["tasks.any"], "apply_async", CALL),
    "shadow_name of every task": (lambda app: Task, "shadow_name", CALL),
    "shadow_name of a task": (lambda app: app.tasks["tasks.any"], "shadow_name", CALL),
    "options of every task": (lambda app: Task, "_get_exec_options", CALL),
    "results of a task": (lambda app: app.tasks["tasks.any"], "AsyncResult", CALL),
    "send_task of every app": (lambda app: Celery, "send_task", REMOTE),
    "send_task of every app, for a task of its own": (lambda app: Celery, "send_task", CALL),
    "send_task of an app": (lambda app: app, "send_task", REMOTE),
    "producer_or_acquire": (lambda app: Celery, "producer_or_acquire", REMOTE),
    "create_task_message": (lambda app: app.amqp, "create_task_message", REMOTE),
    "send_task_message": (lambda app: app.amqp, "send_task_message", REMOTE),
    "route": (lambda app: Router, "route", REMOTE),
    "route of an app's router": (lambda app: app.amqp.router, "route", REMOTE),
    "lookup_route": (lambda app: Router, "query_router", REMOTE),
    "MapRoute": (lambda app: MapRoute, "__call__", REMOTE),
    "publish": (lambda app: Producer, "publish", REMOTE),
    "_prepare": (lambda app: Producer, "_prepare", REMOTE),
    "saferepr": (lambda app: celery.app.amqp, "saferepr", REMOTE),
    "anon_nodename": (lambda app: celery.app.amqp, "anon_nodename", REMOTE),
}


def counting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[str]:
    """Replaces a function as tracing does: by a wrapper that passes for it."""
    runs: list[str] = []
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        runs.append(name)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, wrapper)
    return runs


@pytest.mark.parametrize("name", WRAPPED)
def test_what_is_wrapped_after_a_template_is_run_for_each_message(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, call = WRAPPED[name]
    app = app_of(task_routes={"elsewhere.*": {"queue": "q"}})
    builder = ready(app, call)
    plain = one(builder, call)
    with monkeypatch.context() as patched:
        runs = counting(patched, owner(app), attribute)
        for number in (1, 2, 3):
            assert one(builder, call) == plain
            assert len(runs) >= number
            runs[number:] = []
    assert one(builder, call) == plain
    assert templated(builder, call)


@pytest.mark.parametrize("name", WRAPPED)
def test_what_was_wrapped_before_is_run_for_each_message(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, call = WRAPPED[name]
    app = app_of(task_routes={"elsewhere.*": {"queue": "q"}})
    runs = counting(monkeypatch, owner(app), attribute)
    builder = TaskBuilder(app)
    for number in (1, 2, 3):
        one(builder, call)
        assert len(runs) >= number
        runs[number:] = []


def test_a_protocol_of_another_class_is_celerys_own_affair(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = counting(monkeypatch, AMQP, "as_task_v2")
    builder = TaskBuilder(app_of())
    for _ in range(3):
        one(builder)
    assert len(runs) == 3


@pytest.mark.parametrize("method", ["apply_async", "shadow_name"])
def test_a_base_class_has_its_say(method: str) -> None:
    class Base(Task[..., Any]):
        def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:  # type: ignore[override]
            shadow = f"shadow of {args}" if method == "apply_async" else None
            return super().apply_async(args, kwargs, shadow=shadow, **options)

        def shadow_name(self, args: Any, kwargs: Any, options: Any) -> Any:
            return f"shadow of {args}"

    if method == "shadow_name":
        del Base.apply_async
    else:
        del Base.shadow_name
    app = app_of()
    app.task(name="tasks.based", shared=False, base=Base)(takes_any)
    builder = TaskBuilder(app)
    for number in range(3):
        message = one(builder, TaskCall("tasks.based", (number,), local=True))
        assert message.headers["shadow"] == f"shadow of ({number},)"


SIGNALS = {"before_task_publish": 2, "after_task_publish": 2, "task_sent": 2}


@pytest.mark.parametrize("name", SIGNALS)
def test_a_receiver_gets_every_message_from_then_on(name: str) -> None:
    signal: Any = getattr(signals, name)
    seen: list[Any] = []

    def receiver(sender: Any, **named: Any) -> None:
        seen.append(sender)

    builder = ready(app_of())
    signal.connect(receiver)
    try:
        one(builder)
        one(builder)
        assert seen == ["tasks.any", "tasks.any"]
    finally:
        signal.disconnect(receiver)
    assert templated(builder)


def test_a_receiver_that_leaves_after_its_first_message_leaves_nothing_behind() -> None:
    def receiver(headers: dict[str, Any], **named: Any) -> None:
        headers["once"] = "x"
        signals.before_task_publish.disconnect(receiver)

    signals.before_task_publish.connect(receiver)
    builder = TaskBuilder(app_of())
    assert one(builder).headers["once"] == "x"
    assert "once" not in one(builder).headers
    assert templated(builder)
    assert "once" not in one(builder).headers


def test_a_router_is_asked_for_each_message() -> None:
    def by_argument(name: str, args: Any, kwargs: Any, options: Any, task: Any = None, **more: Any) -> Any:
        return {"queue": f"queue-{args[0]}"}

    class ByArgument:
        def route_for_task(self, name: str, args: Any = None, kwargs: Any = None) -> Any:
            return {"queue": f"queue-{args[0]}"}

    for router in (by_argument, ByArgument(), [{"other": "x"}, by_argument]):
        builder = TaskBuilder(app_of(task_routes=router))
        sent = [one(builder, TaskCall("elsewhere.task", (number,))).routing_key for number in range(3)]
        assert sent == ["queue-0", "queue-1", "queue-2"]


class Turns(Queues):
    turn = 0

    def __getitem__(self, name: str) -> Queue:
        self.turn += 1
        return Queue(f"{name}-{self.turn}")


def test_queues_of_ones_own_are_asked_for_each_message() -> None:
    app = app_of()
    amqp: Any = app.amqp
    amqp.queues_cls = Turns
    builder = TaskBuilder(app)
    assert len({one(builder, REMOTE).routing_key for _ in range(3)}) == 3


def test_wrong_arguments_are_refused_as_by_celery() -> None:
    app = app_of()
    call = TaskCall("tasks.two", (1,), local=True)
    builder = ready(app, call)
    for wrong in (TaskCall("tasks.two", local=True), TaskCall("tasks.two", (1, 2, 3), local=True)):
        with pytest.raises(TypeError) as theirs:
            app.tasks["tasks.two"].apply_async(wrong.args, wrong.kwargs)
        with pytest.raises(TypeError) as ours:
            one(builder, wrong)
        assert str(ours.value) == str(theirs.value)
    assert templated(builder, call)


def test_what_runs_in_a_task_has_it_as_its_parent() -> None:
    app = app_of()
    builder = ready(app)
    task: Any = app.tasks["tasks.two"]
    state: Any = celery._state
    state._task_stack.push(task)
    task.push_request(id="a-parent", root_id="a-root", called_directly=False)
    try:
        headers = one(builder).headers
        assert (headers["root_id"], headers["parent_id"]) == ("a-root", "a-parent")
    finally:
        task.pop_request()
        state._task_stack.pop()
    assert one(builder).headers["parent_id"] is None


class Parented(Celery):
    """As an app of one's own may know better what runs."""

    @property
    def current_worker_task(self) -> Any:
        return SimpleNamespace(request=SimpleNamespace(root_id="a-root", id="a-parent"))


def test_an_app_that_finds_parents_in_its_own_way_is_asked() -> None:
    app = app_of()
    app.__class__ = Parented
    builder = TaskBuilder(app)
    assert [one(builder).headers["parent_id"] for _ in range(3)] == ["a-parent"] * 3
    assert not templated(builder)


class Telling(DisabledBackend):
    told: list[str]

    def on_task_call(self, producer: Any, task_id: str) -> None:
        self.told.append(task_id)


def test_a_result_backend_of_ones_own_is_told_of_each_task(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(task_ignore_result=False)
    builder = ready(app)
    backend: Any = Telling(app)
    backend.told = []
    monkeypatch.setattr(app, "_backend_cache", backend)
    for _ in range(3):
        one(builder)
    assert backend.told == ["an-id"] * 3
    one(builder, TaskCall("tasks.any", options={"ignore_result": True}, local=True))
    assert len(backend.told) == 3


def test_a_json_of_ones_own_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = ready(app_of())
    untyped: Any = kombu.serialization
    registry = untyped.registry
    own = registry._encoders["json"]._replace(encoder=lambda value: f"own {value}")
    monkeypatch.setitem(registry._encoders, "json", own)
    assert one(builder).body.startswith("own ")
    assert one(builder).body.startswith("own ")
