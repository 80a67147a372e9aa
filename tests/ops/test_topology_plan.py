"""What is declared against what was found: a model of a broker to which the steps are applied, and single cases."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typed_pubsub.ops.topology.plan import (
    Bind,
    CreateExchange,
    CreateQueue,
    Migrate,
    Plan,
    Step,
    Unbind,
    plan,
    standing,
)
from typed_pubsub.ops.topology.values import (
    Binding,
    Declared,
    Exchange,
    Found,
    FoundExchange,
    FoundQueue,
    Queue,
    migrating,
)

QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 50}
DECLARED = Declared(
    Exchange("events"), (Queue("q.dlq"), Queue("q")), ("a.b", "c.*"), {"a.b": ("A -> one",), "c.*": ("C -> two",)}
)
BOUND = (Binding("events", "q", "a.b"), Binding("events", "q", "c.*"))


def there(declared: Declared = DECLARED, *bindings: Binding, **arguments: dict[str, Any]) -> Found:
    """A broker that has what is declared, with other ``arguments`` of some queues and more ``bindings``."""
    queues = [Queue(queue.name, arguments.get(queue.name, queue.arguments)) for queue in declared.queues]
    return Found(
        FoundExchange("events", declared.exchange),
        {queue.name: FoundQueue(queue.name, 0, 0, 0, queue) for queue in queues},
        (*declared.bindings, *bindings),
    )


def applied(found: Found, steps: tuple[Step, ...]) -> Found:
    """The same broker after these steps."""
    for step in steps:
        match step:
            case CreateExchange(exchange):
                found = replace(found, exchange=FoundExchange(exchange.name, exchange))
            case CreateQueue(queue):
                assert queue.name not in found.queues
                found = with_queue(found, queue)
            case Bind(binding):
                assert binding.queue in found.queues, "bound only when it is there"
                found = replace(found, bindings=(*(found.bindings or ()), binding))
            case Unbind(binding):
                found = replace(found, bindings=tuple(b for b in found.bindings or () if b != binding))
            case Migrate(queue, bindings):
                home = migrating(queue.name)
                found = replace(found, queues={n: q for n, q in found.queues.items() if n not in (home, queue.name)})
                others = tuple(b for b in found.bindings or () if b.queue not in (home, queue.name))
                found = replace(with_queue(found, queue), bindings=(*others, *bindings))
    return found


def with_queue(found: Found, queue: Queue) -> Found:
    return replace(found, queues={**found.queues, queue.name: FoundQueue(queue.name, 0, 0, 0, queue)})


KEYS = st.lists(st.sampled_from(["a", "a.b", "a.*", "c.#", "#", "*.b", "x.y"]), unique=True, max_size=4)
ARGUMENTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, QUORUM, {"x-max-length": 5}, {"x-queue-type": "quorum"}]
)


@st.composite
def declarations(draw: st.DrawFn) -> Declared:
    if draw(st.booleans()):
        return Declared(Exchange("events"))
    arguments = draw(ARGUMENTS)
    return Declared(Exchange("events"), (Queue("q.dlq"), Queue("q", arguments)), tuple(draw(KEYS)))


@st.composite
def brokers(draw: st.DrawFn) -> Found:
    names = draw(st.lists(st.sampled_from(["q", "q.dlq", "q.migrating", "q.dlq.migrating"]), unique=True))
    queues = {name: FoundQueue(name, 3, 0, 0, Queue(name, draw(ARGUMENTS), draw(st.booleans()))) for name in names}
    bound = [
        Binding(exchange, name, key)
        for name in names
        if not name.startswith("q.dlq")
        for exchange in ("events", "other")
        for key in draw(KEYS)
    ]
    has_exchange = bool(bound) or draw(st.booleans())
    exchange = FoundExchange("events", Exchange("events")) if has_exchange else None
    return Found(exchange, queues, tuple(bound))


@given(declarations(), brokers())
def test_after_the_steps_of_a_plan_there_is_nothing_to_do(declared: Declared, found: Found) -> None:
    steps = plan(declared, found, prune=True, migrate=True).steps
    assert plan(declared, applied(found, steps), prune=True, migrate=True) == Plan((), (), ())


@given(declarations(), brokers(), st.booleans())
def test_no_plan_takes_anything_away_that_a_route_wants(declared: Declared, found: Found, migrate: bool) -> None:
    def bound(state: Found) -> Iterator[str]:
        queues = {queue.name for queue in declared.queues}
        return (b.key for b in state.bindings or () if b.exchange == "events" and b.queue in queues)

    after = set(bound(applied(found, plan(declared, found, prune=True, migrate=migrate).steps)))
    assert set(declared.keys) <= after


@given(declarations(), brokers(), st.booleans())
def test_without_prune_no_binding_goes(declared: Declared, found: Found, migrate: bool) -> None:
    after = applied(found, plan(declared, found, migrate=migrate).steps)
    assert {(b.exchange, b.key) for b in found.bindings or ()} <= {(b.exchange, b.key) for b in after.bindings or ()}


def test_on_an_empty_broker_all_is_made_in_an_order_that_works() -> None:
    steps = plan(DECLARED, Found(None, {}, ())).steps
    assert [str(step) for step in steps] == [
        "create exchange 'events' (topic, durable)",
        "create queue 'q.dlq' (classic, durable)",
        "create queue 'q' (classic, durable)",
        "bind queue 'q' to exchange 'events' with key 'a.b'",
        "bind queue 'q' to exchange 'events' with key 'c.*'",
    ]


def test_where_all_is_there_is_nothing_to_do() -> None:
    assert plan(DECLARED, there()).nothing_to_do


def test_a_mere_publisher_declares_the_exchange_alone() -> None:
    assert plan(Declared(Exchange("events")), Found(None, {}, ())).steps == (CreateExchange(Exchange("events")),)


@pytest.mark.parametrize("key", ["x.y", "a.#", "#", "a", "*.*"])
def test_a_binding_is_stale_that_brings_what_no_route_wants(key: str) -> None:
    stale = Binding("events", "q", key)
    found = there(DECLARED, stale)
    kept, pruned = plan(DECLARED, found), plan(DECLARED, found, prune=True)
    assert (kept.steps, kept.stale, kept.nothing_to_do) == ((), (stale,), False)
    assert (pruned.steps, pruned.stale) == ((Unbind(stale),), ())


@pytest.mark.parametrize("key", ["c.x", "c.*"])
def test_a_binding_of_which_routes_want_all_is_not_stale(key: str) -> None:
    assert plan(DECLARED, there(DECLARED, Binding("events", "q", key)), prune=True).nothing_to_do


def test_a_binding_of_another_exchange_is_left_alone() -> None:
    other = Binding("other", "q", "x.y")
    assert plan(DECLARED, there(DECLARED, other), prune=True).nothing_to_do
    assert standing(other, DECLARED, there()) == "other"


def test_the_keys_of_an_exchange_that_is_no_topic_exchange_tell_nothing() -> None:
    stray = Binding("events", "q", "x.y")
    found = replace(there(DECLARED, stray), exchange=FoundExchange("events", Exchange("events", "fanout")))
    made = plan(DECLARED, found, prune=True)
    assert (made.steps, made.stale) == ((), ())
    assert str(made.differences[0]).startswith("exchange 'events': type is fanout, declared topic; used as it is")


def test_what_cannot_be_changed_is_a_difference_each_and_with_migrate_a_step() -> None:
    declared = replace(DECLARED, queues=(Queue("q.dlq"), Queue("q", QUORUM)))
    found = there(declared, q={"x-max-length": 5})
    (difference,) = plan(declared, found).differences
    assert str(difference) == (
        "queue 'q': x-queue-type is classic, declared quorum; x-delivery-limit is none, declared 50; x-max-length is 5,"
        " declared none; used as it is; apply --migrate makes it anew"
    )
    made = plan(declared, found, migrate=True)
    assert (made.steps, made.differences) == ((Migrate(Queue("q", QUORUM), BOUND, begun=False),), ())


def test_the_type_classic_may_be_named_or_not() -> None:
    assert plan(DECLARED, there(q={"x-queue-type": "classic"})).nothing_to_do


def test_a_migration_carries_all_bindings_but_those_that_are_pruned() -> None:
    declared = replace(DECLARED, queues=(Queue("q.dlq"), Queue("q", QUORUM)))
    stale, other = Binding("events", "q", "x.y"), Binding("other", "q", "x", {"n": 1})
    found = there(declared, stale, other, q={})
    (step,) = plan(declared, found, migrate=True).steps
    assert isinstance(step, Migrate)
    assert set(map(str, step.bindings)) == set(map(str, (*BOUND, stale, other)))
    unbind, step = plan(declared, found, migrate=True, prune=True).steps
    assert isinstance(step, Migrate)
    assert unbind == Unbind(stale)
    assert set(map(str, step.bindings)) == set(map(str, (*BOUND, other)))


def test_an_interrupted_migration_is_told_and_finished_with_what_is_bound_there() -> None:
    declared = replace(DECLARED, queues=(Queue("q.dlq"), Queue("q", QUORUM)))
    home = FoundQueue("q.migrating", 12, 0, 0, Queue("q.migrating", QUORUM))
    found = Found(
        FoundExchange("events", declared.exchange),
        {"q.dlq": FoundQueue("q.dlq", 0, 0, 0, Queue("q.dlq")), "q.migrating": home},
        (Binding("other", "q.migrating", "x"),),
    )
    unfinished = "queue 'q.migrating': it is there with 12 messages, declared not; apply --migrate finishes"
    assert any(str(difference).startswith(unfinished) for difference in plan(declared, found).differences)
    made = plan(declared, found, migrate=True)
    assert made.steps == (Migrate(Queue("q", QUORUM), (*BOUND, Binding("other", "q", "x")), begun=True),)
    assert not made.differences


def test_bindings_that_cannot_be_listed_are_no_reason_to_do_anything() -> None:
    found = replace(there(), bindings=None)
    assert plan(DECLARED, found, prune=True).nothing_to_do
    assert standing(BOUND[0], DECLARED, found) == "not known"


def test_what_the_broker_does_not_tell_is_no_difference() -> None:
    found = Found(FoundExchange("events"), {name: FoundQueue(name, 0, 0) for name in ("q", "q.dlq")}, DECLARED.bindings)
    assert plan(DECLARED, found, migrate=True).nothing_to_do
