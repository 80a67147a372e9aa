"""What is declared against what was found, and the steps from one to the other. Pure."""

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import msgspec

from typed_pubsub.events.keys import covers
from typed_pubsub.ops.topology.values import (
    QUEUE_TYPE,
    Binding,
    Declared,
    Exchange,
    Found,
    FoundExchange,
    FoundQueue,
    Queue,
    migrating,
)


class CreateExchange(msgspec.Struct, frozen=True, tag_field="step", tag="create_exchange"):
    """Make the exchange."""

    exchange: Exchange

    def __str__(self) -> str:
        """One sentence."""
        return f"create exchange {self.exchange.name!r} ({self.exchange})"


class CreateQueue(msgspec.Struct, frozen=True, tag_field="step", tag="create_queue"):
    """Make a queue."""

    queue: Queue

    def __str__(self) -> str:
        """One sentence."""
        return f"create queue {self.queue.name!r} ({self.queue})"


class Bind(msgspec.Struct, frozen=True, tag_field="step", tag="bind"):
    """Add a binding."""

    binding: Binding

    def __str__(self) -> str:
        """One sentence."""
        return f"bind {self.binding}"


class Unbind(msgspec.Struct, frozen=True, tag_field="step", tag="unbind"):
    """Take a binding away that no route wants."""

    binding: Binding

    def __str__(self) -> str:
        """One sentence."""
        queue, exchange, key = self.binding.queue, self.binding.exchange, self.binding.key
        return f"unbind queue {queue!r} from exchange {exchange!r}, key {key!r}: no route wants it"


class Migrate(msgspec.Struct, frozen=True, tag_field="step", tag="migrate"):
    """Make a queue anew, its messages kept, or go on with that."""

    queue: Queue
    bindings: tuple[Binding, ...]
    begun: bool

    def __str__(self) -> str:
        """One sentence."""
        verb = "finish making" if self.begun else "make"
        return (
            f"{verb} queue {self.queue.name!r} anew ({self.queue}), its messages kept in {migrating(self.queue.name)!r}"
        )


Step: TypeAlias = CreateExchange | CreateQueue | Bind | Unbind | Migrate


class Aspect(msgspec.Struct, frozen=True):
    """A property in which a thing at the broker is not as declared."""

    name: str
    declared: str
    found: str

    def __str__(self) -> str:
        """A clause."""
        return f"{self.name} is {self.found}, declared {self.declared}"


class Difference(msgspec.Struct, frozen=True):
    """In what a thing at the broker is not as declared; ``remedy`` says what can be done about it."""

    what: str
    aspects: tuple[Aspect, ...]
    remedy: str

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.what}: {'; '.join(map(str, self.aspects))}; {self.remedy}"


class Plan(msgspec.Struct, frozen=True):
    """The steps that ``apply`` takes, and what it does not change: differences, and stale bindings."""

    steps: tuple[Step, ...]
    differences: tuple[Difference, ...]
    stale: tuple[Binding, ...]

    @property
    def nothing_to_do(self) -> bool:
        """Whether the broker has what is declared, and nothing that no route wants."""
        return not (self.steps or self.differences or self.stale)


_OTHER_EXCHANGE = "used as it is; to change it, move every publisher and subscriber to an exchange of another name"
_MIGRATE = "used as it is; apply --migrate makes it anew"

Standing: TypeAlias = Literal["bound", "missing", "not known", "covered", "stale", "other"]


def plan(declared: Declared, found: Found, *, prune: bool = False, migrate: bool = False) -> Plan:
    """The steps from ``found`` to ``declared``, in the order in which they are safe.

    Args:
        declared: what shall be.
        found: what is.
        prune: take stale bindings away.
        migrate: make queues anew that cannot be changed.
    """
    anew = [queue for queue in declared.queues if must_move(queue, found)] if migrate else []
    stale = tuple(stale_bindings(declared, found))
    steps: list[Step] = []
    if found.exchange is None:
        steps.append(CreateExchange(declared.exchange))
    steps += [CreateQueue(queue) for queue in declared.queues if queue.name not in found.queues and queue not in anew]
    steps += _binds(declared, found, [queue.name for queue in anew])
    if prune:
        steps += map(Unbind, stale)
    steps += [_migration(queue, declared, found, stale if prune else ()) for queue in anew]
    differences = tuple(differences_of(declared, found, moved=[queue.name for queue in anew]))
    return Plan(tuple(steps), differences, () if prune else stale)


