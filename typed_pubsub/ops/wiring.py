"""What a subscriber is about to do: from where to where, and by which routes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from typed_pubsub.brokers.event_broker import masked
from typed_pubsub.config import PubSubConfig
from typed_pubsub.events.registry import meta_of
from typed_pubsub.routing.routes import Route
from typed_pubsub.settings.sqlite_url import is_sqlite_url
from typed_pubsub.tasks.app_connection import app_broker


@dataclass(frozen=True, slots=True)
class WiredRoute:
    """One event of one route: ``event`` is the model and its version, None for a row; ``tasks``: those known."""

    routing_key: str
    event: str | None
    route: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wiring:
    """A subscriber's brokers, without passwords, its queue and its routes.

    ``queue_type`` is that of the settings: an existing queue is used as it is found.
    """

    broker: str
    exchange: str
    queue: str
    queue_type: str
    prefetch: int
    processes: int
    celery_broker: str
    routes: tuple[WiredRoute, ...]


def wiring(config: PubSubConfig, routes: Iterable[Route], app: Any, processes: int = 1) -> Wiring:
    """The wiring of a subscriber with these settings and this Celery app, one of so many processes."""
    return Wiring(
        broker=masked(config.broker_url),
        exchange=config.exchange,
        queue=str(config.queue_name),
        queue_type="embedded" if is_sqlite_url(config.broker_url) else config.queue_type,
        prefetch=config.prefetch,
        processes=processes,
        celery_broker=app_broker(app),
        routes=tuple(wired for route in routes for wired in _wired(route)),
    )


def _wired(route: Route) -> Iterator[WiredRoute]:
    tasks = tuple(sorted(route.tasks()))
    for event in route.events:
        meta = meta_of(event)
        yield WiredRoute(meta.key.text, f"{event.__qualname__} (v{meta.version})", route.name, tasks)
    if not route.events:
        for key in route.binding_keys:
            yield WiredRoute(key, None, route.name, tasks)
