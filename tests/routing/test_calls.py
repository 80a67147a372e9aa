"""TaskCall, call(), remote_task() and Signatures: arguments and options are checked before anything is sent."""

import inspect
import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from celery import Celery, Task, chain, chord, group, shared_task
from celery.canvas import Signature

from typed_pubsub import task
from typed_pubsub.routing import TaskCall, call, remote_task
from typed_pubsub.routing.calls import IGNORED_OPTIONS, REFUSED_OPTIONS, CallOptions, from_signature, is_task

app = Celery("calls", set_as_current=False)


@shared_task
def shared(a: int, b: str = "", *, c: bool = False) -> None: ...


@shared_task(bind=True)
def bound(self: Task[Any, Any], a: int) -> None: ...


@shared_task(typing=False)
def unchecked(a: int) -> None: ...


@app.task(bind=True)
def app_bound(self: Any, a: int) -> None: ...


@app.task
def app_task(a: int) -> None: ...


@task(app, name="named", acks_late=True)
def named(a: int) -> None: ...


@remote_task("other.tasks.index", queue="other", countdown=2)
def remote(a: int, *more: int, key: str = "") -> None:
    """Indexes."""
    raise AssertionError("a remote task is never called")


def test_a_call_of_a_local_task_is_its_name_and_arguments() -> None:
    assert call(shared, 1, "x", c=True) == TaskCall(f"{__name__}.shared", (1, "x"), {"c": True}, options={}, local=True)
    assert call(app_task, 1) == TaskCall(f"{__name__}.app_task", (1,), local=True)
    assert call(named, a=1) == TaskCall("named", kwargs={"a": 1}, local=True)


def test_a_call_of_a_remote_task_has_its_options_and_is_not_local() -> None:
    made = call(remote, 1, 2, 3, key="x")
    assert made == TaskCall("other.tasks.index", (1, 2, 3), {"key": "x"}, {"queue": "other", "countdown": 2})
    made.options["queue"] = "changed"
    assert call(remote, 1).options["queue"] == "other"


def test_a_bound_task_is_called_without_its_self() -> None:
    assert call(bound, 1).args == (1,)
    of_app: Any = app_bound
    assert call(of_app, 1).args == (1,)


@pytest.mark.parametrize("local", [shared, bound, app_task, app_bound, named])
@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, "", 3, 4), {}), ((1,), {"z": 1}), ((1,), {"a": 1})])
def test_arguments_that_do_not_fit_are_refused_at_the_call(local: Any, args: Any, kwargs: Any) -> None:
    with pytest.raises(TypeError, match="argument"):
        call(local, *args, **kwargs)


def test_a_task_without_typing_takes_anything() -> None:
    anything: Any = unchecked
    assert call(anything, 1, 2, z=3).kwargs == {"z": 3}


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1,), {"z": 1}), ((1,), {"a": 1})])
def test_arguments_that_do_not_fit_a_remote_task_are_refused_by_name(args: Any, kwargs: Any) -> None:
    anything: Any = remote
    with pytest.raises(TypeError, match=r"^other\.tasks\.index\(\) (missing a required|got an unexpected|multiple)"):
        call(anything, *args, **kwargs)


SIGNATURES: list[Callable[..., None]] = [
    lambda: None,
    lambda a, b=0: None,
    lambda a, /, b, c=0: None,
    lambda a=0, /, b=0: None,
    lambda a, *, c, d=0: None,
    lambda a, *more, c=0: None,
    lambda a=0, /, **rest: None,
    lambda *more, **rest: None,
]


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda one: str(inspect.signature(one)))
def test_a_remote_task_takes_what_its_signature_takes(signature: Callable[..., None]) -> None:
    anything: Any = remote_task("t")(signature)
    for count, names in itertools.product(
        range(4), itertools.chain(*(itertools.combinations("abcd", n) for n in range(5)))
    ):
        args, kwargs = (1,) * count, dict.fromkeys(names, 1)
        try:
            inspect.signature(signature).bind(*args, **kwargs)
        except TypeError as error:
            with pytest.raises(TypeError, match=rf"^t\(\) {re.escape(str(error))}$"):
                call(anything, *args, **kwargs)
        else:
            assert call(anything, *args, **kwargs) == TaskCall("t", args, kwargs)


