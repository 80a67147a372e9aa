"""A queue made anew under its name, for what cannot be changed in place, while publishers go on.

Its messages go to ``<queue>.migrating`` and back, one way after the other, and so does the stream of new events: at any
time one of both queues, at least, is bound with every key. Where one is stands at the broker alone, so whoever is
interrupted at any point runs it again.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.moving import delete_empty, move, shared
from typed_pubsub.brokers.queues import count_queue, how_made
from typed_pubsub.brokers.topology import add_bindings, declare_queue, remove_bindings
from typed_pubsub.errors import TopologyRefused
from typed_pubsub.ops.connect import connected
from typed_pubsub.ops.topology.plan import queue_aspects
from typed_pubsub.ops.topology.values import Binding, FoundQueue, Queue, migrating

#: Seconds for what was under way when a binding came or went to arrive: routed already, and in no queue yet.
SETTLE = 2.0
#: Of so many messages the order is kept. To tell what two queues both have, one is read whole; beyond that it is read
#: while it is nearly empty, and the messages follow behind those that came meanwhile.
ORDERED = 50_000
_TRIES = 10
_STREAM = "stream"


def _silent(_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Migration:
    """A queue to make anew.

    ``queue`` is how it shall be; ``bindings`` are all that it has, in whichever of both queues. ``tell`` is called with
    what is done next, ``advance`` with how many more messages were moved.
    """

    url: str
    queue: Queue
    bindings: tuple[Binding, ...] = ()
    tell: Callable[[str], Any] = field(default=_silent)
    advance: Callable[[int], Any] = field(default=_silent)
    settle: float = SETTLE

    def run(self) -> None:
        """Makes the queue anew, or goes on with that.

        Raises:
            TopologyRefused: the queue is in use, or the broker does not allow something; nothing is lost, and it can be
                run again.
            ConnectFailed: no connection, or it broke; as above.
        """
        home = Queue(migrating(self.queue.name), self.queue.arguments)
        with connected(self.url) as link:
            there = _made(link, self.queue.name)
            if there is not None and queue_aspects(self.queue, FoundQueue(self.queue.name, 0, 0, made=there)):
                _refuse_unfit(there)
                self._carry(link, there, home)
            # As it is, not as it should be: somebody may have changed his mind in between.
            if (kept := _made(link, home.name)) is not None:
                self._carry(link, kept, self.queue)

    def _carry(self, link: Link, source: Queue, target: Queue) -> None:
        """Everything from one queue to the other, which then has its place."""
        _refuse_consumers(link, source, target)
        fresh = count_queue(link, target.name) is None
        if fresh:
            self.tell(f"create queue {target.name!r} ({target})")
        declare_queue(link, target.name, dict(target.arguments))
        waiting = _ready(link, source.name)
        # Only into a queue that nobody has bound yet: before, there may be events in both.
        if fresh and 0 < waiting <= ORDERED:
            self._move(link, source, target, Counter(), waiting)
        self._rebind(link, source, target)
        self._empty(link, source, target)

    def _rebind(self, link: Link, source: Queue, target: Queue) -> None:
        if not self.bindings:
            return
        self.tell(f"bind queue {target.name!r} with {len(self.bindings)} keys, and unbind queue {source.name!r}")
        bindings = [(binding.exchange, binding.key, binding.arguments) for binding in self.bindings]
        add_bindings(link, target.name, bindings)
        time.sleep(self.settle)
        remove_bindings(link, source.name, bindings)
        time.sleep(self.settle)

    def _empty(self, link: Link, source: Queue, target: Queue) -> None:
        """Moves the rest, now that nothing more comes, and deletes the queue."""
        for _ in range(_TRIES):
            # Not until nothing is left: where somebody goes on sending, that would be never.
            if (rest := _ready(link, source.name)) > 0:
                # Each time anew: what came late may be in both as well.
                self._move(link, source, target, self._shared(link, source, target), rest)
            self.tell(f"delete queue {source.name!r}")
            if delete_empty(link, source.name, quorum=source.kind == "quorum"):
                return
            time.sleep(self.settle)
        why = "somebody sends to it, by a binding that is not known or by its name, or consumes it"
        msg = f"queue {source.name!r} does not become empty: {why}; see to that, and run this again"
        raise TopologyRefused(msg)

    def _shared(self, link: Link, source: Queue, target: Queue) -> Counter[bytes]:
        self.tell(f"look for events that both {source.name!r} and {target.name!r} have")
        return shared(link, source.name, target.name)

    def _move(self, link: Link, source: Queue, target: Queue, known: Counter[bytes], most: int) -> None:
        self.tell(f"move the messages of {source.name!r} to {target.name!r}")
        with connected(self.url) as writing:
            move(link, writing, (source.name, target.name), known=known, most=most, advance=self.advance)


def _ready(link: Link, queue: str) -> int:
    return (count_queue(link, queue) or (0, 0))[0]


def _made(link: Link, name: str) -> Queue | None:
    if count_queue(link, name) is None:
        return None
    made = how_made(link, name)
    return Queue(name, made.arguments, durable=made.durable, auto_delete=made.auto_delete)


def _refuse_unfit(queue: Queue) -> None:
    if queue.kind == _STREAM:
        raise TopologyRefused(f"queue {queue.name!r} is a stream: its messages cannot be moved")
    if queue.auto_delete:
        msg = f"queue {queue.name!r} goes with its last consumer (auto-delete): let it go, and run apply"
        raise TopologyRefused(msg)


def _refuse_consumers(link: Link, *queues: Queue) -> None:
    for queue in queues:
        found = count_queue(link, queue.name)
        if found is not None and found[1]:
            raise TopologyRefused(in_use(queue.name, found[1]))


def in_use(queue: str, consumers: int) -> str:
    """What to do before a queue is made anew that has consumers."""
    return (
        f"queue {queue!r} has {consumers} consumer{'s' if consumers > 1 else ''}: stop its subscribers, run this again,"
        " then start them with the same QUEUE_TYPE"
    )
