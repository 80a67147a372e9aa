"""Aliases: fields renamed while both names are read, paths into other members, names made by a rule."""

from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel, Field
from pydantic.alias_generators import to_camel

from tests.schema.evolutions.evolution import COUNTS, Evolution, event, evolution
from typed_pubsub.events import StructEvent


class Meta(BaseModel):
    x: int


class WithBoth(BaseModel):
    new: int = Field(validation_alias=AliasChoices("new", "old"))


class WithOld(BaseModel):
    old: int


def _members(name: str) -> list[dict[str, Any]]:
    return [{name: count} for count in COUNTS]


PLAIN = event({"x": int})
OLD = event({"old": int})
ALIASED = event({"y": (int, Field(alias="x"))})
BOTH = event({"new": (int, Field(validation_alias=AliasChoices("new", "old")))})
BOTH_MAY = event({"new": (int, Field(default=0, validation_alias=AliasChoices("new", "old")))})
OLD_WRITTEN = event({"new": (int, Field(validation_alias=AliasChoices("new", "old"), serialization_alias="old"))})
BY_PATH: Any = Field(validation_alias=AliasChoices("x", AliasPath("point", 0)))
BY_NAMED_PATH: Any = Field(validation_alias=AliasChoices("x", AliasPath("meta", "x")))
POINTS = [{"point": list(COUNTS[: 1 + count])} for count in range(6)]

EVOLUTIONS: list[Evolution] = [
    evolution("a field renamed in Python only", PLAIN, ALIASED, samples=_members("x")),
    evolution(
        "an alias changed",
        ALIASED,
        event({"y": (int, Field(alias="z"))}),
        refused_back={"x": 1},
        refused_forward={"z": 1},
    ),
    evolution("a field renamed, both names read", OLD, BOTH, samples_old=_members("old"), refused_forward={"new": 1}),
    evolution(
        "a field renamed, both names read, the old one written",
        OLD,
        OLD_WRITTEN,
        samples_old=_members("old"),
        samples_new=_members("old"),
    ),
    evolution(
        "a field renamed where it was optional, both names read",
        event({"old": (int, 0)}),
        BOTH_MAY,
        samples_old=_members("old"),
        samples_new=_members("new"),
    ),
    evolution("the old name of a field read no more", BOTH, event({"new": int}), samples=_members("new")),
    evolution(
        "the new name written from now on", OLD_WRITTEN, BOTH, samples_old=_members("old"), samples_new=_members("new")
    ),
    evolution(
        "both names read, of another type under the old one",
        event({"old": str}),
        BOTH,
        refused_back={"old": "a"},
        refused_forward={"new": 1},
    ),
    evolution(
        "the first of a field's names is of another type there",
        event({"new": str, "old": int}),
        BOTH,
        refused_back={"new": "a", "old": 1},
        refused_forward={"new": 1},
    ),
    evolution(
        "the second of a field's names is of another type there",
        event({"new": int, "old": str}),
        BOTH,
        samples_old=[{"new": count, "old": "a"} for count in COUNTS],
        refused_forward={"new": 1},
    ),
    evolution(
        "a name left to another field",
        event({"a": int, "b": str}),
        event({"a": str, "b": (str, Field(validation_alias=AliasChoices("b", "a")))}),
        refused_back={"a": 1, "b": "x"},
        refused_forward={"a": "x", "b": "x"},
    ),
    evolution(
        "an alias given, the name read too",
        PLAIN,
        event({"x": (int, Field(alias="y"))}, populate_by_name=True),
        samples_old=_members("x"),
        refused_forward={"y": 1},
    ),
    evolution(
        "an alias given, the name validated too",
        PLAIN,
        event({"x": (int, Field(alias="y"))}, validate_by_name=True, validate_by_alias=True),
        samples_old=_members("x"),
        refused_forward={"y": 1},
    ),
    evolution(
        "aliases by a rule",
        event({"match_id": int}),
        event({"match_id": int}, alias_generator=to_camel),
        refused_back={"match_id": 1},
        refused_forward={"matchId": 1},
    ),
    evolution(
        "aliases by a rule that were given one by one",
        event({"m": (int, Field(alias="matchId"))}),
        event({"match_id": int}, alias_generator=to_camel),
        samples=_members("matchId"),
    ),
    evolution(
        "a field read from the first of a list",
        event({"point": tuple[int, int]}),
        event({"x": (int, BY_PATH)}),
        samples_old=[{"point": (count, 0)} for count in COUNTS],
        refused_forward={"x": 1},
    ),
    evolution(
        "a field read from the first of a list that may be empty",
        event({"point": list[int]}),
        event({"x": (int, BY_PATH)}),
        refused_back={"point": []},
        refused_forward={"x": 1},
    ),
    evolution(
        "a field read from the first of a list of texts",
        event({"point": tuple[str, int]}),
        event({"x": (int, BY_PATH)}),
        refused_back={"point": ("a", 1)},
        refused_forward={"x": 1},
    ),
    evolution(
        "a field read from within a model",
        event({"meta": Meta}),
        event({"x": (int, BY_NAMED_PATH)}),
        samples_old=[{"meta": members} for members in _members("x")],
        refused_forward={"x": 1},
    ),
    evolution(
        "a field read from within a model that may be null",
        event({"meta": Meta | None}),
        event({"x": (int, BY_NAMED_PATH)}),
        refused_back={"meta": None},
        refused_forward={"x": 1},
    ),
    evolution(
        "an optional field read from within a model that may be null",
        event({"meta": (Meta | None, None)}),
        event({"x": (int, Field(default=0, validation_alias=AliasChoices("x", AliasPath("meta", "x"))))}),
        samples_old=[{"meta": None}, *({"meta": members} for members in _members("x"))],
        samples_new=_members("x"),
    ),
    evolution(
        "the second of a field's names, which is the one written, of another type",
        event({"b": (list[int], Field(validation_alias=AliasChoices("d", "b")))}),
        event({"b": (int | None, None)}),
        refused_back={"b": [1]},
        refused_forward={"b": 1},
    ),
    evolution(
        "a field renamed within, both names read",
        event({"x": WithOld}),
        event({"x": WithBoth}),
        samples_old=[{"x": members} for members in _members("old")],
        refused_forward={"x": {"new": 1}},
    ),
    evolution(
        "a closed event reads an old name",
        event({"old": int}),
        event({"new": (int, Field(validation_alias=AliasChoices("new", "old")))}, extra="forbid"),
        samples_old=_members("old"),
        refused_forward={"new": 1},
    ),
    evolution(
        "a closed event is given both of a field's names",
        event({"new": int, "old": int}),
        event({"new": (int, Field(validation_alias=AliasChoices("new", "old")))}, extra="forbid"),
        refused_back={"new": 1, "old": 1},
        refused_forward={"new": 1},
    ),
    evolution(
        "names in camel case (Struct)",
        event({"match_id": int}, StructEvent),
        event({"match_id": int}, StructEvent, rename="camel"),
        refused_back={"match_id": 1},
        refused_forward={"matchId": 1},
    ),
    evolution(
        "an optional field in camel case (Struct)",
        event({"match_id": (int, 0)}, StructEvent),
        event({"match_id": (int, 0)}, StructEvent, rename="camel"),
        samples_old=_members("match_id"),
        samples_new=_members("matchId"),
    ),
    evolution(
        "names in camel case from a model to a Struct",
        event({"match_id": int}, alias_generator=to_camel),
        event({"match_id": int}, StructEvent, rename="camel"),
        samples=_members("matchId"),
    ),
]
