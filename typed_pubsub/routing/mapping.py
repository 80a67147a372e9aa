"""``TaskMapping``: which tasks of Celery an event causes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, ParamSpec, TypeVar, overload

from typing_extensions import Unpack

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.registry import EventClass, EventType, meta_of
from typed_pubsub.routing.calls import CallOptions, RemoteTask, TaskCall, TaskLike, call
from typed_pubsub.routing.routes import Handler, Outcome, Route, TypedRoute
from typed_pubsub.routing.rows import RowRoute

P = ParamSpec("P")
E = TypeVar("E", bound=EventType)
E1 = TypeVar("E1", bound=EventType)
E2 = TypeVar("E2", bound=EventType)
E3 = TypeVar("E3", bound=EventType)
E4 = TypeVar("E4", bound=EventType)
F = TypeVar("F")


class TaskMapping:
    """The typed mapping from events to tasks, filled by decorators, one-liners and legacy rows.

    ::

        mapping = TaskMapping()

        @mapping.on(MatchesPublished, when=lambda e: e.title is not None)
        def run_script(event: MatchesPublished) -> TaskCall:
            return call(execute_script, event.match_id).using(countdown=10)

        mapping.route(ScoreChanged).to(execute_script, lambda e, send: send(e.match_id), priority=3)
    """

    def __init__(self) -> None:
        """An empty mapping."""
        self._routes: dict[str, Route] = {}

    @classmethod
    def of(cls, routes: Iterable[Route]) -> "TaskMapping":
        """A mapping of routes that were made before, such as a part of another's."""
        mapping = cls()
        for route in routes:
            mapping._add(route)
        return mapping

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route, in the order in which it was added."""
        return tuple(self._routes.values())

    def __repr__(self) -> str:
        """The names of the routes."""
        return f"TaskMapping({', '.join(self._routes)})"

    @overload
    def on(
        self, e1: type[E1], /, *, when: Callable[[E1], bool] | None = None, name: str | None = None
    ) -> Callable[[Callable[[E1], Outcome]], Callable[[E1], Outcome]]: ...
    @overload
    def on(
        self, e1: type[E1], e2: type[E2], /, *, when: Callable[[E1 | E2], bool] | None = None, name: str | None = None
    ) -> Callable[[Callable[[E1 | E2], Outcome]], Callable[[E1 | E2], Outcome]]: ...
    @overload
    def on(
        self,
        e1: type[E1],
        e2: type[E2],
        e3: type[E3],
        /,
        *,
        when: Callable[[E1 | E2 | E3], bool] | None = None,
        name: str | None = None,
    ) -> Callable[[Callable[[E1 | E2 | E3], Outcome]], Callable[[E1 | E2 | E3], Outcome]]: ...
    @overload
    def on(
        self,
        e1: type[E1],
        e2: type[E2],
        e3: type[E3],
        e4: type[E4],
        /,
        *,
        when: Callable[[E1 | E2 | E3 | E4], bool] | None = None,
        name: str | None = None,
    ) -> Callable[[Callable[[E1 | E2 | E3 | E4], Outcome]], Callable[[E1 | E2 | E3 | E4], Outcome]]: ...
    def on(
        self, *events: type[Any], when: Callable[[Any], bool] | None = None, name: str | None = None
    ) -> Callable[[Handler[Any]], Handler[Any]]:
        """Decorates a handler of one to four events: it returns a call, several (it may be a generator), or None.

        Args:
            events: models; exactly these, not their subclasses.
            when: asked first; the handler runs where it gives true.
            name: the route's name, part of its task ids; default: the handler's ``module.qualname``.

        Raises:
            DefinitionError: a class is no event, the mapping has a route of this name, or the handler has no name.
        """
        _check_events(events)

        def add(handler: Handler[Any]) -> Handler[Any]:
            self._add(TypedRoute(_handler_name(handler) if name is None else name, events, handler, when))
            return handler

        return add

    def route(self, event: type[E], *, when: Callable[[E], bool] | None = None) -> "RouteStart[E]":
        """Starts a one-liner: ``mapping.route(ScoreChanged, when=...).to(task, lambda e, send: send(e.match_id))``."""
        _check_events((event,))
        return RouteStart(self._add, event, when)

    def add_legacy(self, rows: Iterable[Mapping[str, Any]]) -> "TaskMapping":
        """Adds the rows of a classic mapping list, beside typed routes; returns the mapping itself.

        Raises:
            DefinitionError: a row lacks a key, or holds a value of the wrong kind; the row is named.
        """
        for index, row in enumerate(rows):
            route = RowRoute.parse(row, f"PUBSUB_TASK_MAPPING[{index}]")
            number, name = 1, route.name
            while name in self._routes:
                number += 1
                name = f"{route.name}#{number}"
            self._routes[name] = replace(route, name=name)
        return self

    def _add(self, route: Route) -> None:
        if route.name in self._routes:
            msg = f"a route named {route.name!r} exists already: give one of them a name="
            raise DefinitionError(msg)
        self._routes[route.name] = route


@dataclass(frozen=True, slots=True)
class RouteStart(Generic[E]):
    """A route that has its event and condition and still needs its task."""

    add: Callable[[Route], None]
    event: type[E]
    when: Callable[[E], bool] | None

    def to(
        self,
        task: TaskLike[P, Any] | RemoteTask[P, Any],
        build: Callable[[E, Callable[P, TaskCall]], TaskCall],
        *,
        name: str | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Sends ``task`` with what ``build(event, send)`` gives ``send``, typed like the task.

        Args:
            task: a task of this service, or a ``remote_task``.
            build: returns ``send(...)``, whose arguments are those of the task.
            name: the route's name, part of its task ids; default: ``<key>-><task name>``.
            options: of ``apply_async``, for every call.

        Raises:
            DefinitionError: the mapping has a route of this name.
            TypeError: an option that ``apply_async`` does not take.
        """
        TaskCall("").using(**options)

        def send(*args: P.args, **kwargs: P.kwargs) -> TaskCall:
            made = call(task, *args, **kwargs)
            return made.using(**options) if options else made

        def handler(event: E) -> TaskCall:
            return build(event, send)

        local, remote = (None, task.name) if isinstance(task, RemoteTask) else (str(task.name), None)
        route_name = f"{meta_of(self.event).key.text}->{task.name}" if name is None else name
        self.add(TypedRoute(route_name, (self.event,), handler, self.when, local, remote))


def _handler_name(handler: Handler[Any]) -> str:
    try:
        return f"{handler.__module__}.{handler.__qualname__}"
    except AttributeError:
        msg = f"a handler that is no function has no name of its own: give its route a name= ({type(handler).__name__})"
        raise DefinitionError(msg) from None


def _check_events(events: tuple[EventClass, ...]) -> None:
    if not events:
        msg = "name at least one event"
        raise DefinitionError(msg)
    for event in events:
        meta_of(event)
