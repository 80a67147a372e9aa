"""TaskMapping: names of routes, repeated names, and what is refused when a route is declared."""

from functools import partial
from typing import Any

import pytest

from tests.routing.kit import Cancelled, Paid, Scored, bill, calls, decide, deliver, row, ship, table_of
from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.routing import Skip, TaskCall, TaskMapping, call


def handle(event: Paid) -> TaskCall:
    return call(ship, event.number)


def names(mapping: TaskMapping) -> list[str]:
    return [route.name for route in mapping.routes]


def test_a_route_is_named_after_its_handler() -> None:
    mapping = TaskMapping()
    assert mapping.on(Paid)(handle) is handle
    assert names(mapping) == ["tests.routing.test_mapping.handle"]
    assert repr(mapping) == "TaskMapping(tests.routing.test_mapping.handle)"


def test_a_name_that_is_given_wins() -> None:
    mapping = TaskMapping()
    mapping.on(Paid, name="first")(handle)
    mapping.on(Paid, name="second")(handle)
    mapping.route(Paid).to(bill, lambda e, send: send(e.number), name="third")
    assert names(mapping) == ["first", "second", "third"]


def test_a_one_liner_and_a_row_are_named_after_key_and_task() -> None:
    mapping = TaskMapping()
    mapping.route(Paid).to(bill, lambda e, send: send(e.number))
    mapping.add_legacy([row("orders.*", "shop.tasks.index")])
    assert names(mapping) == ["orders.paid->shop.tasks.bill", "orders.*->shop.tasks.index"]


def test_a_repeated_name_of_typed_routes_is_refused() -> None:
    mapping = TaskMapping()
    mapping.on(Paid)(handle)
    with pytest.raises(DefinitionError, match=r"a route named '.*handle' exists already: give one of them a name="):
        mapping.on(Paid)(handle)
    mapping.route(Paid).to(bill, lambda e, send: send(e.number))
    with pytest.raises(DefinitionError, match=r"'orders\.paid->shop\.tasks\.bill' exists already"):
        mapping.route(Paid).to(bill, lambda e, send: send(e.number))


def test_repeated_names_of_rows_are_numbered_in_list_order() -> None:
    mapping = TaskMapping().add_legacy([row("a", "t"), row("b", "t"), row("a", "t"), row("a", "t")])
    assert names(mapping) == ["a->t", "b->t", "a->t#2", "a->t#3"]
    mapping.add_legacy([row("a", "t")])
    assert names(mapping)[-1] == "a->t#4"


def test_a_row_gives_way_to_a_typed_route_of_its_name() -> None:
    mapping = TaskMapping()
    mapping.route(Paid).to(bill, lambda e, send: send(e.number))
    mapping.add_legacy([row("orders.paid", "shop.tasks.bill")])
    assert names(mapping) == ["orders.paid->shop.tasks.bill", "orders.paid->shop.tasks.bill#2"]


def test_a_handler_without_a_name_of_its_own_needs_one() -> None:
    mapping = TaskMapping()
    with pytest.raises(DefinitionError, match=r"give its route a name= \(partial\)"):
        mapping.on(Paid)(partial(handle))
    mapping.on(Paid, name="bound")(partial(handle))
    assert [made.task for made in calls(decide(mapping))] == ["shop.tasks.ship"]


@pytest.mark.parametrize("wrong", [dict, Event, StructEvent, 5, "orders.paid", handle])
def test_what_is_no_bound_event_is_refused(wrong: Any) -> None:
    with pytest.raises(DefinitionError, match=r"is abstract|is not an event"):
        TaskMapping().on(wrong)
    with pytest.raises(DefinitionError, match=r"is abstract|is not an event"):
        TaskMapping().route(wrong)


def test_a_route_needs_an_event() -> None:
    on: Any = TaskMapping().on
    with pytest.raises(DefinitionError, match="name at least one event"):
        on()


def test_a_route_of_two_events_runs_for_each_of_them_and_for_no_other() -> None:
    mapping = TaskMapping()

    @mapping.on(Paid, Cancelled)
    def both(event: Paid | Cancelled) -> TaskCall:
        return call(ship, event.number, note=type(event).__name__)

    assert [made.kwargs for made in calls(decide(mapping))] == [{"note": "Paid"}]
    assert [made.kwargs for made in calls(decide(mapping, deliver("orders.cancelled")))] == [{"note": "Cancelled"}]
    assert table_of(mapping).target("scores.changed").routes == ()


def test_an_event_that_is_named_twice_runs_its_route_once() -> None:
    mapping = TaskMapping()
    mapping.on(Paid, Paid)(handle)
    assert len(calls(decide(mapping))) == 1


def test_a_route_is_for_the_exact_model_and_not_for_its_subclasses() -> None:
    registry = Registry()

    class Base(Event, routing_key="a.base", registry=registry):
        number: int

    class Sub(Base, routing_key="a.sub", registry=registry):
        pass

    mapping = TaskMapping()
    mapping.on(Base)(lambda event: call(ship, event.number))
    table = table_of(mapping, registry=registry)
    assert table.target("a.base").routes == mapping.routes
    assert table.target("a.sub").routes == ()


def test_a_condition_is_asked_before_the_handler_runs() -> None:
    mapping = TaskMapping()

    @mapping.on(Paid, when=lambda e: e.note is not None)
    def noted(event: Paid) -> TaskCall:
        assert event.note is not None
        return call(ship, event.number, note=event.note)

    assert decide(mapping) == Skip("no condition holds")
    assert calls(decide(mapping, deliver("orders.paid", {"number": 1, "note": "x"})))[0].kwargs == {"note": "x"}


def test_a_one_liner_takes_options_condition_and_event_of_both_kinds() -> None:
    mapping = TaskMapping()
    mapping.route(Scored, when=lambda e: e.home > 1).to(ship, lambda e, send: send(e.home), priority=3, queue="fast")
    assert decide(mapping, deliver("scores.changed", {"home": 1})) == Skip("no condition holds")
    (made,) = calls(decide(mapping, deliver("scores.changed", {"home": 2})))
    assert (made.task, made.args, made.local) == ("shop.tasks.ship", (2,), False)
    assert made.options | {"task_id": ""} == {"queue": "fast", "priority": 3, "task_id": ""}


def test_an_unknown_option_of_a_one_liner_is_refused_when_it_is_declared() -> None:
    start: Any = TaskMapping().route(Paid)
    with pytest.raises(TypeError, match="unknown task options: countdwn"):
        start.to(ship, lambda e, send: send(e.number), countdwn=1)
