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
            f"an int of steps of 4 to a float of steps of 2{suffix}",
            number(int, multiple_of=4),
            number(float, multiple_of=2),
            old_values=(0, 4, -8, 2**62, -(2**63)),
            refused_forward=6.0,
            base=base,
        ),
        retyped(
            f"an int of steps of 5 to a float of the same{suffix}",
            number(int, multiple_of=5),
            number(float, multiple_of=5),
            refused_back=18014398509481990,
            refused_forward=1e300,
            base=base,
        ),
        retyped(
            f"a small int of steps of 5 to a float of the same{suffix}",
            number(int, ge=-5, le=2**53, multiple_of=5),
            number(float, multiple_of=5),
            old_values=(0, -5, 10, 2**53 - 2),
            refused_forward=1e300,
            base=base,
        ),
        retyped(
            f"a float of steps of a half{suffix}",
            number(float, multiple_of=0.5),
            number(float, ge=-100, multiple_of=0.5),
            refused_back=-100.5,
            new_values=(0.5, -3.0, 1e300),
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
OF_STEPS = [
    retyped(
        "a float of steps of 10 in steps of 5",
        _annotated(float, multiple_of=10),
        _annotated(float, multiple_of=5),
        refused_back=1.961013711851239e16,
        refused_forward=5.0,
    ),
    retyped(
        "a small float of steps of 10 in steps of 5",
        _annotated(float, multiple_of=10, ge=-10, lt=1e9),
        _annotated(float, multiple_of=5),
        old_values=(0.0, -10.0, 1e8, 10 + 1e-10),
        refused_forward=5.0,
    ),
    retyped(
        "a float of steps of 10 in steps of 5 (Struct)",
        _bound(float, multiple_of=10),
        _bound(float, multiple_of=5),
        old_values=(0.0, -10.0, 1e8, 1e300),
        refused_forward=5.0,
        base=StructEvent,
    ),
    retyped(
        "a float of steps of a tenth from a model to a Struct",
        _annotated(float, multiple_of=0.1),
        _bound(float, multiple_of=0.1),
        base=(Event, StructEvent),
        refused_back=0.3,
        new_values=(0.1, 0.2, 0.4, -0.8),
    ),
    retyped(
        "a float of steps of 2 from a model to a Struct",
        _annotated(float, multiple_of=2),
        _bound(float, multiple_of=2),
        base=(Event, StructEvent),
        refused_back=2 + 1e-10,
        new_values=(2.0, -4.0, 1e300),
    ),
]
EVOLUTIONS: list[Evolution] = [
    *OF_STEPS,
    *_of_both(_annotated, "", Event),
    *_of_both(_bound, " (Struct)", StructEvent),
    *OF_MODELS,
    *OF_STRUCTS,
]
