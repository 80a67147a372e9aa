"""Events of the tests of publishers."""

from collections.abc import Callable

from typed_pubsub import Event, Publisher, Registry, StructEvent

REGISTRY = Registry()


class Loaded(Event, routing_key="etl.{source}.loaded", version=2, registry=REGISTRY):
    source: str
    rows: int = 0


class Scored(StructEvent, routing_key="app.scored", registry=REGISTRY):
    home: int = 0


Make = Callable[..., Publisher]
