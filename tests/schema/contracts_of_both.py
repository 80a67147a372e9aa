"""Contracts as both kinds of event have them."""

from datetime import date, datetime, timedelta
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from pydantic import AwareDatetime, BaseModel, Field

from typed_pubsub.events import Event, Registry, StructEvent


class Colour(Enum):
    RED = "red"


class Line(BaseModel):
    """A line."""

    sku: str
    title: str = ""


class StructLine(msgspec.Struct):
    """A line."""

    sku: str
    title: str = ""


class Paid(Event, routing_key="paid.{shop}", version=3, registry=Registry()):
    """An order is paid."""

    shop: str
    order_id: UUID
    at: AwareDatetime
    day: date
    took: timedelta
    colour: Colour
    kind: Literal["a", "b"]
    lines: list[Line]
    count: Annotated[int, Field(ge=0)] = 0
    note: str | None = None


class StructPaid(StructEvent, routing_key="paid.{shop}", version=3, registry=Registry()):
    """An order is paid."""

    shop: str
    order_id: UUID
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    day: date
    took: timedelta
    colour: Colour
    kind: Literal["a", "b"]
    lines: list[StructLine]
    count: Annotated[int, msgspec.Meta(ge=0)] = 0
    note: str | None = None


class Node(Event, routing_key="node", registry=Registry()):
    inner: "Node | None" = None


class StructNode(StructEvent, routing_key="node", registry=Registry()):
    inner: "StructNode | None" = None