def must_move(queue: Queue, found: Found) -> bool:
    """Whether a queue has to be made anew, or somebody has begun to."""
    there = found.queues.get(queue.name)
    return migrating(queue.name) in found.queues or (there is not None and bool(queue_aspects(queue, there)))


def standing(binding: Binding, declared: Declared, found: Found) -> Standing:
    """What a binding is that was found or is declared.

    "covered": not declared, but routes want all that it brings. "other": of another exchange, or of one that is no
    topic exchange: whether a route wants it cannot be told from its key.
    """
    if binding in declared.bindings:
        if found.bindings is None:
            return "not known"
        return "bound" if binding in found.bindings else "missing"
    kind = found.exchange.made.kind if found.exchange is not None and found.exchange.made is not None else "topic"
    if binding.exchange != declared.exchange.name or kind != "topic":
        return "other"
    return "covered" if covers(declared.keys, binding.key) else "stale"


def stale_bindings(declared: Declared, found: Found) -> Iterator[Binding]:
    """The bindings of the event queue that bring what no route wants."""
    queues = {name for queue in declared.queues[-1:] for name in (queue.name, migrating(queue.name))}
    for binding in found.bindings or ():
        if binding.queue in queues and standing(binding, declared, found) == "stale":
            yield binding


def differences_of(declared: Declared, found: Found, *, moved: list[str]) -> Iterator[Difference]:
    """What cannot be changed in place; ``moved`` are the queues that are made anew."""
    if found.exchange is not None and (aspects := exchange_aspects(declared.exchange, found.exchange)):
        yield Difference(f"exchange {declared.exchange.name!r}", aspects, _OTHER_EXCHANGE)
    for queue in declared.queues:
        if queue.name in moved:
            continue
        if queue.name in found.queues and (aspects := queue_aspects(queue, found.queues[queue.name])):
            yield Difference(f"queue {queue.name!r}", aspects, _MIGRATE)
        if (home := found.queues.get(migrating(queue.name))) is not None:
            there = Aspect("it", "not", f"there with {home.ready} messages")
            yield Difference(f"queue {home.name!r}", (there,), "apply --migrate finishes what was interrupted")


def exchange_aspects(declared: Exchange, found: FoundExchange) -> tuple[Aspect, ...]:
    """In what an exchange is not as declared: it cannot be changed, and the library uses it as it is."""
    made = found.made
    if made is None:
        return ()
    return _aspects(
        ("type", declared.kind, made.kind),
        ("durable", declared.durable, made.durable),
        ("auto-delete", declared.auto_delete, made.auto_delete),
    )


def queue_aspects(declared: Queue, found: FoundQueue) -> tuple[Aspect, ...]:
    """In what a queue is not as declared: it cannot be changed, only made anew."""
    made = found.made
    if made is None:
        return ()
    names = sorted({*declared.arguments, *made.arguments} - {QUEUE_TYPE})
    return _aspects(
        (QUEUE_TYPE, declared.kind, made.kind),
        ("durable", declared.durable, made.durable),
        ("auto-delete", declared.auto_delete, made.auto_delete),
        *((name, declared.arguments.get(name), made.arguments.get(name)) for name in names),
    )


def _aspects(*properties: tuple[str, Any, Any]) -> tuple[Aspect, ...]:
    return tuple(Aspect(name, _text(wanted), _text(there)) for name, wanted, there in properties if wanted != there)


def _binds(declared: Declared, found: Found, moved: list[str]) -> Iterator[Bind]:
    # Where bindings cannot be listed all are added: those that are there already stay as they are.
    there = found.bindings if found.bindings is not None else ()
    for binding in declared.bindings:
        if binding.queue in moved:
            continue
        if binding not in there and (found.bindings is not None or binding.queue not in found.queues):
            yield Bind(binding)


def _migration(queue: Queue, declared: Declared, found: Found, pruned: tuple[Binding, ...]) -> Migrate:
    names = (queue.name, migrating(queue.name))
    there = [binding for binding in found.bindings or () if binding.queue in names and binding not in pruned]
    ours = [binding for binding in declared.bindings if binding.queue == queue.name]
    carried = {(b.exchange, b.key, str(b.arguments)): Binding(b.exchange, queue.name, b.key, b.arguments)
               for b in [*ours, *there]}  # fmt: skip
    return Migrate(queue, tuple(carried.values()), migrating(queue.name) in found.queues)


def _text(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return repr(value) if value == "" else str(value)
