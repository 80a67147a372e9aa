"""What a topology consists of, as it is declared and as it was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

QUEUE_TYPE = "x-queue-type"


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange, and how it was or is to be made."""

    name: str
    kind: str = "topic"
    durable: bool = True
    auto_delete: bool = False

    def __str__(self) -> str:
        """One phrase: ``topic, durable``."""
        return ", ".join([self.kind, *_flags(durable=self.durable, auto_delete=self.auto_delete)])


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, and how it was or is to be made."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    durable: bool = True
    auto_delete: bool = False

    @property
    def kind(self) -> str:
        """``classic``, ``quorum`` or ``stream``."""
        return str(self.arguments.get(QUEUE_TYPE, "classic"))

    def __str__(self) -> str:
        """One phrase: ``quorum, durable, x-delivery-limit=50``."""
        told = [f"{name}={value!r}" for name, value in sorted(self.arguments.items()) if name != QUEUE_TYPE]
        return ", ".join([self.kind, *_flags(durable=self.durable, auto_delete=self.auto_delete), *told])


@dataclass(frozen=True, slots=True)
class Binding:
    """What makes an exchange hand messages to a queue."""

    exchange: str
    queue: str
    key: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        """One phrase."""
        with_arguments = f" with {dict(self.arguments)!r}" if self.arguments else ""
        return f"queue {self.queue!r} to exchange {self.exchange!r} with key {self.key!r}{with_arguments}"


@dataclass(frozen=True, slots=True)
class Declared:
    """What a service declares. ``queues``: the dead-letter queue, then the event queue; none for a mere publisher.

    ``serves`` has, for each binding key, the routes that it is for.
    """

    exchange: Exchange
    queues: tuple[Queue, ...] = ()
    keys: tuple[str, ...] = ()
    serves: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """Of the event queue; the dead-letter queue has none."""
        return tuple(Binding(self.exchange.name, queue.name, key) for queue in self.queues[-1:] for key in self.keys)


@dataclass(frozen=True, slots=True)
class FoundQueue:
    """A queue at the broker; ``made`` and ``unacked`` are None where it does not tell."""

    name: str
    ready: int
    consumers: int
    unacked: int | None = None
    made: Queue | None = None


@dataclass(frozen=True, slots=True)
class FoundExchange:
    """An exchange at the broker; ``made`` is None where it does not tell."""

    name: str
    made: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the broker has of what is declared.

    ``queues`` are by name, those of a migration that was interrupted among them; ``bindings`` are those of these
    queues, the default exchange's not counted, or None: they cannot be listed. ``unknown`` says in a sentence each what
    could not be known, and why; ``server_version`` is the broker's (see Link).
    """

    exchange: FoundExchange | None
    queues: Mapping[str, FoundQueue]
    bindings: tuple[Binding, ...] | None
    unknown: tuple[str, ...] = ()
    server_version: tuple[int, ...] = ()


def migrating(queue: str) -> str:
    """The queue in which the messages of a queue stay while it is made anew."""
    return f"{queue}.migrating"


def _flags(*, durable: bool, auto_delete: bool) -> list[str]:
    return ["durable" if durable else "transient", *(["auto-delete"] if auto_delete else [])]
