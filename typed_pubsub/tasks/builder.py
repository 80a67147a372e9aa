"""Task calls to messages: Celery's own code builds them, on a producer that writes nothing.

A call goes through ``Task.apply_async`` or ``app.send_task``, so whatever these do for the user (routing, serializer,
compression, signals, links, eta, expires, priority, and what others have patched into them) happens. The producer they
are given only records; so every message of an event exists before the first is written. Where Celery would write the
same as for a call before, that message is the template of the next (see ``templates``).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from celery import Celery
from celery.result import denied_join_result

from typed_pubsub.errors import DefinitionError, MisconfigurationException
from typed_pubsub.routing.arguments import plain
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.routing.routes import Route
from typed_pubsub.tasks.app_connection import app_connection
from typed_pubsub.tasks.hazards import Hazard, LongWaits, warn
from typed_pubsub.tasks.messages import RecordingProducer, TaskMessage
from typed_pubsub.tasks.templates import Templates

__all__ = ["TaskBuilder", "TaskMessage"]

# Serializers that give UUID, datetime, date, time and Decimal back as what they were.
_KEEPS_TYPES = frozenset({"json", "application/json", "pickle", "application/x-python-serialize"})


class TaskBuilder:
    """Builds the messages of task calls for one Celery app."""

    def __init__(self, app: Any, tell: Callable[[Hazard], object] = warn) -> None:
        """Loads the app's tasks.

        Args:
            app: the Celery app.
            tell: called with what a call shows to be a hazard.

        Raises:
            MisconfigurationException: the object is no Celery app, runs tasks eagerly, or has a broker URL
                that cannot be read.
        """
        if not isinstance(app, Celery):
            msg = f"GET_CELERY_APP: expected a Celery app, got {type(app).__name__}"
            raise MisconfigurationException(msg)
        if app.conf.task_always_eager:
            msg = "Celery's task_always_eager is set: tasks would run inside of the subscriber, unconfirmed"
            raise MisconfigurationException(msg)
        app.loader.import_default_modules()
        app.finalize()
        # Any: options go through as they are, whatever the stubs of apply_async and send_task know.
        self.app: Any = app
        self._connection = app_connection(self.app)
        self._waits = LongWaits(app, tell)
        self._templates = Templates(self.app, self._connection.transport.driver_type)

    def require(self, routes: Iterable[Route]) -> None:
        """Raises DefinitionError for a route to a task that the app ought to have and has not."""
        for route, name in self.missing(routes):
            msg = f"route {route.name}: the Celery app has no task {name!r} (for another service's: remote_task)"
            raise DefinitionError(msg)

    def missing(self, routes: Iterable[Route]) -> Iterator[tuple[Route, str]]:
        """Each task that a route is known to call and that the app ought to have and has not."""
        known = set(self.app.tasks)
        for route in routes:
            yield from ((route, name) for name in sorted(route.local_tasks() - known))

    def build(self, call: TaskCall, headers: dict[str, str]) -> list[TaskMessage]:
        """The messages of one call: the task's own, after it Celery's task-sent event where that is on.

        Args:
            call: as the mapping gave it, with its task id.
            headers: of the event, for the task's message.

        Raises:
            Exception: whatever Celery, a signal's receiver or a serializer makes of the call: nothing is sent then.
        """
        message = self._templates.fill(call, headers)
        messages = [message] if message is not None else self._through_celery(call, headers)
        for message in messages:
            if (eta := message.headers.get("eta")) is not None:
                self._waits.look(call.task, eta, message.exchange, message.declare)
        return messages

    def _through_celery(self, call: TaskCall, headers: dict[str, str]) -> list[TaskMessage]:
        producer: Any = RecordingProducer(self._connection)
        theirs: dict[str, Any] = call.options.get("headers") or {}
        options: dict[str, Any] = {
            **call.options,
            "headers": {**theirs, **headers},
            "producer": producer,
            "mandatory": True,
            "retry": False,
            "add_to_parent": False,
        }
        task: Any = self.app.tasks.get(call.task) if call.local else None
        keeps_types = self._keeps_types(call, task)
        args, kwargs = (call.args, call.kwargs) if keeps_types else (plain(call.args), plain(call.kwargs))
        # Result backends subscribe to the result of each task that is sent; here nobody waits for one.
        with denied_join_result():
            if task is not None:
                task.apply_async(args, kwargs, **options)
            else:
                self.app.send_task(call.task, args, kwargs, **options)
        messages: list[TaskMessage] = producer.recorded
        if not any(message.mandatory for message in messages):
            msg = f"apply_async of {call.task} published nothing through the producer it was given"
            raise RuntimeError(msg)
        if len(messages) == 1 and keeps_types:
            self._templates.keep(call, headers, messages[0], producer.prepared)
        return messages

    def _keeps_types(self, call: TaskCall, task: Any) -> bool:
        of_task = getattr(task, "serializer", None)
        serializer = call.options.get("serializer") or of_task or self.app.conf.task_serializer
        return serializer in _KEEPS_TYPES
