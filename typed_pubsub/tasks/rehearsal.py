"""Calls tried without a connection: whether a worker's task would take them, and whether a message can be made of them.

What the subscriber does with a call is done, up to the message. Where Celery looks only once the task runs (tasks by
name alone), the task's signature is asked here, if the app has it.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import amqp
import kombu
from celery import Task
from kombu.exceptions import EncodeError

from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.routing.calls import IGNORED_OPTIONS, CallOptions, TaskCall
from typed_pubsub.tasks.builder import TaskBuilder
from typed_pubsub.tasks.hazards import Hazard, warn
from typed_pubsub.tasks.messages import TaskMessage
from typed_pubsub.tasks.task_outlet import task_outlet

#: What was refused of a call: its arguments' number and names, an argument's value, an option, or the whole.
Part = Literal["arguments", "value", "option", "message"]


@dataclass(frozen=True, slots=True)
class Refused:
    """What is wrong with a call. The text may quote an argument."""

    part: Part
    text: str


class Rehearsal:
    """The Celery side of a subscriber that sends nothing."""

    def __init__(self, app: Any, tell: Callable[[Hazard], object] = warn) -> None:
        """Loads the app's tasks; for ``tell`` and what is raised see TaskBuilder."""
        self.builder = TaskBuilder(app, tell)
        self._outlet: Any = task_outlet(self.builder.app)
        self._known = _known_options(self.builder.app)

    @property
    def tasks(self) -> frozenset[str]:
        """The names of the app's tasks."""
        return frozenset(self.builder.app.tasks)

    def refused(self, call: TaskCall, headers: dict[str, str]) -> Refused | None:
        """What is wrong with a call, or None. Runs routers and receivers of the app."""
        unknown = sorted(call.options.keys() - self._known)
        if unknown:
            return Refused("option", f"nothing that sends a task knows the option {', '.join(map(repr, unknown))}")
        misfit = self.misfit(call)
        if misfit is not None:
            return Refused("arguments", misfit)
        try:
            self.build(call, headers)
        except EncodeError as error:
            return Refused("value", _line(error))
        except MisconfigurationException:
            raise
        except Exception as error:  # noqa: BLE001  # whatever Celery, a router or a receiver makes of it
            return Refused("message", f"{type(error).__name__}: {_line(error)}")
        return None

    def build(self, call: TaskCall, headers: dict[str, str]) -> list[TaskMessage]:
        """The messages of a call, as Celery's broker would take them. Raises what the subscriber comes upon, too."""
        messages = self.builder.build(call, headers)
        for message in messages:
            self._outlet.prepare(message)
        return messages

    def misfit(self, call: TaskCall) -> str | None:
        """Why the task would not take the arguments, once a worker runs it; None: it would, or is not the app's."""
        task: Any = self.builder.app.tasks.get(call.task)
        if task is None or getattr(task, "typing", True) is False:
            return None
        # A task that is a class has none, and Celery does not look at what it is called with.
        check = getattr(task, "__header__", None) or inspect.signature(task.run).bind
        try:
            check(*call.args, **call.kwargs)
        except TypeError as error:
            return f"{call.task}: {_line(error)}"
        return None


def shares_queue(app: Any, url: str, queue: str) -> bool:
    """Whether Celery's workers consume the event queue: the app has one of its name, at the same broker."""
    if queue not in app.amqp.queues:
        return False
    ours, theirs = kombu.Connection(url.partition("?")[0].split(";")[0]), app.connection_for_write()
    return _address(ours) == _address(theirs)


def _address(connection: Any) -> tuple[Any, ...]:
    kind = connection.transport.driver_type
    host = "127.0.0.1" if connection.hostname in (None, "localhost") else connection.hostname
    port = connection.port or connection.transport.default_port
    return kind, host, port, (connection.virtual_host or "/").lstrip("/") or "/"


def _known_options(app: Any) -> frozenset[str]:
    known = {*CallOptions.__annotations__, *IGNORED_OPTIONS, *(name for name, _ in amqp.Message.PROPERTIES)}
    task: Any = Task
    functions: list[Any] = [app.send_task, task.apply_async, kombu.Producer.publish]
    for takes in functions:
        known |= inspect.signature(takes).parameters.keys()
    return frozenset(known)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
