"""Members of an event added, removed, renamed, made optional; events closed and opened."""

from typing import Any

from pydantic import Field

from tests.schema.evolutions.evolution import COUNTS, Evolution, event, evolution
from typed_pubsub.events import Event, Registry, StructEvent

TEXTS = ("", "a", "é", "\n", "null", "x" * 300)
BOTH: list[tuple[Any, str]] = [(Event, ""), (StructEvent, " (Struct)")]

XS = [{"x": count} for count in COUNTS]
XYS = [{"x": count, "y": text} for count, text in zip(COUNTS, TEXTS, strict=True)]
MAYBE_XYS = [{"x": 1, "y": text} for text in (*TEXTS, None)]


def _closed(base: Any) -> dict[str, Any]:
    return {"extra": "forbid"} if base is Event else {"forbid_unknown_fields": True}


def _of_both(base: Any, suffix: str) -> list[Evolution]:
    small = event({"x": int}, base)
    required = event({"x": int, "y": str}, base)
    optional = event({"x": int, "y": (str, "")}, base)
    nullable = event({"x": int, "y": (str | None, None)}, base)
    closed = event({"x": int}, base, **_closed(base))
    closed_and_more = event({"x": int, "y": (str, "")}, base, **_closed(base))
    return [
        evolution(f"an optional field added{suffix}", small, optional, samples_old=XS, samples_new=XYS),
        evolution(
            f"a required field added{suffix}", small, required, refused_back={"x": 1}, samples_old=XS, samples_new=XYS
        ),
        evolution(f"an optional field removed{suffix}", optional, small, samples_old=XYS, samples_new=XS),
        evolution(
            f"a required field removed{suffix}",
            required,
            small,
            refused_forward={"x": 1},
            samples_old=XYS,
            samples_new=XS,
        ),
        evolution(f"a required field made optional{suffix}", required, optional, samples=XYS),
        evolution(f"an optional field made required{suffix}", optional, required, samples=XYS),
        evolution(
            f"a required field made optional and nullable{suffix}",
            required,
            nullable,
            refused_forward={"x": 1, "y": None},
            samples=XYS,
            samples_new=MAYBE_XYS,
        ),
        evolution(
            f"a nullable field added without a default{suffix}",
            small,
            event({"x": int, "y": str | None}, base),
            refused_back={"x": 1},
            samples_old=XS,
            samples_new=MAYBE_XYS,
        ),
        evolution(
            f"a required field renamed{suffix}",
            small,
            event({"z": int}, base),
            refused_back={"x": 1},
            refused_forward={"z": 1},
        ),
        evolution(
            f"an optional field renamed, its values lost{suffix}",
            event({"x": (int, 0)}, base),
            event({"z": (int, 0)}, base),
            samples_old=XS,
            samples_new=[{"z": count} for count in COUNTS],
        ),
        evolution(f"nothing changed{suffix}", required, event({"x": int, "y": str}, base), samples=XYS),
        evolution(f"fields reordered{suffix}", required, event({"y": str, "x": int}, base), samples=XYS),
        evolution(f"a default changed{suffix}", optional, event({"x": int, "y": (str, "?")}, base), samples=XYS),
        evolution(f"an open event closed{suffix}", small, closed, samples=XS),
        evolution(f"a closed event opened{suffix}", closed, small, samples=XS),
        evolution(
            f"an optional field added to a closed event{suffix}",
            closed,
            closed_and_more,
            refused_forward={"x": 1, "y": ""},
            samples_old=XS,
            samples_new=XYS,
        ),
        evolution(
            f"an optional field removed from a closed event{suffix}",
            closed_and_more,
            closed,
            refused_back={"x": 1, "y": ""},
            samples_old=XYS,
            samples_new=XS,
        ),
        evolution(
            f"a field removed and the event closed{suffix}",
            optional,
            closed,
            refused_back={"x": 1, "y": "a"},
            samples_old=XYS,
            samples_new=XS,
        ),
    ]


SMALL = event({"x": int})
ALLOWING = event({"x": int}, extra="allow")
SURPRISING = [{"x": 1, "z": value} for value in (0, "a", None, [1], {"y": 1}, 1.5)]


class AllowingInts(Event, routing_key="happened", registry=Registry(), extra="allow"):
    __pydantic_extra__: dict[str, int] = Field(init=False)

    x: int


OF_MODELS = [
    evolution("extra members kept and written", SMALL, ALLOWING, samples_old=XS, samples_new=SURPRISING),
    evolution("extra members no longer kept", ALLOWING, SMALL, samples_old=SURPRISING, samples_new=XS),
    evolution(
        "extra members written to a closed event",
        event({"x": int}, extra="forbid"),
        ALLOWING,
        refused_forward={"x": 1, "z": 1},
        samples_old=XS,
    ),
    evolution(
        "an extra member gets a type",
        ALLOWING,
        event({"x": int, "y": (int, 0)}),
        refused_back={"x": 1, "y": "a"},
        samples_new=[{"x": 1, "y": count} for count in COUNTS],
    ),
    evolution(
        "extra members get a type",
        ALLOWING,
        AllowingInts,
        refused_back={"x": 1, "z": "a"},
        samples_new=[{"x": 1, "z": count} for count in COUNTS],
    ),
    evolution(
        "a field described, titled and with examples",
        event({"x": int}),
        event({"x": (int, Field(title="X", description="The x.", examples=[1], deprecated=True))}),
        samples=XS,
    ),
    evolution(
        "a default made by a factory",
        event({"x": list[int]}),
        event({"x": (list[int], Field(default_factory=list))}),
        samples=[{"x": list(COUNTS[:length])} for length in range(6)],
    ),
]

EVOLUTIONS: list[Evolution] = [*(e for base, suffix in BOTH for e in _of_both(base, suffix)), *OF_MODELS]
