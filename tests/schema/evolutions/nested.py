"""Models within an event: their members, names, recursion; TypedDict, NamedTuple and dataclass members."""

from types import GenericAlias
from typing import Any

from tests.schema.evolutions.evolution import COUNTS, Evolution, event, evolution, retyped
from tests.schema.evolutions.nested_models import (
    Chain,
    ChainMay,
    ChainMust,
    ClosedLine,
    Counted,
    Even,
    EvenMust,
    FloatChanged,
    IntChanged,
    Line,
    LineMay,
    LineMust,
    Page,
    Pair,
    Part,
    Point,
    PointOf2,
    PointOf3,
    Row,
    SClosedLine,
    SCounted,
    SFloatChanged,
    SIntChanged,
    SLine,
    SLineMay,
    SLineMust,
    SlottedPoint,
    SRow,
    STree,
    STreeMay,
    STreeMust,
    SWideTree,
    Tree,
    TreeMay,
    TreeMust,
    Triple,
    Whole,
    WideTree,
)
from typed_pubsub.events import Event, StructEvent

SKUS = [{"sku": sku} for sku in ("", "a", "é", "\n", "x" * 300)]
TITLED = [{"sku": "a", "title": title} for title in ("", "a", "é")]
LEAF: dict[str, Any] = {"value": 1}
TREES: list[dict[str, Any]] = [LEAF, {"value": 2, "children": [LEAF, {"value": 3, "children": [LEAF, LEAF]}]}]
NOTED = {"value": 1, "children": [{"value": 2, "children": [], "note": "a"}], "note": ""}
AB = [{"a": a, "b": b} for a, b in ((0, 0), (1, -1), (2**31, 7))]


def _of_both(suffix: str, base: Any) -> list[Evolution]:
    classes: tuple[Any, ...] = (
        (Line, LineMay, LineMust, Row, ClosedLine, Counted, Tree, TreeMay, TreeMust, WideTree)
        if base is Event
        else (SLine, SLineMay, SLineMust, SRow, SClosedLine, SCounted, STree, STreeMay, STreeMust, SWideTree)
    )
    line, may, must, row, closed, counted, tree, tree_may, tree_must, wide = classes
    return [
        retyped(f"an optional field added within{suffix}", line, may, old_values=SKUS, new_values=TITLED, base=base),
        retyped(
            f"a required field added within{suffix}", line, must, refused_back=SKUS[0], new_values=TITLED, base=base
        ),
        retyped(
            f"a required field added within a list{suffix}",
            GenericAlias(list, (line,)),
            GenericAlias(list, (must,)),
            refused_back=[SKUS[0]],
            new_values=[[], TITLED],
            base=base,
        ),
        retyped(
            f"a required field added within a mapping{suffix}",
            GenericAlias(dict, (str, line)),
            GenericAlias(dict, (str, must)),
            refused_back={"a": SKUS[0]},
            new_values=[{}, {"a": TITLED[0]}],
            base=base,
        ),
        retyped(f"a model within renamed{suffix}", line, row, values=SKUS, base=base),
        retyped(f"a model within closed{suffix}", line, closed, values=SKUS, base=base),
        retyped(
            f"an optional field added within, where it was closed{suffix}",
            closed,
            may,
            old_values=SKUS,
            refused_forward=TITLED[0],
            base=base,
        ),
        retyped(
            f"a model within made nullable{suffix}", line, line | None, old_values=SKUS, refused_forward=None, base=base
        ),
        retyped(
            f"a model within to a mapping{suffix}",
            counted,
            dict[str, int],
            old_values=AB,
            new_values=[{}, {"a": 1}, {"z": 2}],
            base=base,
        ),
        retyped(
            f"a mapping of other values to a model{suffix}",
            dict[str, str],
            counted,
            refused_back={"a": "x"},
            refused_forward=AB[0],
            base=base,
        ),
        retyped(
            f"a mapping to a model with a required field{suffix}",
            dict[str, str],
            line,
            refused_back={},
            new_values=SKUS,
            base=base,
        ),
        retyped(f"a model within to anything{suffix}", line, Any, old_values=SKUS, refused_forward=1, base=base),
        retyped(
            f"an optional field added to a tree{suffix}",
            tree,
            tree_may,
            old_values=TREES,
            new_values=[*TREES, NOTED],
            base=base,
        ),
        retyped(
            f"a required field added to a tree{suffix}",
            tree,
            tree_must,
            refused_back=LEAF,
            new_values=[NOTED],
            base=base,
        ),
        retyped(
            f"a tree's values widened{suffix}", tree, wide, old_values=TREES, refused_forward={"value": 1.5}, base=base
        ),
        retyped(
            f"a tree to a list of trees{suffix}",
            tree,
            GenericAlias(list, (tree,)),
            refused_back=LEAF,
            refused_forward=[LEAF],
            base=base,
        ),
        retyped(
            f"a TypedDict's member not required any more{suffix}",
            Whole,
            Part,
            old_values=AB,
            refused_forward={"a": 1},
            base=base,
        ),
        retyped(
            f"a TypedDict to a mapping{suffix}",
            Part,
            dict[str, int],
            old_values=[*AB, {"a": 1}],
            refused_forward={},
            base=base,
        ),
        retyped(
            f"a NamedTuple gets a field with a default{suffix}",
            Pair,
            Triple,
            old_values=[[1], [1, 2]],
            refused_forward=[1, 2, 3],
            base=base,
        ),
        retyped(
            f"a NamedTuple to a tuple{suffix}",
            Pair,
            tuple[int, int],
            old_values=[[1], [1, 2], [0, -1]],
            new_values=[(1, 2), (0, 0)],
            base=base,
        ),
        retyped(
            f"a list to a NamedTuple{suffix}",
            list[int],
            Triple,
            refused_back=[1, 2, 3, 4],
            new_values=[[1], [1, 2, 3]],
            base=base,
        ),
        retyped(
            f"a dataclass gets a required field{suffix}",
            Point,
            PointOf3,
            refused_back={"a": 1},
            new_values=[{"a": 1, "b": 2, "c": 3}],
            base=base,
        ),
        retyped(
            f"a TypedDict to a dataclass{suffix}",
            Part,
            Point,
            old_values=[*AB, {"a": 1}],
            new_values=[*AB, {"a": 1}],
            base=base,
        ),
    ]


