"""Routes: one entry of a mapping each, giving the calls that an event causes."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import msgspec

from typed_pubsub.events.registry import EventClass, meta_of
from typed_pubsub.events.shapes import is_mapping
from typed_pubsub.routing.calls import RemoteTask, SignatureLike, TaskCall, from_signature, is_task

E = TypeVar("E")

#: What a handler may return.
Outcome: TypeAlias = TaskCall | SignatureLike | Iterable[TaskCall | SignatureLike] | None
Handler: TypeAlias = Callable[[E], Outcome]


class Received(msgspec.Struct, frozen=True):
    """An event as routes get it: typed routes the model, rows the key and the body as it was sent."""

    routing_key: str
    event: Any
    body: Any


class Route(Protocol):
    """One entry of a mapping."""

    @property
    def name(self) -> str:
        """Unique in its mapping; part of the task ids."""
        ...

    @property
    def binding_keys(self) -> tuple[str, ...]:
        """What the queue must be bound with for this route."""
        ...

    @property
    def events(self) -> tuple[EventClass, ...]:
        """The models it is for; none for a row."""
        ...

    def local_tasks(self) -> set[str]:
        """Names of this service's tasks that it is known to call."""
        ...

    def remote_tasks(self) -> set[str]:
        """Names of tasks that it is known to call and that are declared as another service's."""
        ...

    def tasks(self) -> set[str]:
        """Names of the tasks that it is known to call, whosever they are."""
        ...

    def calls(self, received: Received) -> Iterator[TaskCall]:
        """The calls that the event causes. Runs the user's code: raises whatever that raises."""
        ...


@dataclass(frozen=True, slots=True)
class TypedRoute(Generic[E]):
    """Events of these models, where ``when`` holds, cause the calls that ``handler`` returns.

    ``to`` is the one task of a one-liner, and ``task`` the same if it is this service's.
    """

    name: str
    events: tuple[EventClass, ...]
    handler: Handler[E]
    when: Callable[[E], bool] | None = None
    task: str | None = None
    remote: str | None = None

    @property
    def binding_keys(self) -> tuple[str, ...]:
        """One for each model."""
        return tuple(meta_of(event).key.binding_key for event in self.events)

    def local_tasks(self) -> set[str]:
        """The task of ``.to()``, or the tasks that the handler's code names as globals or closes over."""
        if self.task is not None:
            return {self.task}
        return {str(value.name) for value in _named(self.handler) if is_task(value)}

    def remote_tasks(self) -> set[str]:
        """As ``local_tasks``, of those that ``remote_task`` declares."""
        if self.remote is not None:
            return {self.remote}
        # Not isinstance: see ``call``.
        return {value.name for value in _named(self.handler) if type(value) is RemoteTask}

    def tasks(self) -> set[str]:
        """See Route."""
        return self.local_tasks() | self.remote_tasks()

    def calls(self, received: Received) -> Iterator[TaskCall]:
        """See Route."""
        if self.when is not None and not self.when(received.event):
            return
        outcome = self.handler(received.event)
        if outcome is None:
            return
        if isinstance(outcome, TaskCall):
            yield outcome
            return
        for item in _items(outcome):
            if isinstance(item, TaskCall):
                yield item
            elif _is_call(item):
                yield from_signature(item)
            else:
                msg = f"route {self.name!r}: expected a TaskCall or a Signature, got {type(item).__name__}"
                raise TypeError(msg)


def _is_call(value: Any) -> bool:
    # A Celery Signature is a dict and so iterable: it has to be known by its shape.
    return isinstance(value, TaskCall) or (hasattr(value, "task") and hasattr(value, "options"))


def _items(outcome: Any) -> Iterable[Any]:
    """What a handler returned, as several: a dict or a str is one thing, and a wrong one."""
    one = (
        _is_call(outcome) or isinstance(outcome, str | bytes) or is_mapping(outcome) or not hasattr(outcome, "__iter__")
    )
    return [outcome] if one else outcome


def _named(handler: Callable[..., Any]) -> list[Any]:
    """What a function's code names as globals or closes over; nothing of what is no function."""
    function = inspect.unwrap(handler)
    if not inspect.isfunction(function):
        return []
    return [*(function.__globals__.get(name) for name in _names(function.__code__)), *_closed_over(function)]


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function's code uses, the code of lambdas and comprehensions in it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _closed_over(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        # A cell may be empty still: nothing is known of it.
        with suppress(ValueError):
            yield cell.cell_contents
