"""The steps of a plan, taken: each one can be taken again, and changes nothing then."""

from collections.abc import Callable
from typing import Any, assert_never

from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.topology import add_bindings, ensure_bindings, ensure_exchange, ensure_queue, remove_bindings
from typed_pubsub.ops.connect import connected
from typed_pubsub.ops.topology.migrate import Migration, in_use
from typed_pubsub.ops.topology.plan import Bind, CreateExchange, CreateQueue, Migrate, Plan, Unbind
from typed_pubsub.ops.topology.values import Declared, Found


def apply(
    url: str, plan: Plan, declared: Declared, tell: Callable[[str], Any], advance: Callable[[int], Any] = lambda _: None
) -> None:
    """Takes the steps of a plan, one after the other.

    Args:
        url: of the event broker.
        plan: what to do.
        declared: whose bindings are all made sure of, for they may be such as could not be listed.
        tell: called with each step before it is taken, and with those of which a migration consists.
        advance: called with how many more messages a migration has moved.

    Raises:
        TopologyRefused: the broker refuses a step; those before it are taken.
        ConnectFailed: no connection, or it broke.
    """
    with connected(url) as link:
        for step in plan.steps:
            if not isinstance(step, Migrate):
                tell(str(step))
                _take(link, step)
    for step in plan.steps:
        if isinstance(step, Migrate):
            Migration(url, step.queue, step.bindings, tell, advance).run()
    with connected(url) as link:
        for queue in declared.queues[-1:]:
            ensure_bindings(link, queue.name, declared.exchange.name, declared.keys)


def obstacles(plan: Plan, found: Found, *, declared_bindings_only: bool) -> tuple[str, ...]:
    """What forbids the migrations of a plan now, a sentence each; none where it has none."""
    moves = [step for step in plan.steps if isinstance(step, Migrate)]
    if not moves:
        return ()
    busy = [queue for queue in found.queues.values() if queue.consumers]
    told = [in_use(queue.name, queue.consumers) for queue in busy]
    if found.bindings is None and not declared_bindings_only and any(step.bindings for step in moves):
        told.append(
            "which bindings the queue has cannot be known, and those that are not declared would get lost: see to it"
            " that the management API answers (--management), or say --declared-bindings-only"
        )
    return tuple(told)


def _take(link: Link, step: CreateExchange | CreateQueue | Bind | Unbind) -> None:
    match step:
        case CreateExchange(exchange):
            ensure_exchange(link, exchange.name)
        case CreateQueue(queue):
            ensure_queue(link, queue.name, dict(queue.arguments))
        case Bind(binding):
            add_bindings(link, binding.queue, [(binding.exchange, binding.key, binding.arguments)])
        case Unbind(binding):
            remove_bindings(link, binding.queue, [(binding.exchange, binding.key, binding.arguments)])
        case _:
            assert_never(step)
