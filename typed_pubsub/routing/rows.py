"""Rows of the classic ``PUBSUB_TASK_MAPPING``: dicts with a key, a task's name and callables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.keys import check_amqp_key
from typed_pubsub.events.registry import EventClass
from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.routing.calls import TaskCall, TaskLike, is_task, send_options
from typed_pubsub.routing.routes import Received


class LegacyRow(TypedDict):
    """A row of the classic mapping list, for lists annotated ``list[LegacyRow]``; a plain list of dicts will do too.

    The callables get (routing key, body) by position: the body as it was sent.
    """

    routing_key: str
    task: str | TaskLike[..., Any]
    should_schedule: Callable[[str, Any], bool]
    get_args: Callable[[str, Any], tuple[Sequence[Any] | None, Mapping[str, Any] | None]]
    celery_kwargs: NotRequired[Callable[[str, Any], Mapping[str, Any]] | Mapping[str, Any]]


_REQUIRED = ("routing_key", "task", "should_schedule", "get_args")


def _key_problem(value: Any) -> str | None:
    if isinstance(value, str):
        check_amqp_key(value)
    return _task_problem(value)


def _task_problem(value: Any) -> str | None:
    return None if isinstance(value, str) else f"expected a str, got {type(value).__name__}"


def _callable_problem(value: Any) -> str | None:
    return None if callable(value) else f"expected a callable of (routing_key, body), got {type(value).__name__}"


def _options_problem(value: Any) -> str | None:
    if callable(value):
        return None
    if not is_mapping(value):
        return f"expected a dict or a callable, got {type(value).__name__}"
    send_options(value)
    return None


#: What is wrong with a value of a row: said, or raised as a ValueError.
_ROW_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "routing_key": _key_problem,
    "task": _task_problem,
    "should_schedule": _callable_problem,
    "get_args": _callable_problem,
    "celery_kwargs": _options_problem,
}


@dataclass(frozen=True, slots=True)
class RowRoute:
    """A row of the classic ``PUBSUB_TASK_MAPPING``; its callables get (routing key, body) by position."""

    name: str
    binding_key: str
    task: str
    should_schedule: Callable[[str, Any], Any]
    get_args: Callable[[str, Any], Any]
    celery_kwargs: Callable[[str, Any], Mapping[str, Any]] | Mapping[str, Any]

    @classmethod
    def parse(cls, row: Mapping[str, Any], where: str) -> "RowRoute":
        """Reads a row; ``where`` names it in errors, such as ``PUBSUB_TASK_MAPPING[1]``.

        Raises:
            DefinitionError: a key is missing, or a value is of the wrong kind.
        """
        if not is_mapping(row):
            msg = f"{where}: expected a dict, got {type(row).__name__}"
            raise DefinitionError(msg)
        missing = [name for name in _REQUIRED if name not in row]
        if missing:
            msg = f"{where}: lacks {', '.join(repr(name) for name in missing)}"
            raise DefinitionError(msg)
        values: dict[str, Any] = {"celery_kwargs": {}, **row}
        if is_task(values["task"]):
            values["task"] = values["task"].name
        for name, check in _ROW_CHECKS.items():
            try:
                problem = check(values[name])
            except ValueError as error:
                problem = str(error)
            if problem is not None:
                msg = f"{where}[{name!r}]: {problem}"
                raise DefinitionError(msg)
        key, task = values["routing_key"], values["task"]
        return cls(f"{key}->{task}", key, task, row["should_schedule"], row["get_args"], values["celery_kwargs"])

    @property
    def binding_keys(self) -> tuple[str, ...]:
        """The row's own key."""
        return (self.binding_key,)

    @property
    def events(self) -> tuple[EventClass, ...]:
        """None: a row is for keys."""
        return ()

    def local_tasks(self) -> set[str]:
        """None: a name in a row is another service's until the contrary is known."""
        return set()

    def remote_tasks(self) -> set[str]:
        """See ``local_tasks``."""
        return set()

    def tasks(self) -> set[str]:
        """The row's own."""
        return {self.task}

    def calls(self, received: Received) -> Iterator[TaskCall]:
        """See Route."""
        key, body = received.routing_key, received.body
        if not self.should_schedule(key, body):
            return
        args, kwargs = self.get_args(key, body)
        # None is as good as nothing to Celery too; a str would fall apart into its letters.
        if not (args is None or is_list(args)) or not (kwargs is None or is_mapping(kwargs)):
            msg = f"get_args: expected (list, dict), got ({type(args).__name__}, {type(kwargs).__name__})"
            raise TypeError(msg)
        options = self.celery_kwargs(key, body) if callable(self.celery_kwargs) else self.celery_kwargs
        yield TaskCall(self.task, tuple(args or ()), dict(kwargs or {}), send_options(options or {}))
