"""What may lose a task after this library, read from the Celery app's settings and told once, with the remedy.

The promise ends when Celery's broker has the task. What Celery does then is the app's to say, and some of its defaults
lose tasks. Nothing here connects to a broker; docs/reliability.md has a section for each hazard, named by its id.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from amqp.exceptions import ChannelError, PreconditionFailed
from kombu import Queue
from kombu.common import Broadcast

from typed_pubsub.routing.routes import Route
from typed_pubsub.routing.rows import RowRoute

#: A logger of its own: whoever has weighed the hazards may silence it.
log = logging.getLogger("typed_pubsub.hazards")

_SHOWN = 3
_CONSUMER_TIMEOUT = 1800.0
_VISIBILITY_TIMEOUT = 3600.0
# Where Celery sends what RabbitMQ itself is to hold until it is due.
_DELAYED = "celery_delayed_27"


@dataclass(frozen=True, slots=True)
class Hazard:
    """Something that may lose tasks or run them twice, and what to do about it.

    ``id`` is the anchor of its section in docs/reliability.md, and does not change.
    """

    id: str
    text: str
    fix: str

    def __str__(self) -> str:
        return f"{self.text}; {self.fix} (docs/reliability.md#{self.id})"


def warn_at_start(app: Any, routes: Iterable[Route]) -> None:
    """Logs each hazard of the tasks that the routes are known to call, once."""
    for hazard in find_hazards(app, known_tasks(routes)):
        warn(hazard)


def warn(hazard: Hazard) -> None:
    """Logs a hazard."""
    log.warning("%s", hazard)


def known_tasks(routes: Iterable[Route]) -> set[str]:
    """Names of the tasks that the routes call, as far as they tell before any event has come."""
    names: set[str] = set()
    for route in routes:
        names |= {route.task} if isinstance(route, RowRoute) else route.local_tasks()
    return names


def find_hazards(app: Any, names: Iterable[str]) -> list[Hazard]:
    """What may lose the tasks of these names, as far as the settings of ``app`` tell.

    Tasks that the app does not have are another service's: nothing is known of them.

    Args:
        app: a Celery app whose tasks are loaded.
        names: of tasks.
    """
    tasks = [app.tasks[name] for name in sorted(set(names)) if name in app.tasks]
    return [*_acknowledged_early(tasks), *_lost_with_a_process(tasks), *_without_dead_letters(app, tasks)]


def used_as_found(queue: str, error: ChannelError) -> str:
    """What is to be said of a queue that the broker does not let the app declare."""
    text = f"Celery's queue {queue!r} is used as found: {error.reply_text}"
    if not isinstance(error, PreconditionFailed):
        return text
    text += (
        "; this app's task_queues differ from what stands there, and where that is a quorum queue, workers hold "
        "each countdown that RabbitMQ would hold for them"
    )
    return str(Hazard("queues-used-as-found", text, "give this app the task_queues of the workers"))


class LongWaits:
    """Tells of tasks that a worker would have to hold for longer than its broker lets it, once a task name."""

    def __init__(self, app: Any, tell: Callable[[Hazard], object] = warn) -> None:
        """Connects to nothing."""
        self._tell = tell
        connection = app.connection_for_write()
        self._kind: str = connection.transport.driver_type
        self._options: dict[str, Any] = connection.transport_options or {}
        self._told: set[str] = set()

    def look(self, task: str, eta: str, exchange: str, queues: Sequence[Any]) -> None:
        """One message that is about to be sent. Never raises.

        Args:
            task: its name.
            eta: as Celery has written it into the headers.
            exchange: where it goes.
            queues: what Celery declares for it.
        """
        if self._kind not in {"amqp", "redis"} or task in self._told or exchange == _DELAYED:
            return
        # What Celery and the broker make of a moment or a limit that cannot be read is not to be judged here.
        with suppress(ValueError, TypeError, OverflowError):
            due = datetime.fromisoformat(eta)
            # Without an offset it is UTC to a worker, whatever the app's timezone.
            wait = (due if due.tzinfo is not None else due.replace(tzinfo=UTC)).timestamp() - time.time()
            limit = self._limit(queues)
            if wait > limit:
                self._told.add(task)
                self._tell(_held_too_long(self._kind, task, wait, limit))

    def _limit(self, queues: Sequence[Any]) -> float:
        """How long a worker may hold a task, in seconds, as far as the app's settings tell."""
        if self._kind == "redis":
            return float(self._options.get("visibility_timeout", _VISIBILITY_TIMEOUT))
        arguments: list[dict[str, Any]] = [getattr(queue, "queue_arguments", None) or {} for queue in queues]
        own = [float(found["x-consumer-timeout"]) / 1000 for found in arguments if "x-consumer-timeout" in found]
        return min(own, default=_CONSUMER_TIMEOUT)


