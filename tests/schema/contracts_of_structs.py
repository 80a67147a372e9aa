# ruff: noqa: RUF012  # as their users write them
"""Event classes of every kind of member that a Struct can have, for tests of what is made of their schemas."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from typed_pubsub.events import Registry, StructEvent


class StructContract(StructEvent, abstract=True, registry=Registry()):
    pass


class StructNumbers(StructContract, routing_key="numbers", version=3):
    """Numbers."""

    small: Annotated[int, Meta(ge=0, lt=10)]
    even: Annotated[int, Meta(gt=-2, le=100, multiple_of=2)] = 4
    share: Annotated[float, Meta(ge=0, le=1.5)] = 0.5
    maybe: Annotated[float, Meta(gt=0)] | None = None
    flag: bool = False


class StructTexts(StructContract, routing_key="texts"):
    short: Annotated[str, Meta(min_length=1, max_length=3)]
    code: Annotated[str, Meta(pattern=r"^[A-Z]{2}\d+$")] = "AB1"
    mail: Annotated[str, Meta(extra_json_schema={"format": "email"})]
    told: Annotated[str, Meta(title="T", description="D", examples=["x"], extra_json_schema={"x-unit": "kg"})] = "x"
    raw: Annotated[bytes, Meta(max_length=8)] = b"it's"


class StructMoments(StructContract, routing_key="moments"):
    id: UUID = UUID("12345678-1234-5678-1234-567812345678")
    day: date = date(2024, 1, 1)
    at: Annotated[datetime, Meta(tz=True)] = datetime(2024, 1, 1, 12, tzinfo=UTC)
    either: datetime
    local: Annotated[datetime, Meta(tz=False)]
    clock: Annotated[time, Meta(tz=True)]
    any_clock: time = time(12, 30)
    took: timedelta = timedelta(minutes=2)
    price: Decimal = Decimal("1.50")
    prices: dict[str, Decimal] = {}


class StructColour(Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class StructLevel(IntEnum):
    LOW = -1
    HIGH = 1


class StructChoices(StructContract, routing_key="choices"):
    colour: StructColour = StructColour.BLUE
    level: StructLevel | None = StructLevel.LOW
    word: Literal["a", "b"] = "a"
    one: Literal[1]
    by_colour: dict[StructColour, int] = {}


class StructPoint(msgspec.Struct, array_like=True, frozen=True):
    x: int
    y: int = 0


class StructHolders(StructContract, routing_key="holders"):
    names: Annotated[list[Annotated[str, Meta(max_length=3)]], Meta(min_length=1)]
    tags: set[str]
    deep: frozenset[tuple[int, ...]]
    pair: tuple[int, str] = (1, "a")
    nothing: tuple[()] = ()
    anything: list[Any] = []
    by_number: dict[int, list[str]] = {}
    by_id: dict[UUID, int]
    by_pattern: dict[Annotated[str, Meta(pattern="^x")], int]
    some: Annotated[dict[str, Any], Meta(min_length=1)]
    made: list[int] = field(default_factory=list)
    point: StructPoint
    points: list[StructPoint] = []


class StructLeaf(msgspec.Struct, frozen=True):
    """The end."""

    title: str = ""


class StructBranch(msgspec.Struct, frozen=True):
    leaf: StructLeaf
    first: StructLeaf = StructLeaf("first")
    maybe: StructLeaf | None = None


class StructNested(StructContract, routing_key="nested"):
    branch: StructBranch
    branches: list[StructBranch] = []
    by_name: dict[str, StructBranch]


class StructTree(StructContract, routing_key="tree"):
    left: "StructTree | None" = None
    twig: "StructTwig"


class StructTwig(msgspec.Struct):
    trees: list[StructTree] = []
    twigs: "dict[str, StructTwig]" = {}


class StructCat(msgspec.Struct, tag_field="kind", tag="cat"):
    lives: int = 9


class StructDog(msgspec.Struct, tag_field="kind", tag="dog", rename={"class_": "class"}):
    class_: str


class StructUnions(StructContract, routing_key="unions"):
    pet: StructCat | StructDog
    maybe: StructCat | StructDog | None = None
    pets: list[StructCat | StructDog]
    plain: int | str = 1
    number: int | float | None = None


class StructNamed(StructContract, routing_key="named", forbid_unknown_fields=True):
    from_: int = field(name="from")
    dashed: str = field(default="x", name="with-dash")
    private: int = field(name="_private")
    json: str


class StructOmitted(StructContract, routing_key="omitted", omit_defaults=True):
    x: int
    y: int = 0
    z: list[int] = []


class StructUnset(StructContract, routing_key="unset"):
    x: int = 0
    y: int | UnsetType = UNSET
    z: str | UnsetType | None = UNSET


class StructLong(
    StructContract, routing_key="long.words.that.go.on.and.on.until.there.is.no.room.for.more.{tenant}.at.all"
):
    tenant: str
    pattern: Annotated[str, Meta(pattern="^(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen)$")]
    maybe: Annotated[str, Meta(pattern="^(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)$")] | None = (
        None
    )
    text: str = (
        "a default that is so long that it does not fit on a line with its member, however one may look at it, no"
    )


STRUCTS: list[type[StructContract]] = StructContract.__subclasses__()
