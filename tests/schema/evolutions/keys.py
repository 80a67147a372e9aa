"""Keys of mappings and items of sets: what is one by one the same, and not all together."""

from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
from annotated_types import Len
from pydantic import ConfigDict, StringConstraints, create_model

from tests.schema.evolutions.evolution import Evolution, retyped
from typed_pubsub.events import Event, StructEvent

OF_INTS = [{}, {"": 0}, {"a": 1}, {"a": 1, "b": -1}]
OF_COLOURS = [{}, {"red": 1}, {"green": 1}, {"red": 0, "green": -1}]


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class ColourAndBlue(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


# The same class, later.
ColourAndBlue.__name__ = Colour.__name__

Lower: Any = Annotated[str, StringConstraints(to_lower=True)]
Two: Any = Len(2)


def _lines(**fields: Any) -> Any:
    line: Any = create_model("Line", __config__=ConfigDict(frozen=True), **fields)
    return Annotated[frozenset.__class_getitem__(line), Two]


def _struct_lines(*fields: Any) -> Any:
    line: Any = msgspec.defstruct("Line", fields, frozen=True)
    return Annotated[frozenset.__class_getitem__(line), msgspec.Meta(min_length=2)]


def _keys(suffix: str, base: Any) -> list[Evolution]:
    return [
        retyped(
            f"a value removed of the enum of keys{suffix}",
            dict[ColourAndBlue, int],
            dict[Colour, int],
            refused_back={"blue": 1},
            new_values=OF_COLOURS,
            base=base,
        ),
        retyped(f"an enum of keys kept{suffix}", dict[Colour, int], dict[Colour, int], values=OF_COLOURS, base=base),
    ]


OF_MODELS = [
    retyped(
        "keys lowered of a mapping of at least two",
        Annotated[dict[str, int], Two],
        Annotated[dict[Lower, int], Two],
        refused_back={"a": 1, "A": 2},
        new_values=[{"a": 1, "b": 2}],
    ),
    retyped("keys lowered", dict[str, int], dict[Lower, int], old_values=[*OF_INTS, {"A": 1}], new_values=OF_INTS),
    retyped(
        "keys to values of two types",
        dict[str, int],
        dict[Literal["a", 1], int],
        refused_back={"b": 1},
        new_values=[{}, {"a": 1}],
    ),
    retyped(
        "a member removed of the items of a set of at least two",
        _lines(sku=str, size=(int, ...)),
        _lines(sku=str),
        refused_back=[{"sku": "a", "size": 1}, {"sku": "a", "size": 2}],
        refused_forward=[{"sku": "a"}, {"sku": "b"}],
    ),
    retyped(
        "the items of a set of at least two kept",
        _lines(sku=str),
        _lines(sku=str),
        values=[[{"sku": "a"}, {"sku": "b"}]],
    ),
]

OF_STRUCTS = [
    retyped(
        "a member removed of the items of a set of at least two (Struct)",
        _struct_lines(("sku", str), ("size", int)),
        _struct_lines(("sku", str)),
        refused_back=[{"sku": "a", "size": 1}, {"sku": "a", "size": 2}],
        refused_forward=[{"sku": "a"}, {"sku": "b"}],
        base=StructEvent,
    ),
]

EVOLUTIONS: list[Evolution] = [*_keys("", Event), *_keys(" (Struct)", StructEvent), *OF_MODELS, *OF_STRUCTS]
