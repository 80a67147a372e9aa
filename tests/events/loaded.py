"""An event of five versions, with an upcast from each."""

from decimal import Decimal
from typing import Any

from typed_pubsub.events import Event, Registry, StructEvent, upcast

REGISTRY = Registry()
KEY = "etl.crm.loaded"


class LoadedV2(StructEvent, routing_key="etl.{source}.loaded", version=2, registry=REGISTRY):
    source: str
    count: int
    seen: tuple[int, ...] = ()


class LoadedV3(Event, routing_key="etl.{source}.loaded", version=3, registry=REGISTRY):
    source: str
    rows: Decimal


class Loaded(StructEvent, routing_key="etl.{source}.loaded", version=5, registry=REGISTRY):
    source: str
    rows: Decimal
    unit: str


@upcast.body(Loaded, version=1)
def v1_to_v2(body: dict[str, Any]) -> dict[str, Any]:
    return {"source": body["source"], "count": int(body["n"])}


@upcast
def v2_to_v3(old: LoadedV2) -> LoadedV3:
    return LoadedV3(source=old.source, rows=Decimal(old.count))


@upcast.body(Loaded, version=3, to=4)
def v3_to_v4(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"unit": "rows"}


@upcast.body(Loaded, version=4)
def v4_to_v5(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "rows": Decimal(body["rows"])}


def two_versions() -> tuple[Registry, Any, Any]:
    """A registry with two models of ``a.{x}``."""
    registry = Registry()

    class Old(Event, routing_key="a.{x}", registry=registry):
        x: str
        number: int = 0

    class New(Event, routing_key="a.{x}", version=2, registry=registry):
        x: str
        number: int = 0

    return registry, Old, New