def test_a_remote_task_shows_its_name_signature_and_docstring() -> None:
    assert repr(remote) == "<remote task other.tasks.index(a: int, *more: int, key: str = '') -> None>"
    assert remote.__doc__ == "Indexes."
    assert not callable(remote)


def test_an_unknown_option_of_a_remote_task_is_refused_when_it_is_declared() -> None:
    declare: Any = remote_task
    with pytest.raises(TypeError, match="unknown task options: prioritee, queu"):
        declare("x", queu="q", prioritee=1)


def test_using_gives_a_new_call_with_options_over_those_it_has() -> None:
    first = call(remote, 1)
    second = first.using(countdown=5, priority=3)
    assert first.options == {"queue": "other", "countdown": 2}
    assert second.options == {"queue": "other", "countdown": 5, "priority": 3}
    assert second.using().options == second.options
    assert call(remote, 1).options == {"queue": "other", "countdown": 2}


def test_every_option_of_the_typed_dict_is_taken_and_none_of_the_publishing() -> None:
    everything: Any = dict.fromkeys(CallOptions.__annotations__)
    assert TaskCall("t").using(**everything).options == everything
    assert not (IGNORED_OPTIONS | REFUSED_OPTIONS) & CallOptions.__annotations__.keys()


@pytest.mark.parametrize("name", sorted(IGNORED_OPTIONS | REFUSED_OPTIONS | {"countdwn"}))
def test_any_other_option_is_refused(name: str) -> None:
    using: Any = TaskCall("t").using
    with pytest.raises(TypeError, match=f"unknown task options: {name}"):
        using(**{name: 1})


def test_a_call_is_a_frozen_value() -> None:
    made: Any = call(shared, 1)
    assert made == call(shared, 1)
    with pytest.raises(AttributeError):
        made.task = "other"


def test_a_plain_signature_is_read_as_a_value() -> None:
    eta = datetime(2026, 1, 1, tzinfo=UTC)
    signature = shared.s(1, c=True).set(countdown=3, eta=eta, queue="q", priority=1, task_id="mine", retry=False)
    options = {"countdown": 3, "eta": eta, "queue": "q", "priority": 1, "task_id": "mine"}
    made = from_signature(signature)
    assert made == TaskCall(f"{__name__}.shared", (1,), {"c": True}, options, local=True)
    made.options["queue"] = "changed"
    assert signature.options["queue"] == "q"


def test_an_immutable_signature_and_one_by_name_are_read_too() -> None:
    assert from_signature(shared.si(1)) == TaskCall(f"{__name__}.shared", (1,), local=True)
    assert from_signature(app.signature("elsewhere", args=(1,), kwargs={"b": 2})).task == "elsewhere"


@pytest.mark.parametrize(
    ("kind", "signature"),
    [
        ("chain", chain(shared.si(1), shared.si(2))),
        ("chain", shared.si(1) | shared.si(2)),
        ("group", group(shared.si(1), shared.si(2))),
        ("chord", chord([shared.si(1), shared.si(2)], shared.si(3))),
    ],
)
def test_more_than_one_message_is_refused_by_kind(kind: str, signature: Any) -> None:
    with pytest.raises(TypeError, match=f"^a route returned a {kind}: only single tasks can be confirmed"):
        from_signature(signature)


def test_a_signature_without_a_task_is_refused() -> None:
    with pytest.raises(TypeError, match="a route returned a Signature without a task"):
        from_signature(Signature())


def test_a_signature_with_a_producer_of_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match="options producer: the message is published by typed_pubsub"):
        from_signature(Signature("t", options={"producer": object()}))


class Unruly:
    @property
    def name(self) -> str:
        raise RuntimeError("working outside of application context")


class Nameless:
    name = None

    def apply_async(self) -> None: ...


def test_a_task_is_known_by_name_and_apply_async() -> None:
    assert is_task(shared)
    assert is_task(app_task)
    assert not any(is_task(value) for value in (remote, Task, Unruly(), Nameless(), None, "name", UUID(int=1)))
