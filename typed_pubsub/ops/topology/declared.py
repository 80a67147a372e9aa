"""What a service declares at its broker, by its settings and its mapping."""

from dataclasses import replace

from typed_pubsub.brokers.topology import dead_letter_arguments, dead_letter_queue, queue_arguments
from typed_pubsub.config import PubSubConfig
from typed_pubsub.events.registry import Registry, default_registry, meta_of
from typed_pubsub.ops.topology.values import Declared, Exchange, Queue
from typed_pubsub.routing.routes import Route
from typed_pubsub.settings.sqlite_url import is_sqlite_url


def declared_by(config: PubSubConfig, registry: Registry = default_registry) -> Declared:
    """What the subscriber of a service declares; where no QUEUE_NAME is set, its publisher: the exchange.

    Raises:
        MisconfigurationException: a setting that subscribing needs is missing, or a module cannot be found.
        DefinitionError: an event, a route or a row is declared wrongly.
    """
    exchange = Exchange(config.exchange)
    if not config.queue_name:
        return Declared(exchange)
    config.load_events()
    registry.prepare()
    table = config.routing_table(registry)
    queues = declared_queues(config, limits_deliveries=is_sqlite_url(config.broker_url))
    serves = {key: tuple(_told(route, key) for route in table.routes if key in route.binding_keys)
              for key in table.binding_keys}  # fmt: skip
    return Declared(exchange, queues, table.binding_keys, serves)


def at_version(declared: Declared, server_version: tuple[int, ...], config: PubSubConfig) -> Declared:
    """What is declared at a broker of this version (see Link), which is known once it was asked."""
    if not declared.queues:
        return declared
    limits_deliveries = is_sqlite_url(config.broker_url)
    queues = declared_queues(config, limits_deliveries=limits_deliveries, server_version=server_version)
    return replace(declared, queues=queues)


def declared_queues(
    config: PubSubConfig, *, limits_deliveries: bool, server_version: tuple[int, ...] = ()
) -> tuple[Queue, ...]:
    """The dead-letter queue and the event queue; the other arguments are the broker's (see Link)."""
    name, quorum = str(config.queue_name), config.queue_type == "quorum"
    of_letters = dead_letter_arguments(
        quorum=quorum, limits_deliveries=limits_deliveries, server_version=server_version
    )
    return (
        Queue(dead_letter_queue(name), of_letters),
        Queue(name, queue_arguments(name, quorum=quorum, limits_deliveries=limits_deliveries)),
    )


def _told(route: Route, key: str) -> str:
    """A route as it is told of: its event and its name."""
    events = [event.__qualname__ for event in route.events if meta_of(event).key.binding_key == key]
    return " ".join([*events, "->", route.name]) if events else f"row {route.name}"
