"""Numbers widened and narrowed, their bounds moved; numbers against texts and booleans."""

from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, Literal

import msgspec
from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import StrictInt

from tests.schema.evolutions.evolution import COUNTS, Evolution, retyped
from typed_pubsub.events import Event, StructEvent

RATIOS = (0.0, -0.0, 1.5, -1e300, 5e-324, 1e16)
POSITIVE = (1, 2, 3, 255, 2**31, 2**53)


class Level(IntEnum):
    LOW = 1
    HIGH = 2


def _bound(kind: Any, **bounds: Any) -> Any:
    """A number with bounds, in a form for both kinds of event."""
    return Annotated[kind, msgspec.Meta(**bounds)]


def _annotated(kind: Any, **bounds: Any) -> Any:
    words: dict[str, Any] = {"ge": Ge, "gt": Gt, "le": Le, "lt": Lt, "multiple_of": MultipleOf}
    return Annotated[(kind, *(words[name](bound) for name, bound in bounds.items()))]


def _of_both(number: Any, suffix: str, base: Any) -> list[Evolution]:
    return [
        retyped(
            f"int to float{suffix}",
            int,
            float,
            old_values=COUNTS,
            new_values=RATIOS,
            refused_forward=1.5,
            base=base,
        ),
        retyped(f"int to str{suffix}", int, str, refused_back=1, refused_forward="a", base=base),
        retyped(f"float to str{suffix}", float, str, refused_back=1.5, refused_forward="a", base=base),
        retyped(f"bool to str{suffix}", bool, str, refused_back=True, refused_forward="a", base=base),
        retyped(
            f"a number of ge=1 said as gt=0{suffix}", number(int, ge=1), number(int, gt=0), values=POSITIVE, base=base
        ),
        retyped(
            f"a number of le=9 said as lt=10{suffix}",
            number(int, le=9),
            number(int, lt=10),
            values=(9, *COUNTS[:4]),
            base=base,
        ),
        retyped(
            f"a lower bound of a float made exclusive{suffix}",
            number(float, ge=0),
            number(float, gt=0),
            refused_back=0.0,
            new_values=(5e-324, 0.1, 1.0, 1e300),
            base=base,
        ),
        retyped(
            f"an upper bound of a float moved down{suffix}",
            number(float, le=1),
            number(float, le=0.5),
            refused_back=0.75,
            new_values=(0.5, 0.0, -1e300),
            base=base,
        ),
        retyped(
            f"a lower bound of an int moved up by one{suffix}",
            number(int, ge=0),
            number(int, ge=1),
            refused_back=0,
            new_values=POSITIVE,
            base=base,
        ),
        retyped(
            f"an upper bound of an int removed{suffix}",
            number(int, le=9),
            int,
            old_values=(9, *COUNTS[:3]),
            refused_forward=10,
            base=base,
        ),
        retyped(
            f"an int of steps of 10 in steps of 5{suffix}",
            number(int, multiple_of=10),
            number(int, multiple_of=5),
            old_values=(0, 10, -10, 10**15),
            refused_forward=5,
            base=base,
        ),
        retyped(
            f"an int of steps of 3 in steps of 2{suffix}",
            number(int, multiple_of=3),
            number(int, multiple_of=2),
            refused_back=3,
            refused_forward=2,
            base=base,
        ),
        retyped(
            f"a bound int to a float with a wider bound{suffix}",
            number(int, ge=1),
            number(float, gt=0),
            old_values=POSITIVE,
            refused_forward=0.5,
            base=base,
        ),
        retyped(f"an enum of ints to int{suffix}", Level, int, old_values=(1, 2), refused_forward=3, base=base),
    ]


OF_MODELS = [
    retyped("an int of few values named", Annotated[int, Ge(1), Le(2)], Literal[1, 2], values=(1, 2)),
    retyped("bool to int", bool, int, old_values=(True, False), backward=False, lax=True, refused_forward=2),
    retyped("int to a strict int", int, StrictInt, values=COUNTS),
    retyped(
        "a text of digits to int",
        Literal["7", "8"],
        int,
        old_values=("7", "8"),
        backward=False,
        lax=True,
        refused_forward=7,
    ),
    retyped(
        "float to Decimal, which is written as text",
        float,
        Decimal,
        old_values=RATIOS[2:],
        new_values=(Decimal(1), Decimal("1.5"), Decimal("-1e10")),
        forward=False,
        lax=True,
    ),
]

OF_STRUCTS = [
    retyped("bool to int (Struct)", bool, int, refused_back=True, refused_forward=1, base=StructEvent),
    retyped(
        "a text of digits to int (Struct)", Literal["7"], int, refused_back="7", refused_forward=7, base=StructEvent
    ),
    retyped(
        "float to Decimal, which is written as text (Struct)",
        float,
        Decimal,
        old_values=RATIOS,
        refused_forward=Decimal("1.5"),
        base=StructEvent,
    ),
]
EVOLUTIONS: list[Evolution] = [
    *_of_both(_annotated, "", Event),
    *_of_both(_bound, " (Struct)", StructEvent),
    *OF_MODELS,
    *OF_STRUCTS,
]
