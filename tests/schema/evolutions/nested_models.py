"""The classes that evolutions within an event are made of."""

from dataclasses import InitVar, dataclass, field
from typing import Generic, NamedTuple, NotRequired, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from typed_pubsub.events import Event, Registry, StructEvent

T = TypeVar("T")


class Line(BaseModel):
    sku: str


class LineMay(BaseModel):
    sku: str
    title: str = ""


class LineMust(BaseModel):
    sku: str
    title: str


class Row(BaseModel):
    sku: str


class ClosedLine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: str


class Counted(BaseModel):
    a: int = 0
    b: int = 0


class Tree(BaseModel):
    value: int
    children: list["Tree"] = Field(default_factory=list)


class TreeMay(BaseModel):
    value: int
    children: list["TreeMay"] = Field(default_factory=list)
    note: str | None = None


class TreeMust(BaseModel):
    value: int
    children: list["TreeMust"]
    note: str


class WideTree(BaseModel):
    value: float
    children: list["WideTree"] = Field(default_factory=list)


class Even(BaseModel):
    odd: "Odd | None" = None


class Odd(BaseModel):
    even: Even | None = None


class OddMust(BaseModel):
    even: "EvenMust | None"
    note: str


class EvenMust(BaseModel):
    odd: OddMust | None = None


class Chain(Event, routing_key="happened", registry=Registry()):
    inner: "Chain | None" = None


class ChainMay(Event, routing_key="happened", registry=Registry()):
    inner: "ChainMay | None" = None
    note: str = ""


class ChainMust(Event, routing_key="happened", registry=Registry()):
    inner: "ChainMust | None" = None
    note: str


class SLine(msgspec.Struct):
    sku: str


class SLineMay(msgspec.Struct):
    sku: str
    title: str = ""


class SLineMust(msgspec.Struct):
    sku: str
    title: str


class SRow(msgspec.Struct):
    sku: str


class SClosedLine(msgspec.Struct, forbid_unknown_fields=True):
    sku: str


class SCounted(msgspec.Struct):
    a: int = 0
    b: int = 0


class STree(msgspec.Struct):
    value: int
    children: list["STree"] = []


class STreeMay(msgspec.Struct):
    value: int
    children: list["STreeMay"] = []
    note: str | None = None


class STreeMust(msgspec.Struct):
    value: int
    children: list["STreeMust"]
    note: str


class SWideTree(msgspec.Struct):
    value: float
    children: list["SWideTree"] = []


class Whole(TypedDict):
    a: int
    b: int


class Part(TypedDict):
    a: int
    b: NotRequired[int]


class Pair(NamedTuple):
    a: int
    b: int = 0


class Triple(NamedTuple):
    a: int
    b: int = 0
    c: int = 0


@dataclass
class Point:
    a: int
    b: int = 0


@dataclass(slots=True)
class SlottedPoint:
    a: int
    b: int = 0


@dataclass
class PointOf2:
    a: int
    b: int


@dataclass
class PointOf3:
    a: int
    b: int
    c: int


class Changed(Event, Generic[T], registry=Registry()):
    x: T
    old: T | None = None


class IntChanged(Changed[int], routing_key="happened"):
    pass


class FloatChanged(Changed[float], routing_key="happened", registry=Registry()):
    pass


class SChanged(StructEvent, Generic[T], registry=Registry()):
    x: T
    old: T | None = None


class SIntChanged(SChanged[int], routing_key="happened"):
    pass


class SFloatChanged(SChanged[float], routing_key="happened", registry=Registry()):
    pass


class Page(BaseModel, Generic[T]):
    items: list[T]


@dataclass
class Numbered:
    a: int
    b: int = field(default=0, init=False)


@dataclass
class Weighed:
    a: int
    weight: InitVar[int] = 0


class Named(BaseModel):
    a: int
    b: str


class ClosedA(BaseModel):
    model_config = ConfigDict(extra="forbid")

    a: int
