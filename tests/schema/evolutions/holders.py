"""Lists, sets, tuples and mappings: their items, keys and lengths."""

from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from annotated_types import Len
from pydantic import StringConstraints

from tests.schema.evolutions.evolution import COUNTS, Evolution, retyped
from typed_pubsub.events import Event, StructEvent

INTS = [list(COUNTS[:length]) for length in range(6)]
ONE_OR_MORE = INTS[1:]
PAIRS = [(0, 0), (1, -1), (2**31, 7)]
OF_INTS = [{}, {"": 0}, {"a": 1}, {"a": 1, "b": -1}, {"x" * 300: 2**31}]
BY_INT = [{}, {0: 0}, {-1: 1}, {2**31: 1, 7: 1}]


class Colour(Enum):
    RED = "red"
    GREEN = "green"


def _long(kind: Any, least: int | None = None, most: int | None = None) -> Any:
    """With lengths, for models."""
    return Annotated[kind, Len(least or 0, most)]


def _meta_long(kind: Any, least: int | None = None, most: int | None = None) -> Any:
    """With lengths, for Structs."""
    return Annotated[kind, msgspec.Meta(min_length=least, max_length=most)]


def _lists(suffix: str, base: Any) -> list[Evolution]:
    long = _long if base is Event else _meta_long
    return [
        retyped(
            f"a list's items widened{suffix}", list[int], list[float], old_values=INTS, refused_forward=[1.5], base=base
        ),
        retyped(
            f"a list's items made nullable{suffix}",
            list[int],
            list[int | None],
            old_values=INTS,
            refused_forward=[None],
            base=base,
        ),
        retyped(
            f"a list's items changed{suffix}", list[int], list[str], refused_back=[1], refused_forward=["a"], base=base
        ),
        retyped(
            f"a list of anything typed{suffix}", list[Any], list[int], refused_back=["a"], new_values=INTS, base=base
        ),
        retyped(
            f"a list must not be empty{suffix}",
            list[int],
            long(list[int], 1),
            refused_back=[],
            new_values=ONE_OR_MORE,
            base=base,
        ),
        retyped(
            f"a list's longest length up{suffix}",
            long(list[int], None, 1),
            long(list[int], None, 2),
            old_values=[[], [1]],
            refused_forward=[1, 2],
            base=base,
        ),
        retyped(
            f"a set to a list{suffix}",
            set[int],
            list[int],
            old_values=INTS,
            forward=False,
            lax=True,
            new_values=INTS,
            base=base,
        ),
        retyped(
            f"a list to a set that is not smaller{suffix}",
            long(list[int], 2),
            long(set[int], 2),
            refused_back=[1, 1],
            new_values=[[1, 2], [0, -1, 7]],
            base=base,
        ),
        retyped(f"a set to a frozen one{suffix}", set[int], frozenset[int], values=INTS, base=base),
        retyped(f"a list to a tuple of any length{suffix}", list[int], tuple[int, ...], values=INTS, base=base),
        retyped(
            f"a tuple to a list{suffix}", tuple[int, int], list[int], old_values=PAIRS, refused_forward=[], base=base
        ),
        retyped(
            f"a tuple to a list of that length{suffix}", tuple[int, int], long(list[int], 2, 2), values=PAIRS, base=base
        ),
        retyped(
            f"a tuple to a list of either{suffix}",
            tuple[int, str],
            list[int | str],
            old_values=[(0, ""), (1, "a")],
            refused_forward=["a", 0],
            base=base,
        ),
        retyped(
            f"a tuple longer{suffix}",
            tuple[int, int],
            tuple[int, int, int],
            refused_back=(1, 2),
            refused_forward=(1, 2, 3),
            base=base,
        ),
        retyped(
            f"a tuple's item widened{suffix}",
            tuple[int, int],
            tuple[float, int | None],
            old_values=PAIRS,
            refused_forward=(1.5, 1),
            base=base,
        ),
        retyped(
            f"a tuple's items swapped{suffix}",
            tuple[int, str],
            tuple[str, int],
            refused_back=(1, "a"),
            refused_forward=("a", 1),
            base=base,
        ),
        retyped(
            f"a list of lists deepened{suffix}",
            list[int],
            list[list[int]],
            refused_back=[1],
            refused_forward=[[1]],
            base=base,
        ),
        retyped(
            f"a list to a mapping{suffix}", list[int], dict[str, int], refused_back=[], refused_forward={}, base=base
        ),
    ]


