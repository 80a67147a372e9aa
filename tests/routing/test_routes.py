"""Typed routes: what a handler may return, and which local tasks a route is known to call."""

from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any

import pytest
from celery import Celery, chain, shared_task
from celery.canvas import Signature

from tests.routing.kit import Paid, bill, calls, dead, decide, ship
from typed_pubsub import task
from typed_pubsub.routing import DeadLetter, Skip, TaskCall, TaskMapping, call
from typed_pubsub.routing.routes import TypedRoute

app = Celery("routes", set_as_current=False)
MODULE = __name__


@shared_task
def pack(number: int) -> None: ...


@task(app)
def weigh(number: int) -> None: ...


def returning(value: Any) -> TaskMapping:
    mapping = TaskMapping()
    mapping.on(Paid, name="r")(lambda event: value)
    return mapping


def names(value: Any) -> list[str]:
    return [made.task.rpartition(".")[2] for made in calls(decide(returning(value)))]


def test_a_handler_returns_one_call_or_several_or_a_generator() -> None:
    one = call(ship, 1)
    assert names(one) == ["ship"]
    assert names([one, call(bill, 1)]) == ["ship", "bill"]
    assert names((one, one)) == ["ship", "ship"]
    assert names(iter([one])) == ["ship"]


def test_signatures_and_calls_may_be_mixed() -> None:
    assert names(pack.si(1)) == ["pack"]
    assert names([pack.s(1).set(countdown=2), call(ship, 1)]) == ["pack", "ship"]
    (made,) = calls(decide(returning(pack.s(1).set(countdown=2, task_id="x"))))
    assert made == TaskCall(f"{MODULE}.pack", (1,), {}, {"countdown": 2, "task_id": "x"}, local=True)


def test_a_handler_that_returns_no_call_skips_the_event() -> None:
    nothings: list[Any] = [None, [], (), iter(())]
    for nothing in nothings:
        assert decide(returning(nothing)) == Skip("no condition holds")


@pytest.mark.parametrize(
    "wrong",
    [
        5,
        0,
        False,
        "abc",
        "",
        b"",
        {},
        {"args": [1]},
        object(),
        ship,
        [None],
        [5],
        [[]],
        ["a"],
        [call(ship, 1), {}],
    ],
)
def test_anything_else_is_a_mapping_error_that_names_route_and_type(wrong: Any) -> None:
    verdict = dead(decide(returning(wrong)))
    given = next((one for one in wrong if not isinstance(one, TaskCall)), None) if isinstance(wrong, list) else wrong
    assert verdict.reason == "mapping_error"
    assert verdict.detail.startswith("route r: TypeError at typed_pubsub.routing.routes:")
    assert verdict.private == f"route 'r': expected a TaskCall or a Signature, got {type(given).__name__}"


def test_a_chain_is_a_mapping_error() -> None:
    verdict = dead(decide(returning([call(ship, 1), chain(pack.si(1), pack.si(2))])))
    assert (verdict.reason, verdict.private[:30]) == ("mapping_error", "a route returned a chain: only")


def test_a_generator_that_raises_after_its_first_call_schedules_nothing() -> None:
    mapping = TaskMapping()

    @mapping.on(Paid)
    def broken(event: Paid) -> Iterator[TaskCall]:
        yield call(ship, event.number)
        raise LookupError("secret")

    where = f"LookupError at {MODULE}:{broken.__code__.co_firstlineno + 3} in broken"
    name = f"{MODULE}.{broken.__qualname__}"
    assert decide(mapping) == DeadLetter("mapping_error", f"route {name}: {where}", "secret")


def test_a_signature_of_a_task_without_options_is_no_trap_for_truth() -> None:
    assert names(Signature(task="t")) == ["t"]


def local_tasks(handler: Callable[..., Any]) -> set[str]:
    return {name.rpartition(".")[2] for name in TypedRoute("r", (Paid,), handler).local_tasks()}


def test_the_tasks_that_a_handler_names_are_known() -> None:
    def both(event: Paid) -> list[TaskCall]:
        return [call(pack, event.number), call(weigh, event.number), call(ship, event.number)]

    assert local_tasks(both) == {"pack", "weigh"}


def test_the_tasks_inside_of_comprehensions_and_lambdas_are_known_too() -> None:
    def many(event: Paid) -> list[TaskCall]:
        send: Callable[[int], TaskCall] = lambda number: call(weigh, number)  # noqa: E731
        return [call(pack, number) for number in range(event.number)] + [send(1)]

    assert local_tasks(many) == {"pack", "weigh"}


def test_the_tasks_that_a_handler_closes_over_are_known() -> None:
    @task(app, name="closed")
    def closed(number: int) -> None: ...

    def handler(event: Paid) -> TaskCall:
        return call(closed, event.number)

    assert local_tasks(handler) == {"closed"}


def test_a_name_that_is_not_filled_yet_is_no_task() -> None:
    def handler(event: Paid) -> TaskCall:
        return call(later, event.number)

    assert local_tasks(handler) == set()

    @task(app, name="later")
    def later(number: int) -> None: ...

    assert local_tasks(handler) == {"later"}


def test_a_decorated_handler_is_looked_through() -> None:
    def logged(handler: Callable[[Paid], TaskCall]) -> Callable[[Paid], TaskCall]:
        @wraps(handler)
        def inner(event: Paid) -> TaskCall:
            return handler(event)

        return inner

    assert local_tasks(logged(lambda event: call(pack, event.number))) == {"pack"}


def test_of_a_handler_that_is_no_function_nothing_is_known() -> None:
    assert local_tasks(partial(lambda event: call(pack, event.number))) == set()


def test_a_one_liner_knows_its_task_and_a_remote_one_is_not_local() -> None:
    mapping = TaskMapping()
    mapping.route(Paid).to(pack, lambda e, send: send(e.number))
    mapping.route(Paid).to(ship, lambda e, send: send(e.number))
    assert [route.local_tasks() for route in mapping.routes] == [{f"{MODULE}.pack"}, set()]


def test_all_tasks_of_a_route_are_told_those_of_other_services_too() -> None:
    mapping = TaskMapping()

    @mapping.on(Paid)
    def both(event: Paid) -> list[TaskCall]:
        return [call(pack, event.number), call(ship, event.number)]

    mapping.route(Paid).to(ship, lambda e, send: send(e.number))
    row = {"routing_key": "a.#", "task": "a.task", "should_schedule": lambda *_: True, "get_args": lambda *_: ([], {})}
    mapping.add_legacy([row])
    assert [route.tasks() for route in mapping.routes] == [{f"{MODULE}.pack", ship.name}, {ship.name}, {"a.task"}]
