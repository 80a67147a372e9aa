"""All findings of one service, in a stable order."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from typed_pubsub.config import PubSubConfig
from typed_pubsub.events.registry import Registry, default_registry
from typed_pubsub.ops.checks import broker, celery, events, routes, schemas, settings
from typed_pubsub.ops.checks.rules import Finding, finding
from typed_pubsub.routing.table import RoutingTable
from typed_pubsub.schema.gate import counterexamples
from typed_pubsub.tasks.rehearsal import Rehearsal


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at.

    ``run``: whether conditions and handlers are tried; ``app``: whether the Celery app is asked for; ``schemas``:
    where the schema files are, None: they are not looked at; ``broker``: seconds for asking the event broker, None: it
    is not asked; ``passing``: errors of the caller's own.
    """

    run: bool = True
    app: bool = True
    schemas: Path | None = None
    broker: float | None = None
    passing: tuple[type[BaseException], ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings by id and place, and what they are of: ``tried`` counts generated events."""

    findings: tuple[Finding, ...]
    events: int = 0
    routes: int = 0
    tried: int = 0


def check(read_config: Callable[[], PubSubConfig], wanted: Wanted, registry: Registry = default_registry) -> Checked:
    """Everything that there is to say of a service.

    Args:
        read_config: gives its settings, and may import it.
        wanted: what is looked at.
        registry: where its events are.
    """
    config, found = settings.read_settings(read_config, wanted.passing)
    if config is None:
        return _sorted(found)
    found += settings.check_settings(config)
    found += events.load_events(config.events)
    found += events.check_events(registry, config.default_version, schemas.reasons(wanted.schemas))
    found += settings.check_default_version(config, registry)
    search = counterexamples()
    if wanted.schemas is not None:
        found += schemas.check_schemas(registry, wanted.schemas, search)
    counts = (0, 0)
    if settings.is_subscriber(config):
        table, problems = routes.read_table(config, registry)
        found += problems
        if table is not None:
            found += routes.check_routes(table, registry, require_models=config.require_models)
            found += events.check_deprecated(table.routes)
            tried = _of_app(config, table, registry, wanted, found) if wanted.app else 0
            counts = (len(table.routes), tried)
    if wanted.broker is not None:
        found += broker.check_broker(config, registry, wanted.broker)
    return _sorted(found, len(registry), *counts)


def _of_app(config: PubSubConfig, table: RoutingTable, registry: Registry, wanted: Wanted, found: list[Finding]) -> int:
    """Adds what needs the Celery app; how many events were tried."""
    rehearsal, problems = celery.read_app(config, lambda hazard: found.append(celery.as_finding(hazard)))
    found += problems
    if rehearsal is None:
        return 0
    found += routes.check_tasks(table.routes, rehearsal.tasks)
    found += celery.check_app(config, rehearsal, table.routes)
    if not wanted.run:
        return 0
    if counterexamples() is None:
        told = "the routes were not tried: that needs Hypothesis"
        found.append(finding("TP310", "TASK_MAPPING", told, "pip install 'typed-pubsub[cli]'"))
        return 0
    return _try(table, registry, rehearsal, found)


def _try(table: RoutingTable, registry: Registry, rehearsal: Rehearsal, found: list[Finding]) -> int:
    # Hypothesis comes with an extra.
    from typed_pubsub.ops.checks.trying import RouteTrials  # noqa: PLC0415

    trials = RouteTrials(table, registry, rehearsal)
    for route in table.routes:
        found += trials.findings(route)
    return trials.tried


def _sorted(found: list[Finding], events: int = 0, routes: int = 0, tried: int = 0) -> Checked:
    ordered = sorted(dict.fromkeys(found), key=lambda one: (one.id, one.where, one.message))
    return Checked(tuple(ordered), events, routes, tried)
