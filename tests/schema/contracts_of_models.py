# ruff: noqa: PYI061, RUF012  # as their users write them
"""Event classes of every kind of member that a pydantic model can have, for tests of what is made of their schemas."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import (
    UUID4,
    AnyUrl,
    AwareDatetime,
    Base64Bytes,
    Base64UrlBytes,
    BaseModel,
    Field,
    HttpUrl,
    NaiveDatetime,
    PastDate,
    PastDatetime,
    PostgresDsn,
    SecretStr,
    StringConstraints,
    UrlConstraints,
)

from typed_pubsub.events import Event, Registry

MANY = Literal["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"]


class ModelContract(Event, abstract=True, registry=Registry()):
    pass


class Numbers(ModelContract, routing_key="numbers", version=3):
    """Numbers with all bounds.

    And a second paragraph, with "quotes" and a back\\slash.
    """

    small: Annotated[int, Field(ge=0, lt=10)]
    even: Annotated[int, Field(gt=-2, le=100, multiple_of=2)] = 4
    share: Annotated[float, Field(ge=0, le=1.5)] = 0.5
    maybe: Annotated[float, Field(gt=0)] | None = None
    flag: bool = False


class Texts(ModelContract, routing_key="texts"):
    """Texts that end in a "quote\""""

    short: Annotated[str, Field(min_length=1, max_length=3)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}\d+\"'$")] = "AB1"
    neat: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=80)] | None = None
    mail: Annotated[str, Field(json_schema_extra={"format": "email"})]
    quotes: str = "both ' and \" and \\ and \n"
    wide: str = "äöü 日本語 \u2028"


class Moments(ModelContract, routing_key="moments"):
    day: date
    since: Annotated[date, Field(ge=date(2020, 1, 1))]
    birth: PastDate
    at: AwareDatetime = datetime(2024, 1, 1, 12, tzinfo=UTC)
    either: datetime
    local: NaiveDatetime = datetime(2024, 1, 1, 12)  # noqa: DTZ001  # naive is the point
    gone: PastDatetime
    past: Annotated[AwareDatetime, PastDatetime]
    clock: time = time(12, 30)
    took: Annotated[timedelta, Field(le=timedelta(days=1, hours=3))] = timedelta(minutes=2, microseconds=5)


class Decimals(ModelContract, routing_key="decimals"):
    free: Decimal
    price: Annotated[Decimal, Field(max_digits=10, decimal_places=2, ge=0)] = Decimal("1.50")
    rate: Annotated[Decimal, Field(gt=Decimal("0.1"), multiple_of=Decimal("0.05"))] | None = None
    maybe: Decimal | None = None
    shares: dict[str, Decimal] = {}


class Formats(ModelContract, routing_key="formats"):
    any_id: UUID = UUID("12345678-1234-5678-1234-567812345678")
    random_id: UUID4
    raw: Annotated[bytes, Field(max_length=8)] = b"it's"
    coded: Base64Bytes = b"\xff\xfe"
    coded_parts: list[Base64UrlBytes | None] = [b"\xff\xfe", None]
    host: IPv4Address = IPv4Address("127.0.0.1")
    net: IPv6Network
    home: AnyUrl = AnyUrl("https://example.org/")
    page: HttpUrl
    database: PostgresDsn
    bucket: Annotated[AnyUrl, UrlConstraints(allowed_schemes=["s3"], host_required=True, max_length=60)]
    place: Path = Path("/tmp")
    secret: SecretStr
    shape: re.Pattern[str]


class Colour(Enum):
    """A colour."""

    RED = "red"
    DARK_BLUE = "dark blue"
    NONE = ""


class Level(IntEnum):
    LOW = -1
    HIGH = 1


class Choices(ModelContract, routing_key="choices"):
    colour: Colour = Colour.DARK_BLUE
    level: Level | None = Level.LOW
    word: Literal["a", "b"] = "a"
    one: Literal[1]
    mixed: Literal["a", 1, None]
    yes: Literal[True]
    many: MANY
    by_colour: dict[Colour, int] = {}


class Point(NamedTuple):
    x: int
    y: int = 0


class Holders(ModelContract, routing_key="holders"):
    names: Annotated[list[Annotated[str, Field(max_length=3)]], Field(min_length=1)]
    tags: set[str] = {"a"}
    deep: frozenset[tuple[int, ...]]
    pair: tuple[int, str] = (1, "a")
    one: tuple[int] = (1,)
    nothing: tuple[()] = ()
    anything: list[Any] = [1, {"a": None}]
    free: dict[str, Any] = {"a": [1]}
    by_number: dict[int, list[str]] = {1: ["a"]}
    by_id: dict[UUID, Annotated[int, Field(ge=1)]]
    by_word: Annotated[dict[Literal["x", "y"], int], Field(min_length=1)]
    by_pattern: dict[Annotated[str, Field(pattern="^x")], int]
    by_either: dict[int | UUID, int]
    made: list[int] = Field(default_factory=list)
    made_map: dict[str, int] = Field(default_factory=dict)
    point: Point


class Leaf(BaseModel, frozen=True):
    """The end."""

    title: str = ""
    marks: tuple[int, ...] = ()


class Branch(BaseModel):
    leaf: Leaf
    leaves: set[Leaf]
    first: Leaf = Leaf(title="first")
    maybe: Leaf | None = Field(default=None, description="The last, if any.", examples=[{"title": "x"}])


class Nested(ModelContract, routing_key="nested"):
    branch: Branch
    branches: list[Branch] = []
    by_name: dict[str, Branch]


class Tree(ModelContract, routing_key="tree"):
    left: "Tree | None" = None
    right: "list[Tree]" = []
    twig: "Twig"


class Twig(BaseModel):
    trees: list[Tree] = []
    twigs: "dict[str, Annotated[Twig, Field(description='smaller')]]" = {}


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog", "puppy"]
    class_: str = Field(alias="class")


class Fish(BaseModel):
    kind: Literal["fish"]
    copied: int = Field(alias="copy")


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Unions(ModelContract, routing_key="unions"):
    pet: Pet
    maybe: Pet | None = None
    pets: list[Annotated[Cat | Dog | Fish, Field(discriminator="kind")]]
    plain: int | str = 1
    id_or_word: UUID | Literal["none"] = "none"
    day_or_number: date | int | None = date(2024, 1, 1)
    model_or_list: Cat | list[Cat] | None = None
