"""What ``topology show`` tells: a row for each thing, declared or found. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from typed_pubsub.ops.topology.plan import Aspect, Standing, exchange_aspects, queue_aspects, standing
from typed_pubsub.ops.topology.values import Declared, Exchange, Found, Queue, migrating

_NONE = "none"
_MISSING = "missing"
_UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """An exchange or a queue; counts are None where they are not known or there are none."""

    name: str
    declared: str
    found: str
    differs: tuple[Aspect, ...] = ()
    ready: int | None = None
    unacked: int | None = None
    consumers: int | None = None


@dataclass(frozen=True, slots=True)
class BindingRow:
    """A binding, and the routes that it serves."""

    key: str
    exchange: str
    queue: str
    standing: Standing
    serves: tuple[str, ...]


def object_rows(declared: Declared, found: Found) -> list[ObjectRow]:
    """Exchange, dead-letter queue and queue, and what an interrupted migration has left."""
    return [_exchange_row(declared.exchange, found), *_queue_rows(declared, found)]


def binding_rows(declared: Declared, found: Found) -> list[BindingRow]:
    """The bindings that are declared, then others that were found."""
    others = [binding for binding in found.bindings or () if binding not in declared.bindings]
    return [
        BindingRow(
            binding.key,
            binding.exchange,
            binding.queue,
            standing(binding, declared, found),
            declared.serves.get(binding.key, ()) if binding in declared.bindings else (),
        )
        for binding in [*declared.bindings, *others]
    ]


def _exchange_row(declared: Exchange, found: Found) -> ObjectRow:
    name, there = f"exchange {declared.name}", found.exchange
    if there is None:
        return ObjectRow(name, str(declared), _MISSING)
    told = _UNKNOWN if there.made is None else str(there.made)
    return ObjectRow(name, str(declared), told, exchange_aspects(declared, there))


def _queue_rows(declared: Declared, found: Found) -> Iterator[ObjectRow]:
    for queue in declared.queues:
        for name, wanted in ((queue.name, queue), (migrating(queue.name), None)):
            there = found.queues.get(name)
            title = f"queue {name}"
            if there is not None:
                differs = () if wanted is None else queue_aspects(wanted, there)
                made = _UNKNOWN if there.made is None else _brief(there.made)
                told = _NONE if wanted is None else _brief(wanted)
                yield ObjectRow(title, told, made, differs, there.ready, there.unacked, there.consumers)
            elif wanted is not None:
                yield ObjectRow(title, _brief(wanted), _MISSING)


def _brief(queue: Queue) -> str:
    """A queue without its arguments, which stand among the differences where they matter."""
    return str(Queue(queue.name, {k: v for k, v in queue.arguments.items() if k == "x-queue-type"},
                     queue.durable, queue.auto_delete))  # fmt: skip