CHAINS: list[dict[str, Any]] = [{}, {"inner": None}]
for _ in range(5):
    CHAINS.append({"inner": CHAINS[-1]})
NOTED_CHAINS = [{"note": "a" * count, "inner": {"note": ""}} for count in range(6)]
CHANGES = [{"x": count, "old": None if count < 0 else count} for count in COUNTS]

OTHERS = [
    retyped("a dataclass's default made required", Point, PointOf2, old_values=[*AB, {"a": 1}], new_values=AB),
    retyped(
        "a dataclass's default made required, once read it is not written (Struct)",
        Point,
        PointOf2,
        refused_back={"a": 1},
        new_values=AB,
        base=StructEvent,
    ),
    retyped(
        "a slotted dataclass's default made required (Struct)",
        SlottedPoint,
        PointOf2,
        old_values=[*AB, {"a": 1}],
        new_values=AB,
        base=StructEvent,
    ),
    evolution(
        "an optional field added to an event that holds itself",
        Chain,
        ChainMay,
        samples_old=CHAINS,
        samples_new=[*CHAINS, *NOTED_CHAINS],
    ),
    evolution(
        "a required field added to an event that holds itself",
        Chain,
        ChainMust,
        refused_back={},
        samples_new=NOTED_CHAINS,
    ),
    evolution(
        "a generic event of ints to one of floats",
        IntChanged,
        FloatChanged,
        samples_old=CHANGES,
        refused_forward={"x": 1.5},
    ),
    evolution(
        "a generic event of ints to one of floats (Struct)",
        SIntChanged,
        SFloatChanged,
        samples_old=CHANGES,
        refused_forward={"x": 1.5},
    ),
    evolution(
        "a generic event bound by a plain one",
        event({"x": int, "old": (int | None, None)}),
        IntChanged,
        samples=CHANGES,
    ),
    retyped(
        "a required field added in every second model of a ring",
        Even,
        EvenMust,
        refused_back={"odd": {"even": {}}},
        new_values=[{}, {"odd": {"even": {}, "note": "a"}}],
    ),
    retyped(
        "a generic model's items widened",
        Page[int],
        Page[float],
        old_values=[{"items": []}, {"items": [1]}],
        refused_forward={"items": [1.5]},
    ),
    retyped("a tree of models to one of Structs", Tree, STree, values=TREES, base=(Event, StructEvent)),
    retyped(
        "a tree of Structs to a wider one of models",
        STree,
        WideTree,
        old_values=TREES,
        refused_forward={"value": 1.5},
        base=(StructEvent, Event),
    ),
]

EVOLUTIONS: list[Evolution] = [*_of_both("", Event), *_of_both(" (Struct)", StructEvent), *OTHERS]
