"""What changes after a template was made is in the next message, and what differs between calls is never mixed up."""

import threading
import warnings
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import kombu.serialization
import kombu.utils.json as kombu_json
import pytest
from celery.local import Proxy
from kombu import Exchange, Queue
from pydantic import BaseModel

from tests.support.children import ROOT, run
from tests.tasks.building import CALL, OURS, REMOTE, app_of, one, ready, takes_any, templated
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.tasks import watch
from typed_pubsub.tasks.builder import TaskBuilder


def test_routes_that_change_are_honoured() -> None:
    routes = {"tasks.any": {"queue": "first"}}
    app = app_of(task_routes=routes)
    builder = ready(app)
    assert one(builder).routing_key == "first"
    routes["tasks.any"]["queue"] = "in place"
    assert one(builder).routing_key == "in place"
    app.conf.update(task_routes={"tasks.any": {"queue": "updated", "priority": 7}})
    assert one(builder).routing_key == "updated"
    assert one(builder).content["priority"] == 7
    router: Any = app.amqp.router
    router.routes.insert(0, lambda name, args=None, *more, **named: {"queue": f"inserted-{args}"})
    for argument in (1, 2, 3):
        call = TaskCall("tasks.any", (argument,), local=True)
        assert one(builder, call).routing_key == f"inserted-({argument},)"


def test_what_celery_keeps_of_its_settings_may_be_set_anew() -> None:
    app = app_of(task_routes={"tasks.any": {"priority": 2}})
    builder = ready(app)
    amqp: Any = app.amqp
    amqp.default_queue = Queue("another", Exchange("topics", "topic"), routing_key="a.key")
    assert (one(builder).exchange, one(builder).routing_key) == ("topics", "a.key")


def test_queues_that_change_are_honoured() -> None:
    app = app_of(task_queues=[Queue("celery", Exchange("topics", "topic"), routing_key="one")])
    builder = ready(app)
    assert (one(builder).exchange, one(builder).routing_key) == ("topics", "one")
    app.amqp.queues["celery"].routing_key = "two"
    assert one(builder).routing_key == "two"
    other = Queue("celery", Exchange("others", "topic"), routing_key="three")
    app.amqp.queues.add(other)
    assert one(builder).exchange == "others"
    assert one(builder).declare == (other,)


def test_an_alias_that_comes_to_mean_another_queue_is_honoured() -> None:
    app = app_of(
        task_queues=[Queue("celery"), Queue("first", Exchange("one", "topic"), routing_key="k", alias="alias")]
    )
    call = TaskCall("elsewhere.task", options={"queue": "alias"})
    builder = ready(app, call)
    assert one(builder, call).exchange == "one"
    app.amqp.queues.add(Queue("second", Exchange("two", "topic"), routing_key="k", alias="alias"))
    assert one(builder, call).exchange == "two"


def test_settings_that_change_are_honoured() -> None:
    app = app_of()
    builder = ready(app)
    app.conf.task_repr_maxlevels = 1
    assert one(builder, TaskCall("tasks.any", ([1],), local=True)).headers["argsrepr"] == "([...],)"
    app.conf.task_default_queue = "another"
    assert one(builder).routing_key == "another"
    app.conf.task_send_sent_event = True
    assert len(builder.build(CALL, OURS)) == 2
    app.conf.update(task_send_sent_event=False, task_always_eager=True)
    with pytest.raises(RuntimeError, match="published nothing"):
        builder.build(CALL, OURS)
    for _ in range(3):
        with pytest.warns(Warning, match="task_always_eager"):
            builder.build(REMOTE, OURS)


def test_so_are_those_of_a_module_a_little_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_READ_AGAIN", 0.0)
    module: Any = ModuleType("a_celeryconfig")
    module.task_default_queue = "first"
    app = app_of()
    app.config_from_object(module)
    builder = ready(app)
    assert one(builder).routing_key == "first"
    module.task_default_queue = "second"
    assert one(builder).routing_key == "second"


