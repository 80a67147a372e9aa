"""Flags, whose members may be combined to numbers that no member has."""

from enum import CONFORM, EJECT, Enum, Flag, IntFlag
from typing import Any, Literal

from tests.schema.evolutions.evolution import COUNTS, Evolution, retyped
from typed_pubsub.events import Event, StructEvent


class Rights(Flag):
    READ = 1
    WRITE = 2


class MoreRights(Flag):
    READ = 1
    WRITE = 2
    RUN = 4


class OpenRights(IntFlag):
    READ = 1
    WRITE = 2


class ConformingRights(Flag, boundary=CONFORM):
    READ = 1
    WRITE = 2


class EjectingRights(Flag, boundary=EJECT):
    READ = 1
    WRITE = 2


class OneRight(Enum):
    READ = 1
    WRITE = 2


#: A member for each of nine bits: more combinations than are told one by one.
Many = Flag("Many", ["A", "B", "C", "D", "E", "F", "G", "H", "I"])
BOTH = Rights.READ.value | Rights.WRITE.value


def _of_both(suffix: str, base: Any) -> list[Evolution]:
    return [
        retyped(
            f"a flag with one more member{suffix}",
            Rights,
            MoreRights,
            old_values=range(4),
            refused_forward=MoreRights.RUN.value,
            base=base,
        ),
        retyped(
            f"a flag to an enum of its members{suffix}",
            Rights,
            OneRight,
            refused_back=BOTH,
            new_values=(1, 2),
            base=base,
        ),
        retyped(
            f"a flag to a few numbers{suffix}", Rights, Literal[1, 2], refused_back=BOTH, new_values=(1, 2), base=base
        ),
        retyped(f"a flag to all its numbers{suffix}", Rights, Literal[0, 1, 2, 3], values=range(4), base=base),
        retyped(f"a flag to int{suffix}", Rights, int, old_values=range(4), refused_forward=4, base=base),
        retyped(
            f"an open flag to a closed one{suffix}", OpenRights, Rights, refused_back=4, new_values=range(4), base=base
        ),
        retyped(f"an open flag to int{suffix}", OpenRights, int, old_values=(0, 3, 8), new_values=COUNTS, base=base),
        retyped(
            f"a flag that takes what it knows of a number{suffix}",
            int,
            ConformingRights,
            old_values=COUNTS,
            new_values=range(4),
            base=base,
        ),
        retyped(f"a flag of many members{suffix}", Many, MoreRights, refused_back=8, new_values=range(8), base=base),
    ]


EVOLUTIONS: list[Evolution] = [
    *_of_both("", Event),
    *_of_both(" (Struct)", StructEvent),
    retyped(
        "a flag that leaves other numbers alone, to a closed one (Struct)",
        EjectingRights,
        Rights,
        refused_back=4,
        new_values=range(4),
        base=StructEvent,
    ),
    retyped(
        "a flag from a model to a Struct",
        Rights,
        MoreRights,
        base=(Event, StructEvent),
        old_values=range(4),
        refused_forward=4,
    ),
]