def _mappings(suffix: str, base: Any) -> list[Evolution]:
    long = _long if base is Event else _meta_long
    pattern: Any = Annotated[str, msgspec.Meta(pattern="^[a-z]+$")] if base is StructEvent else _key("^[a-z]+$")
    return [
        retyped(
            f"a mapping's values widened{suffix}",
            dict[str, int],
            dict[str, float],
            old_values=OF_INTS,
            refused_forward={"a": 1.5},
            base=base,
        ),
        retyped(
            f"a mapping's values changed{suffix}",
            dict[str, int],
            dict[str, str],
            refused_back={"a": 1},
            refused_forward={"a": "b"},
            base=base,
        ),
        retyped(
            f"a mapping of anything typed{suffix}",
            dict[str, Any],
            dict[str, int],
            refused_back={"a": "b"},
            new_values=OF_INTS,
            base=base,
        ),
        retyped(
            f"a mapping's keys made ints{suffix}",
            dict[str, int],
            dict[int, int],
            refused_back={"a": 1},
            new_values=BY_INT,
            base=base,
        ),
        retyped(
            f"a mapping's keys made texts{suffix}",
            dict[int, int],
            dict[str, int],
            old_values=BY_INT,
            refused_forward={"a": 1},
            base=base,
        ),
        retyped(
            f"a mapping's keys of UUIDs made texts{suffix}",
            dict[UUID, int],
            dict[str, int],
            old_values=[{}, {UUID(int=1): 1}],
            refused_forward={"a": 1},
            base=base,
        ),
        retyped(
            f"a mapping's keys get a pattern{suffix}",
            dict[str, int],
            dict[pattern, int],
            refused_back={"A": 1},
            new_values=[{}, {"a": 1}, {"abc": 1, "z": 2}],
            base=base,
        ),
        retyped(
            f"a mapping's keys named{suffix}",
            dict[str, int],
            dict[Colour, int],
            refused_back={"blue": 1},
            new_values=[{}, {"red": 1}, {"red": 1, "green": 2}],
            base=base,
        ),
        retyped(
            f"a mapping must not be empty{suffix}",
            dict[str, int],
            long(dict[str, int], 1),
            refused_back={},
            new_values=OF_INTS[1:],
            base=base,
        ),
        retyped(
            f"a mapping's longest length removed{suffix}",
            long(dict[str, int], None, 1),
            dict[str, int],
            old_values=OF_INTS[:3],
            refused_forward={"a": 1, "b": 2},
            base=base,
        ),
        retyped(f"a mapping to Any{suffix}", dict[str, int], Any, old_values=OF_INTS, refused_forward=1, base=base),
        retyped(
            f"anything to a mapping of anything{suffix}",
            Any,
            dict[str, Any],
            refused_back=1,
            new_values=OF_INTS,
            base=base,
        ),
    ]


def _key(pattern: str) -> Any:
    return Annotated[str, StringConstraints(pattern=pattern)]


OF_MODELS = [
    retyped(
        "a mapping by an enum, its values made nullable",
        dict[Colour, int],
        dict[Colour, int | None],
        old_values=[{}, {"red": 1}, {"red": 1, "green": 2}],
        refused_forward={"red": None},
    ),
    retyped("a list of a model to one of a Struct", list[int], list[int], values=INTS, base=(Event, StructEvent)),
]

EVOLUTIONS: list[Evolution] = [
    *_lists("", Event),
    *_lists(" (Struct)", StructEvent),
    *_mappings("", Event),
    *_mappings(" (Struct)", StructEvent),
    *OF_MODELS,
]