def _acknowledged_early(tasks: Sequence[Any]) -> Iterator[Hazard]:
    early = [task.name for task in tasks if not task.acks_late]
    if early:
        yield Hazard(
            "early-acknowledgement",
            f"a worker that dies loses the tasks that it runs, acknowledged before they ran: {_some(early)}",
            "set task_acks_late = True and task_reject_on_worker_lost = True, or acks_late and reject_on_worker_lost "
            "of the task",
        )


def _lost_with_a_process(tasks: Sequence[Any]) -> Iterator[Hazard]:
    # False is a decision, None is Celery's default; retry_on_worker_lost came with Celery 5.7.
    lost = [
        task.name
        for task in tasks
        if task.acks_late and task.reject_on_worker_lost is None and not getattr(task, "retry_on_worker_lost", False)
    ]
    if lost:
        yield Hazard(
            "lost-workers",
            "a task is acknowledged also when the process that runs it is killed (out of memory, a signal): "
            f"{_some(lost)}",
            "set task_reject_on_worker_lost, or reject_on_worker_lost of the task, to True, or to False where that is "
            "meant",
        )


def _without_dead_letters(app: Any, tasks: Sequence[Any]) -> Iterator[Hazard]:
    if app.connection_for_write().transport.driver_type != "amqp":
        return
    queues = [queue for task in tasks if (queue := _queue_of(app, task)) is not None]
    bare = sorted({queue.name for queue in queues if "x-dead-letter-exchange" not in (queue.queue_arguments or {})})
    if bare:
        yield Hazard(
            "no-dead-letter-exchange",
            "what a worker rejects, such as a task of a name unknown to it, is gone where Celery's queue has no "
            f"x-dead-letter-exchange, unless a policy of the broker names one: {_some(bare)}",
            "set a policy with dead-letter-exchange, or, for a new queue, its queue_arguments in task_queues",
        )


def _queue_of(app: Any, task: Any) -> Any:
    """The queue that a task goes to where its call names none; None where that is not known."""
    named = {name: getattr(task, name, None) for name in ("queue", "exchange", "routing_key")}
    try:
        options = app.amqp.router.route({k: v for k, v in named.items() if v is not None}, task.name, (), {}, task)
    except Exception:  # noqa: BLE001  # routers are the app's code, and may want the arguments of a call
        return None
    queue = options.get("queue")
    # With both of these it goes to whatever is bound there; a Broadcast is as short-lived as its worker.
    unknown = (options.get("exchange") and options.get("routing_key")) or isinstance(queue, Broadcast)
    return queue if isinstance(queue, Queue) and not unknown else None


def _held_too_long(kind: str, task: str, wait: float, limit: float) -> Hazard:
    held = f"a worker holds task {task!r} for {wait:.0f} s, until it is due"
    if kind == "redis":
        text = f"{held}; after each {limit:.0f} s, its visibility timeout, Redis gives it to one more, and all run it"
        fix = "shorten the wait, or set broker_transport_options['visibility_timeout'] above it, also for the workers"
        return Hazard("long-countdowns", text, fix)
    text = (
        f"{held}; after {limit:.0f} s, or what its consumer_timeout says, RabbitMQ closes the channel, "
        "and the worker ends"
    )
    fix = (
        "shorten the wait, raise consumer_timeout, or use quorum queues with a topic exchange: RabbitMQ waits for them"
    )
    return Hazard("long-countdowns", text, fix)


def _some(names: Sequence[str]) -> str:
    """The first of the names, and how many there are beside."""
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