def test_a_change_of_a_task_is_honoured() -> None:
    app = app_of(declared={"typing": False})
    builder = ready(app)
    task: Any = app.tasks["tasks.any"]
    task.ignore_result = False
    assert one(builder).headers["ignore_result"] is False
    task.soft_time_limit, task.time_limit = 9, 5
    with pytest.raises(ValueError, match="soft_time_limit"):
        one(builder)
    del app.tasks["tasks.any"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app.task(name="tasks.any", shared=False, priority=3)(takes_any)
        assert one(builder).content["priority"] == 3
    assert one(builder, TaskCall("tasks.any")).content["priority"] == 3


def test_a_type_registered_with_kombus_json_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    untyped: Any = kombu_json
    for table in ("_encoders", "_decoders"):
        monkeypatch.setattr(untyped, table, dict(getattr(untyped, table)))
    builder = ready(app_of())
    call = TaskCall("tasks.any", (SimpleNamespace(a=1),), local=True)
    with pytest.raises(Exception, match="SimpleNamespace"):
        one(builder, call)
    untyped.register_type(SimpleNamespace, "space", vars, lambda found: SimpleNamespace(**found))
    assert templated(builder, call)
    assert '{"__type__": "space", "__value__": {"a": 1}}' in one(builder, call).body


class Model(BaseModel):
    number: int


def takes_model(model: Model) -> None: ...


def test_models_go_to_a_pydantic_task_as_celery_sends_them() -> None:
    app = app_of()
    app.task(name="tasks.model", shared=False, pydantic=True)(takes_model)
    call = TaskCall("tasks.model", (Model(number=1),), local=True)
    plain = one(TaskBuilder(app), call)
    builder = ready(app, TaskCall("tasks.model", ({"number": 7},), local=True))
    message = one(builder, call)
    assert templated(builder, call)
    assert message.body == plain.body
    assert message.headers["argsrepr"] == plain.headers["argsrepr"]


def test_a_thread_has_its_own_address_for_replies() -> None:
    app = app_of()
    builder = ready(app)
    found: list[Any] = []

    def other() -> None:
        found.extend([one(builder).properties["reply_to"], app.thread_oid, templated(builder)])

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert found == [found[1], found[1], True]
    assert one(builder).properties["reply_to"] == app.thread_oid != found[1]


def test_a_child_process_is_the_origin_of_what_it_sends() -> None:
    program = (
        "import os\n"
        "from tests.tasks.building import CALL, OURS, REMOTE, app_of, one, ready\n"
        "builder = ready(app_of())\n"
        "before = one(builder).headers['origin']\n"
        "if os.fork() == 0:\n"
        "    after = one(builder).headers['origin']\n"
        "    print(after == before.replace(str(os.getppid()), str(os.getpid())) != before, flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    child = run("-c", program, cwd=ROOT)
    assert child.stdout == ["True"], child.output


def test_an_id_is_made_where_a_call_has_none() -> None:
    call = TaskCall("tasks.any", local=True)
    builder = ready(app_of(), call)
    first, second = one(builder, call), one(builder, call)
    assert first.headers["id"] != second.headers["id"]
    assert second.headers["id"] == second.headers["root_id"] == second.properties["correlation_id"]


def test_no_message_shares_with_another_what_can_be_changed() -> None:
    plain = one(TaskBuilder(app := app_of()))
    builder = TaskBuilder(app)
    for _ in range(4):
        message = one(builder)
        assert message == plain
        message.headers["timelimit"].append(1)
        message.headers["stamps"]["a"] = 1
        message.headers["more"] = message.properties["more"] = 1


def test_the_last_few_hundred_shapes_are_kept() -> None:
    builder = TaskBuilder(app_of())
    for number in range(1_200):
        call = TaskCall("elsewhere.task", options={"routing_key": f"customer-{number}", "exchange": "e"})
        one(builder, call)
        assert templated(builder, call)
        assert len(builder._templates) <= 500


def test_shapes_that_are_equal_to_python_are_not_to_amqp() -> None:
    builder = TaskBuilder(app_of())
    for _ in range(2):
        for limit in (5, 5.0, True, 1, 1.0, 0.0, -0.0):
            call = TaskCall("elsewhere.task", options={"time_limit": limit})
            assert repr(one(builder, call).headers["timelimit"]) == repr([limit, None])


def test_a_task_by_name_and_by_itself_are_two() -> None:
    builder = TaskBuilder(app_of(declared={"ignore_result": True}))
    for _ in range(2):
        for local, ignored in ((True, True), (False, None)):
            assert one(builder, TaskCall("tasks.any", local=local)).headers["ignore_result"] is ignored


def test_headers_of_one_call_are_not_those_of_another() -> None:
    builder = TaskBuilder(app_of())
    plain = one(builder).headers
    for _ in range(2):
        for theirs in ({"mine": 1, "lang": "x", "timelimit": "x"}, {}, {"lang": "y"}, {"timelimit": [1]}, None):
            call = CALL.using(headers=theirs)  # type: ignore[arg-type]
            assert one(builder, call).headers == {**plain, **(theirs or {}), **OURS}
    assert builder.build(CALL, {})[0].headers == {name: plain[name] for name in plain if name not in OURS}


def test_a_serializer_that_a_route_names_is_celerys_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(body: Any) -> str:
        return kombu_json.dumps(body) if body[0] == (0,) else "in its own way"

    untyped: Any = kombu.serialization
    # Copies: to unregister it would take the reader of its content type, and so of json, along.
    for name in ("_encoders", "_decoders", "type_to_name", "name_to_type"):
        monkeypatch.setattr(untyped.registry, name, getattr(untyped.registry, name).copy())
    kombu.serialization.register("own", encode, str, "application/json", "utf-8")
    builder = TaskBuilder(app_of(task_routes={"elsewhere.task": {"serializer": "own"}}))
    bodies = [one(builder, TaskCall("elsewhere.task", (number,))).body for number in range(3)]
    assert bodies[1:] == ["in its own way"] * 2


def test_types_that_a_setting_does_not_keep_go_in_their_json_form() -> None:
    builder = TaskBuilder(app_of(task_serializer="yaml", task_routes={"elsewhere.task": {"serializer": "json"}}))
    for value in ("x", UUID(int=7), UUID(int=8)):
        assert one(builder, TaskCall("elsewhere.task", (value,))).body.startswith(f'[["{value}"]')


def test_a_task_of_another_app_is_sent_by_that_app() -> None:
    app, other = app_of(), app_of(task_default_queue="of-the-other")
    other.task(name="tasks.others", shared=False)(takes_any)
    app.tasks.register(other.tasks["tasks.others"])
    builder = TaskBuilder(app)
    call = TaskCall("tasks.others", options={"reply_to": "a-queue"}, local=True)
    assert [one(builder, call).routing_key for _ in range(3)] == ["of-the-other"] * 3
    other.conf.task_default_queue = "changed"
    assert one(builder, call).routing_key == "changed"


def test_an_app_by_proxy_has_templates_too() -> None:
    app = app_of()
    proxy: Any = Proxy(lambda: app)
    assert templated(ready(proxy))
