"""What only Structs can do, and events that change from a model to a Struct or back."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import AwareDatetime, StringConstraints

from tests.schema.evolutions.evolution import COUNTS, Evolution, event, evolution, retyped
from typed_pubsub.events import Event, StructEvent


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Row(msgspec.Struct, array_like=True):
    a: int
    b: int = 0


class LongRow(msgspec.Struct, array_like=True):
    a: int
    b: int = 0
    c: int = 0


class MustRow(msgspec.Struct, array_like=True):
    a: int
    b: int
    c: int


class ClosedRow(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    a: int
    b: int = 0


class TaggedRow(msgspec.Struct, array_like=True, tag="row"):
    a: int
    b: int = 0


class TaggedText(msgspec.Struct, array_like=True, tag="text"):
    text: str


class Plain(msgspec.Struct):
    a: int
    b: int = 0


class Omitting(msgspec.Struct, omit_defaults=True):
    a: int
    b: int = 0


REQUIRED = event({"x": int, "y": int}, StructEvent)
DEFAULT = event({"x": int, "y": (int, 0)}, StructEvent)
CLOSED = event({"x": int, "y": (int, 0)}, StructEvent, forbid_unknown_fields=True)
OMITTING = event({"x": int, "y": (int, 0)}, StructEvent, omit_defaults=True)
MAYBE = event({"x": int, "y": (int | UnsetType, UNSET)}, StructEvent)
TAGGED = event({"x": int}, StructEvent, tag="happened")
XS = [{"x": count} for count in COUNTS]
XYS = [{"x": count, "y": count} for count in COUNTS]
ROWS = [[1, 2], [0, 0], [2**31, -1]]
CALLED = [{"x": count, "type": "happened"} for count in COUNTS]

MODEL = event(
    {
        "id": UUID,
        "at": AwareDatetime,
        "price": Decimal,
        "colour": Colour,
        "note": (str | None, None),
        "tags": dict[str, list[int]],
        "seen": set[int],
        "pair": tuple[int, str],
        "ratio": float,
    }
)
STRUCT = event(
    {
        "id": UUID,
        "at": Annotated[datetime, msgspec.Meta(tz=True)],
        "price": Decimal,
        "colour": Colour,
        "note": (str | None, None),
        "tags": dict[str, list[int]],
        "seen": set[int],
        "pair": tuple[int, str],
        "ratio": float,
    },
    StructEvent,
)
WHOLE: list[dict[str, Any]] = [
    {
        "id": UUID(int=count % 2**128),
        "at": datetime(2026, 1, 1 + index, tzinfo=UTC),
        "price": Decimal(count) / 10,
        "colour": ("red", "green")[index % 2],
        "note": (None, "", "é")[index % 3],
        "tags": {str(count): [*COUNTS[:index]]},
        "seen": {*COUNTS[:index]},
        "pair": (count, "\n"),
        "ratio": float(count),
    }
    for index, count in enumerate(COUNTS)
]
LETTERS: Any = Annotated[str, msgspec.Meta(pattern="^[a-z]+$")]
SAID_LETTERS: Any = Annotated[str, StringConstraints(pattern="^[a-z]+$")]
BETWEEN: tuple[tuple[Any, Any, str], ...] = ((Event, StructEvent, "a model to a Struct"), (StructEvent, Event, "back"))

OF_STRUCTS = [
    evolution(
        "defaults left out that are needed (Struct)",
        REQUIRED,
        OMITTING,
        samples_old=XYS,
        refused_forward={"x": 1, "y": 0},
    ),
    evolution("defaults left out that had one (Struct)", DEFAULT, OMITTING, samples=XYS),
    evolution("defaults left out no more (Struct)", OMITTING, REQUIRED, refused_back={"x": 1, "y": 0}, samples_new=XYS),
    evolution("a field unset (Struct)", REQUIRED, MAYBE, samples_old=XYS, refused_forward={"x": 1}),
    evolution("a field with a default unset (Struct)", DEFAULT, MAYBE, samples_old=XYS, samples_new=[*XYS, *XS]),
    evolution("a field unset no more (Struct)", MAYBE, REQUIRED, refused_back={"x": 1}, samples_new=XYS),
    evolution(
        "a tag added to an event (Struct)", event({"x": int}, StructEvent), TAGGED, samples_old=XS, samples_new=CALLED
    ),
    evolution(
        "a tag added to an event that was closed (Struct)",
        event({"x": int}, StructEvent, forbid_unknown_fields=True),
        TAGGED,
        samples_old=XS,
        refused_forward=CALLED[0],
    ),
    evolution(
        "an event's tag changed (Struct)",
        TAGGED,
        event({"x": int}, StructEvent, tag="passed"),
        refused_back=CALLED[0],
        refused_forward={"x": 1, "type": "passed"},
    ),
    evolution(
        "a tag that a field takes over (Struct)",
        TAGGED,
        event({"x": int, "type": str}, StructEvent),
        samples_old=CALLED,
        refused_forward={"x": 1, "type": "a"},
    ),
    evolution(
        "a tag that a field of another type takes over (Struct)",
        TAGGED,
        event({"x": int, "type": int}, StructEvent),
        refused_back=CALLED[0],
        refused_forward={"x": 1, "type": 1},
    ),
    evolution("closed, with a default left out (Struct)", OMITTING, CLOSED, samples=XYS),
    retyped(
        "a row gets an optional field (Struct)",
        Row,
        LongRow,
        old_values=ROWS,
        new_values=[[1], [1, 2, 3]],
        base=StructEvent,
    ),
    retyped(
        "a row gets a required field (Struct)",
        Row,
        MustRow,
        refused_back=[1, 2],
        new_values=[[1, 2, 3]],
        base=StructEvent,
    ),
    retyped(
        "a closed row gets an optional field (Struct)",
        ClosedRow,
        LongRow,
        old_values=ROWS,
        refused_forward=[1, 2, 3],
        base=StructEvent,
    ),
    retyped("a row closed (Struct)", Row, ClosedRow, values=ROWS, base=StructEvent),
    retyped(
        "a list to a closed row (Struct)",
        list[int],
        ClosedRow,
        refused_back=[1, 2, 3],
        new_values=ROWS,
        base=StructEvent,
    ),
    retyped(
        "a row tagged (Struct)", Row, TaggedRow, refused_back=[1, 2], refused_forward=["row", 1, 2], base=StructEvent
    ),
    retyped(
        "a tagged row to a list (Struct)",
        TaggedRow,
        list[int],
        refused_back=["row", 1, 2],
        refused_forward=[1],
        base=StructEvent,
    ),
    retyped(
        "a branch added to tagged rows (Struct)",
        TaggedRow,
        TaggedRow | TaggedText,
        old_values=[["row", 1, 2]],
        refused_forward=["text", "a"],
        base=StructEvent,
    ),
    retyped("a row to an object (Struct)", Row, Plain, refused_back=[1, 2], refused_forward={"a": 1}, base=StructEvent),
    retyped("a row to a tuple (Struct)", Row, tuple[int, int], old_values=ROWS, new_values=[(1, 2)], base=StructEvent),
    retyped(
        "a Struct within leaves out defaults (Struct)",
        Plain,
        Omitting,
        values=[{"a": 1, "b": 0}, {"a": 1, "b": 1}],
        base=StructEvent,
    ),
    retyped(
        "a mapping of what leaves out defaults (Struct)",
        dict[str, Omitting],
        dict[str, dict[str, int]],
        old_values=[{}, {"a": {"a": 1}}],
        refused_forward={"a": {}},
        base=StructEvent,
    ),
]

OF_BOTH = [
    retyped(
        "a pattern of a Struct, whose end may be a line's, to a model",
        LETTERS,
        SAID_LETTERS,
        refused_back="a\n",
        new_values=("a", "zz", "abc"),
        base=(StructEvent, Event),
    ),
    evolution("a model to a Struct of equal fields", MODEL, STRUCT, samples=WHOLE),
    evolution("a Struct to a model of equal fields", STRUCT, MODEL, samples=WHOLE),
    evolution(
        "a model to a Struct that leaves out defaults",
        event({"x": int, "y": int}),
        OMITTING,
        samples_old=XYS,
        refused_forward={"x": 1, "y": 0},
    ),
    evolution(
        "a closed model to an open Struct with more",
        event({"x": int}, extra="forbid"),
        DEFAULT,
        samples_old=XS,
        refused_forward={"x": 1, "y": 1},
    ),
    *(
        retyped(f"int to float, {there}", int, float, old_values=COUNTS, refused_forward=1.5, base=(old, new))
        for old, new, there in BETWEEN
    ),
    *(
        retyped(
            f"an enum made nullable, {there}",
            Colour,
            Colour | None,
            old_values=("red", "green"),
            refused_forward=None,
            base=(old, new),
        )
        for old, new, there in BETWEEN
    ),
    *(
        retyped(
            f"Decimals in a mapping by UUID, {there}",
            dict[UUID, Decimal],
            dict[UUID, Decimal],
            values=[{}, {UUID(int=1): Decimal("0.10")}],
            base=(old, new),
        )
        for old, new, there in BETWEEN
    ),
]

EVOLUTIONS: list[Evolution] = [*OF_STRUCTS, *OF_BOTH]
