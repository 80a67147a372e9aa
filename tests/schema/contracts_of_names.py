# ruff: noqa: RUF012  # as their users write them
"""Event classes with names, notes and companions of all kinds for their members, and all models there are."""

from datetime import date
from typing import Annotated, NotRequired, TypeAlias
from uuid import UUID

from pydantic import AliasChoices, AliasPath, BaseModel, Field, with_config
from typing_extensions import TypeAliasType, TypedDict

from tests.schema.contracts_of_models import MANY, Colour, Leaf, Level, ModelContract


class Named(ModelContract, routing_key="named", extra="forbid"):
    from_: int = Field(alias="from")
    json_: str = Field(alias="json")
    dashed: str = Field(default="x", alias="with-dash")
    private: int = Field(alias="_private")
    digit: int = Field(alias="2nd")
    unspeakable: int = Field(alias="é")
    b: int = Field(validation_alias=AliasChoices("b", "bee", AliasPath("old", 0)))
    c: int | None = Field(default=None, validation_alias=AliasPath("old", "c"))
    class_: int = Field(validation_alias=AliasChoices("class", "klass"), serialization_alias="class")


_Date: TypeAlias = date
_Str: TypeAlias = str
_UUID: TypeAlias = UUID
_Leaf: TypeAlias = Leaf
_Share: TypeAlias = Annotated[float, Field(ge=0)]


class Shadows(ModelContract, routing_key="shadows.{date}.{str}"):
    """Members called like what types of others are made of."""

    date: _Date
    day: _Date
    str: _Str
    word: _Str | None = None
    int: list["Level"] = []
    UUID: _UUID
    Field: _Share = 1.0
    Leaf: _Leaf


class Options(TypedDict):
    size: Annotated[int, Field(ge=0)]
    colour: NotRequired[Colour]


@with_config(extra="forbid")
class ClosedOptions(TypedDict):
    size: NotRequired[int]


class Dicts(ModelContract, routing_key="dicts"):
    options: Options
    closed: ClosedOptions | None = None


Json = TypeAliasType("Json", "dict[str, Json] | list[Json] | str | None")
Short = TypeAliasType("Short", Annotated[str, Field(max_length=3)])
Pair = TypeAliasType("Pair", tuple[int, int])


class Aliases(ModelContract, routing_key="aliases"):
    json_value: Json
    short: Short = "abc"
    shorts: list[Short]
    pair: Pair = (1, 2)


class Open(ModelContract, routing_key="open", extra="allow"):
    x: int


class Extras(BaseModel, extra="allow"):
    __pydantic_extra__: dict[str, Annotated[int, Field(ge=0)]]

    name: str


class HalfOpen(ModelContract, routing_key="half.open"):
    extras: Extras


class Told(ModelContract, routing_key="told", json_schema_extra={"x-owner": "team", "examples": [{"old": 1}]}):
    old: int = Field(default=0, deprecated=True, title="Old", description="Was used.\nLong ago.", examples=[1, 2])
    weight: float = Field(json_schema_extra={"x-unit": "kg", "readOnly": True})
    mail: Annotated[str, Field(json_schema_extra={"format": "email"})] = Field(description="TODO: a mail")


class Left(ModelContract, routing_key="left"):
    note: str | None = Field(default=None, exclude_if=lambda value: value is None)
    count: int = 0


class Long(
    ModelContract,
    routing_key="long.words.that.go.on.and.on.until.the.line.has.no.room.for.them.any.more.{tenant}.at.all",
):
    tenant: str
    pattern: Annotated[
        str, Field(pattern="^(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen)$")
    ]
    maybe: Annotated[str, Field(pattern="^(one|two|three|four|five|six|seven|eight|nine|ten|eleven)$")] | None = None
    by_name: dict[
        str, list[Annotated[int, Field(ge=1_000_000_000, le=2_000_000_000)] | Annotated[str, Field(min_length=10)]]
    ]
    text: str = (
        "a default that is so long that it does not fit on a line with its member, however one may look at it, no"
    )
    texts: list[str] = [
        "a default so long that it does not fit on a line",
        "with its member, however",
        "one looks at it, no",
    ]
    many: MANY | None = None
    told: Annotated[int, Field(ge=1)] = Field(
        default=1, description="What is told of it goes on for so long that it wraps."
    )


class Empty(ModelContract, routing_key="empty"):
    pass


#: Those of values and holders too.
MODELS: list[type[ModelContract]] = ModelContract.__subclasses__()
