"""What is counted at the end, and from what.

* *published*: the distinct event ids in the queue ``audit``, where the broker put a copy of every event.
* *scheduled*: the distinct event ids that the runs of the worker's tasks carried (the header ``ce-id`` of each task).
* *dead-lettered*: the distinct event ids in the queue ``query.dlq``.
* *skipped*: an event that causes nothing leaves no trace but the subscriber's own record, so these are the distinct
  event ids of its log records with this outcome.

It adds up only if each published event is in exactly one of the other three sets: the ids are compared, not the sums.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

from typed_pubsub.demo.broker import QUEUE, Found
from typed_pubsub.demo.query import mapping
from typed_pubsub.routing import NAMESPACE


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: events of one kind, one route and one outcome, and how many of their tasks were executed."""

    kind: str
    route: str
    outcome: str
    events: int
    task: str = ""
    executed: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """The sets of event ids, and the runs of tasks."""

    published: Mapping[str, Found]
    scheduled: frozenset[str]
    skipped: frozenset[str]
    dead_letters: Mapping[str, Found]
    runs: Sequence[Mapping[str, Any]]
    announced: frozenset[str]

    @classmethod
    def count(
        cls,
        audit: Iterable[Found],
        dead_letters: Iterable[Found],
        outcomes: Sequence[Mapping[str, Any]],
        runs: Sequence[Mapping[str, Any]],
    ) -> "Tally":
        return cls(
            published={str(found.properties["message_id"]): found for found in audit},
            scheduled=frozenset(run["event_id"] for run in runs),
            skipped=frozenset(said["event_id"] for said in outcomes if said["outcome"] == "skipped"),
            dead_letters={str(found.headers["x-pubsub-event-id"]): found for found in dead_letters},
            runs=runs,
            announced=frozenset(task_id for said in outcomes for task_id in said["task_ids"]),
        )

    @property
    def executed(self) -> frozenset[str]:
        """The ids of the tasks that ran: a task that came twice has one id."""
        return frozenset(run["task_id"] for run in self.runs)

    @property
    def repeated(self) -> int:
        """How many runs were those of a task that had run before."""
        return len(self.runs) - len(self.executed)

    @property
    def adds_up(self) -> bool:
        parts = (self.scheduled, self.skipped, frozenset(self.dead_letters))
        each_once = sum(map(len, parts)) == len(frozenset[str]().union(*parts))
        every_one = frozenset[str]().union(*parts) == frozenset(self.published)
        return each_once and every_one and self.executed == self.announced

    @property
    def line(self) -> str:
        sign = "=" if self.adds_up else "!="
        return (
            f"published {len(self.published)} {sign} scheduled {len(self.scheduled)} + skipped {len(self.skipped)}"
            f" + dead-lettered {len(self.dead_letters)}"
        )

    def rows(self) -> Iterator[Row]:
        """The table: event, route, outcome, task, executed."""
        routes = self._routes()
        tasks = {route.name: next(iter(route.local_tasks()), getattr(route, "task", "")) for route in mapping.routes}
        ran = Counter((self._kind(run["event_id"]), routes.get(run["task_id"], "?")) for run in self._first_runs())
        events = {(self._kind(run["event_id"]), routes.get(run["task_id"], "?"), run["event_id"]) for run in self.runs}
        for (kind, route), count in sorted(Counter((kind, route) for kind, route, _ in events).items()):
            task = tasks.get(route, "").rpartition(".")[2]
            yield Row(kind, "legacy row" if "->" in route else route, "scheduled", count, task, ran[kind, route])
        for outcome, ids in (("skipped", self.skipped), ("dead-lettered", frozenset(self.dead_letters))):
            for kind, count in sorted(Counter(map(self._kind, ids)).items()):
                yield Row(kind, "", outcome, count)

    def _first_runs(self) -> Iterable[Mapping[str, Any]]:
        return {run["task_id"]: run for run in self.runs}.values()

    def _kind(self, event_id: str) -> str:
        found = self.published.get(event_id)
        if found is None:
            return "?"
        return re.sub(r"\{\w+\}", "*", str(found.headers.get("ce-type", found.routing_key)))

    def _routes(self) -> dict[str, str]:
        """From task ids to routes: the ids are made of queue, source, event, route and number (docs/wire-format.md)."""
        sources = {event_id: found.headers.get("ce-source", "") for event_id, found in self.published.items()}
        return {
            str(uuid5(NAMESPACE, f"{QUEUE}/{source}/{event_id}/{route.name}/0")): route.name
            for event_id, source in sources.items()
            for route in mapping.routes
        }
