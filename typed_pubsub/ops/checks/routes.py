"""Findings of the routes, as far as they tell before any event has come: TP3xx."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import DefinitionError, MisconfigurationException
from typed_pubsub.events.registry import EventClass, Registry, meta_of
from typed_pubsub.events.shapes import is_list
from typed_pubsub.ops.checks.failing import told
from typed_pubsub.ops.checks.places import route_place
from typed_pubsub.ops.checks.rules import Finding, finding
from typed_pubsub.ops.checks.settings import nowhere
from typed_pubsub.routing.mapping import TaskMapping
from typed_pubsub.routing.routes import Route
from typed_pubsub.routing.rows import RowRoute
from typed_pubsub.routing.table import Policy, RoutingTable
from typed_pubsub.settings.sources import resolve


def read_table(config: PubSubConfig, registry: Registry) -> tuple[RoutingTable | None, list[Finding]]:
    """The compiled mapping, or what stands against it."""
    try:
        return config.routing_table(registry), []
    except MisconfigurationException as error:
        return None, [nowhere(error)]
    except DefinitionError as error:
        problems = [*_each(config, registry)] or [str(error)]
        return None, [finding("TP301", "TASK_MAPPING", one, "correct the route or the row") for one in problems]
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the module that TASK_MAPPING names is imported
        return None, [finding("TP104", "TASK_MAPPING", told(error), "mend the module that it names")]


def check_routes(table: RoutingTable, registry: Registry, *, require_models: bool) -> Iterator[Finding]:
    """What the routes say of themselves."""
    if not table.routes:
        yield finding("TP309", "TASK_MAPPING", "no event causes a task: each would be a dead letter", "add a route")
    for route in table.routes:
        if isinstance(route, RowRoute) and not models_of(route, registry):
            yield _unmodelled(route, require_models=require_models)


def check_tasks(routes: Iterable[Route], known: AbstractSet[str]) -> Iterator[Finding]:
    """The tasks of the routes against those that the app has."""
    for route in routes:
        where, place = f"route {route.name}", route_place(route)
        for name in sorted(route.local_tasks() - known):
            fix = "import its module where the app is made; a task of another service is a remote_task"
            yield finding("TP302", where, f"the Celery app has no task {name!r}", fix, place)
        named = {route.task} if isinstance(route, RowRoute) else route.remote_tasks()
        for name in sorted(named - known):
            told = f"task {name!r} is another service's, or nobody's: the app has none of this name"
            fix = "see that a worker knows it; Celery's workers drop tasks that they do not know"
            yield finding("TP306", where, told, fix, place)


def models_of(route: Route, registry: Registry) -> list[EventClass]:
    """The newest models of the events that a route may get."""
    if route.events:
        return list(route.events)
    found: dict[str, EventClass] = {}
    for key in route.binding_keys:
        for event in registry:
            template = meta_of(event).key
            if registry.newest(template.text) is event and crossing(key, template.binding_key):
                found[template.text] = event
    return list(found.values())


def crossing(one: str, other: str) -> bool:
    """Whether there is a routing key that both binding keys match."""
    return _crossing(one.split("."), other.split("."))


def _each(config: PubSubConfig, registry: Registry) -> Iterator[str]:
    """What is wrong with each row or route by itself."""
    mapping: Any = resolve("TASK_MAPPING", config.task_mapping)
    tries: list[Callable[[], object]] = (
        [partial(RowRoute.parse, row, f"PUBSUB_TASK_MAPPING[{index}]") for index, row in enumerate(mapping)]
        if is_list(mapping)
        else [partial(RoutingTable, TaskMapping.of([route]), registry, Policy("")) for route in mapping.routes]
    )
    for attempt in tries:
        try:
            attempt()
        except DefinitionError as error:
            yield str(error)


def _crossing(one: list[str], other: list[str]) -> bool:
    if not one or not other:
        return set(one) | set(other) <= {"#"}
    if one[0] == "#":
        return _crossing(one[1:], other) or _crossing(one, other[1:])
    if other[0] == "#":
        return _crossing(other, one)
    same = one[0] == other[0] or "*" in (one[0], other[0])
    return same and _crossing(one[1:], other[1:])


def _unmodelled(route: RowRoute, *, require_models: bool) -> Finding:
    where, place = f"route {route.name}", route_place(route)
    fix = "bind an Event to the key: its bodies are then validated before the row sees them"
    if require_models:
        told = f"no event is bound to {route.binding_key!r}, and REQUIRE_MODELS makes each one a dead letter"
        return finding("TP308", where, told, fix, place)
    told = f"no event is bound to {route.binding_key!r}: any JSON object reaches the row"
    return finding("TP307", where, told, fix, place)
