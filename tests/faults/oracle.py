"""The one judge of every run: what was confirmed, against what stands on the queues at the end."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import uuid5

from tests.faults.service import QUEUE, expected_tasks
from tests.faults.sink import Task
from typed_pubsub.routing import NAMESPACE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run's events.

    ``lost`` are (number, route) of confirmed events without a task; ``wrong_ids`` tasks whose id does not follow from
    their event; ``repeated`` counts the events of which a task came more than once, ``duplicates`` those copies;
    ``poison_lost`` and ``not_poison`` are bodies; ``left`` what still stood on the event queue; ``at_once`` how many
    events one fault may have sent twice;
    ``log`` is what the subscriber said.
    """

    events: int
    expected: int
    distinct: int
    lost: Sequence[tuple[int, str]]
    duplicates: int
    repeated: int
    wrong_ids: Sequence[Task]
    dead_letters: int
    poison_lost: Sequence[bytes]
    not_poison: Sequence[bytes]
    left: int
    faults: int
    seconds: float
    at_once: int
    log: str = field(default="", repr=False)

    def problems(self) -> list[str]:
        """What breaks the promise."""
        found = {
            f"lost: {self.lost[:5]}": len(self.lost),
            f"tasks under other ids: {self.wrong_ids[:5]}": len(self.wrong_ids),
            f"poison that is no dead letter: {self.poison_lost[:5]}": len(self.poison_lost),
            f"dead letters that are no poison: {self.not_poison[:5]}": len(self.not_poison),
            "still on the event queue": self.left,
            "events repeated beyond one window a fault": max(self.repeated - self.faults * self.at_once, 0),
        }
        return [f"{count} {what}" for what, count in found.items() if count]


def judge(
    confirmed: Iterable[int],
    tasks: Sequence[Task],
    *,
    poison: Sequence[bytes],
    dead_letters: Sequence[bytes],
    left: int,
    faults: int,
    seconds: float,
    at_once: int,
) -> Verdict:
    """The verdict on a run.

    Args:
        confirmed: the numbers of the events that the publisher said are confirmed.
        tasks: all that came to Celery's side.
        poison: bodies that must be dead letters.
        dead_letters: bodies that are.
        left: messages on the event queue after the subscriber has stopped.
        faults: how many were injected.
        seconds: how long it took.
        at_once: how many events one fault may have sent twice.
    """
    numbers = set(confirmed)
    expected = sum(len(expected_tasks(number)) for number in numbers)
    lost = missing(numbers, tasks)
    copies = Counter((task.number, task.route) for task in tasks)
    again = {what: count - 1 for what, count in copies.items() if count > 1}
    return Verdict(
        events=len(numbers),
        expected=expected,
        distinct=expected - len(lost),
        lost=sorted(lost),
        duplicates=sum(again.values()),
        repeated=len({number for number, _ in again}),
        wrong_ids=_wrong(tasks),
        dead_letters=len(dead_letters),
        poison_lost=sorted(set(poison) - set(dead_letters)),
        not_poison=sorted(set(dead_letters) - set(poison)),
        left=left,
        faults=faults,
        seconds=seconds,
        at_once=at_once,
    )


def missing(confirmed: Iterable[int], tasks: Iterable[Task]) -> set[tuple[int, str]]:
    """The (number, route) of confirmed events of which no task has come."""
    wanted = {(number, route) for number in confirmed for route in expected_tasks(number)}
    return wanted - {(task.number, task.route) for task in tasks}


def _wrong(tasks: Sequence[Task]) -> list[Task]:
    """The tasks whose id is not made of their event, and copies that have another one than the first."""
    first: dict[tuple[int, str], str] = {}
    return [task for task in tasks if task.id != first.setdefault((task.number, task.route), _id(task))]


def _id(task: Task) -> str:
    return str(uuid5(NAMESPACE, f"{QUEUE}/{task.source}/{task.event_id}/{task.route}/0"))
