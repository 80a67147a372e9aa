"""Rows of the classic list: what they may hold, what is refused and how it is named, what their callables get."""

from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest
from celery import Celery

from tests.routing.kit import calls, dead, decide, deliver, row
from typed_pubsub.errors import DefinitionError
from typed_pubsub.routing import Skip, TaskCall, TaskMapping

app = Celery("rows", set_as_current=False)


@app.task
def local_task(body: Any) -> None: ...


def sent(made: TaskCall) -> tuple[str, tuple[Any, ...], dict[str, Any], dict[str, Any]]:
    options = {name: value for name, value in made.options.items() if name != "task_id"}
    return made.task, made.args, made.kwargs, options


def of(*rows: Any, key: str = "no.model", body: Any = None) -> list[TaskCall]:
    return calls(decide(TaskMapping().add_legacy(rows), deliver(key, body)))


@pytest.mark.parametrize("name", ["routing_key", "task", "should_schedule", "get_args"])
def test_a_row_that_lacks_a_key_is_named(name: str) -> None:
    lacking = row()
    del lacking[name]
    with pytest.raises(DefinitionError, match=rf"^PUBSUB_TASK_MAPPING\[1\]: lacks '{name}'$"):
        TaskMapping().add_legacy([row(), lacking])


def test_every_key_that_is_missing_is_named() -> None:
    with pytest.raises(DefinitionError, match=r"\[0\]: lacks 'task', 'should_schedule', 'get_args'$"):
        TaskMapping().add_legacy([{"routing_key": "a"}])


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("routing_key", 5, "expected a str, got int"),
        ("routing_key", "x" * 256, "'x+'... is not a key: it takes 256 bytes"),
        ("routing_key", "\ud800", "cannot be written as UTF-8"),
        ("task", None, "expected a str, got NoneType"),
        ("should_schedule", True, r"expected a callable of \(routing_key, body\), got bool"),
        ("get_args", ([], {}), r"expected a callable of \(routing_key, body\), got tuple"),
        ("celery_kwargs", 5, "expected a dict or a callable, got int"),
        ("celery_kwargs", None, "expected a dict or a callable, got NoneType"),
        (
            "celery_kwargs",
            {"producer": 1, "connection": 2},
            "options connection, producer: the message is published by",
        ),
    ],
)
def test_a_wrong_value_is_named_by_row_and_key(name: str, value: Any, problem: str) -> None:
    with pytest.raises(DefinitionError, match=rf"^PUBSUB_TASK_MAPPING\[0\]\['{name}'\]: .*{problem}"):
        TaskMapping().add_legacy([row(**{name: value})])


@pytest.mark.parametrize("wrong", ["a", 5, None, [("routing_key", "a")]])
def test_what_is_no_dict_is_named_by_its_place(wrong: Any) -> None:
    with pytest.raises(DefinitionError, match=r"^PUBSUB_TASK_MAPPING\[1\]: expected a dict, got "):
        TaskMapping().add_legacy([row(), wrong])


def test_any_mapping_will_do_for_a_row() -> None:
    TaskMapping().add_legacy([OrderedDict(row("a")), MappingProxyType(row("b"))])


def test_a_key_may_be_anything_that_rabbitmq_takes() -> None:
    for key in ("", "#", "*.*", "é ß..x", "a b/c"):
        TaskMapping().add_legacy([row(key)])
    assert len(of(row("é ß..#"), key="é ß..x")) == 1


def test_a_task_object_stands_for_its_name() -> None:
    made = of({**row("#"), "task": local_task})
    assert [(made.task, made.local) for made in made] == [(local_task.name, False)]


def test_the_callables_get_key_and_body_by_position() -> None:
    seen: list[Any] = []

    def remember(answer: Any) -> Any:
        def callback(*args: Any) -> Any:
            seen.append(args)
            return answer

        return callback

    given = row("#", should_schedule=remember(True), get_args=remember(([], {})), celery_kwargs=remember({}))
    of(given, key="a.b", body={"x": [1, None]})
    assert seen == [("a.b", {"x": [1, None]})] * 3


def test_a_row_whose_condition_says_no_is_asked_nothing_more() -> None:
    never = row("#", should_schedule=lambda key, body: 0, get_args=lambda key, body: 1 // 0)
    assert decide(TaskMapping().add_legacy([never]), deliver("a")) == Skip("no condition holds")


def test_celery_kwargs_are_a_callable_a_dict_or_nothing() -> None:
    made = of(
        row("#", "t1"),
        row("#", "t2", celery_kwargs={"countdown": 10}),
        row("#", "t3", celery_kwargs=lambda routing, body: {"queue": body["q"]}),
        row("#", "t4", celery_kwargs=lambda routing, body: None),
        body={"q": "fast"},
    )
    assert [sent(one)[3] for one in made] == [{}, {"countdown": 10}, {"queue": "fast"}, {}]


def test_options_of_the_publishing_itself_are_ignored_where_they_do_no_harm() -> None:
    options = {"retry": True, "retry_policy": {}, "add_to_parent": True, "countdown": 1}
    assert sent(of(row("#", celery_kwargs=options))[0])[3] == {"countdown": 1}


def test_options_that_lead_past_the_confirms_are_a_mapping_error_where_a_callable_gives_them() -> None:
    mapping = TaskMapping().add_legacy([row("#", celery_kwargs=lambda key, body: {"producer": 1})])
    assert dead(decide(mapping, deliver("a"))).reason == "mapping_error"


@pytest.mark.parametrize(
    ("given", "args", "kwargs"),
    [
        (([], {}), (), {}),
        (([1, 2], {"a": 3}), (1, 2), {"a": 3}),
        (((1,), {}), (1,), {}),
        ((None, None), (), {}),
        ([[1], {"a": 1}], (1,), {"a": 1}),
    ],
)
def test_args_and_kwargs_are_what_apply_async_takes(given: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    (made,) = of(row("#", get_args=lambda key, body: given))
    assert (made.args, made.kwargs) == (args, kwargs)


@pytest.mark.parametrize("given", [None, 5, ([],), ([], {}, 1), ("abc", {}), ([], [("a", 1)]), ({}, []), (5, {})])
def test_other_args_are_a_mapping_error(given: Any) -> None:
    mapping = TaskMapping().add_legacy([row("#", get_args=lambda key, body: given)])
    verdict = dead(decide(mapping, deliver("a")))
    assert verdict.reason == "mapping_error"
    assert verdict.detail.startswith("route #->t: ")


def test_several_rows_that_match_are_each_a_task_in_list_order() -> None:
    made = of(row("a.#", "t1"), row("b.#", "t2"), row("*.x", "t3"), row("a.x", "t1"), key="a.x")
    assert [one.task for one in made] == ["t1", "t3", "t1"]
    assert len({one.options["task_id"] for one in made}) == 3


def test_a_row_says_nothing_of_models_or_local_tasks() -> None:
    (route,) = TaskMapping().add_legacy([row("a.#", "t")]).routes
    assert (route.events, route.local_tasks(), route.binding_keys) == ((), set(), ("a.#",))
