"""Random models for the property tests of schemas: pairs of an event before and after a change, and its bodies."""

from itertools import product
from typing import Any, Final, Literal

from hypothesis import strategies as st

from tests.schema.building import FORMATS, describe, event_class, values
from tests.schema.changes import NAMES, changes
from tests.schema.descriptions import (
    PATTERNS,
    Choice,
    Field,
    Format,
    Itself,
    Mapping,
    Model,
    Nullable,
    Number,
    OneOf,
    Row,
    Several,
    Tagged,
    Text,
    Type,
)

_KINDS: Final[tuple[Literal["int", "float", "decimal"], ...]] = ("int", "float", "decimal")
#: Where it may be bound, and whether the bound itself is out.
_LOWS: Final = ((None, False), (0, False), (0, True), (1, False), (2, True), (-2, False))
_HIGHS: Final = ((None, False), (8, False), (8, True), (6, False))
_DIGITS: Final = tuple(product((None, 3, 5), (None, 0, 2)))
_NUMBERS: Final = [
    Number(kind, *low, *high, step, *digits)
    for kind, low, high, step in product(_KINDS, _LOWS, _HIGHS, (None, 2, 3))
    for digits in (_DIGITS if kind == "decimal" else [(None, None)])
]
_TEXTS: Final = [
    Text(least, most, pattern, strip)
    for strip, pattern, least, most in product((False, True), (None, *PATTERNS), (None, 1, 2, 3), (None, 4, 5))
]
_WORDS: Final = (("a",), ("a", "b"), ("c", "a", "b"))
# What mypy makes of tuples of both without this differs from run to run.
_VALUES: Final[tuple[tuple[str | int, ...], ...]] = (*_WORDS, (1,), (1, 2), (2, "a"), (1, "1"))
_CHOICES: Final = [Choice(given, enum) for enum, given in product((False, True), _VALUES)]
_LENGTHS: Final = tuple(product((None, 1), (None, 2, 3)))

_names = st.lists(st.sampled_from(NAMES), max_size=3, unique=True)
_scalars: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([*map(Format, sorted(set(FORMATS) - {"anything"}))]),
    st.sampled_from(_NUMBERS),
    st.sampled_from(_TEXTS),
    st.sampled_from(_CHOICES),
)
_keys: st.SearchStrategy[Any] = st.sampled_from(
    [*_TEXTS, *[Number("int")] * 40, *map(Choice, _WORDS), *[Format("uuid")] * 20]
)
# Mostly scalars: a pair is to be drawn within milliseconds.
_holders = st.sampled_from(
    ["scalar"] * 5 + ["nullable", "list", "set", "tuple", "row", "mapping", "model", "tagged", "union"]
)
_lengths = st.sampled_from(_LENGTHS)
_itself = st.sampled_from([None] * 8 + [Itself("nullable"), Itself("list")])
_tags = st.sampled_from([("a", "b"), ("b", "c"), ("a", "b", "c")])
_counts = st.integers(1, 3)
_closed = st.sampled_from([False, False, False, True])
_model_names = st.sampled_from(["Line", "Part"])
#: Whether it has other names that it is read under, before and after its own; whether it is optional, aliased.
_readings = st.sampled_from(list(product((False, True), repeat=4)))


def _type(draw: st.DrawFn, depth: int) -> Any:  # noqa: PLR0911  # a case each
    holder = draw(_holders) if depth else "scalar"
    match holder:
        case "nullable":
            return Nullable(_type(draw, depth - 1))
        case "list" | "tuple":
            return Several(_type(draw, depth - 1), holder, *draw(_lengths))
        case "set":
            return Several(draw(_scalars), "set", *draw(_lengths))
        case "row":
            return Row(tuple(_type(draw, depth - 1) for _ in range(draw(_counts))))
        case "mapping":
            return Mapping(draw(_keys), _type(draw, depth - 1), *draw(_lengths))
        case "model":
            return _model(draw, depth - 1, draw(_names))
        case "tagged":
            branches = tuple((tag, _model(draw, depth - 1, draw(_names))) for tag in draw(_tags))
            return Tagged(branches, draw(st.booleans()))
        case "union":
            parts = dict.fromkeys(_type(draw, depth - 1) for _ in range(draw(_counts)))
            return OneOf(tuple(parts)) if len(parts) > 1 else Format("anything")
        case _:
            return draw(_scalars)


def _model(draw: st.DrawFn, depth: int, names: list[str]) -> Model:
    fields: list[Field] = []
    for name in names:
        before, after, optional, aliased = draw(_readings)
        described = draw(_itself) or _type(draw, depth)
        names_read = (*([f"old_{name}"] if before else []), name, *(["older"] if after else []))
        fields.append(Field(names_read, described, optional, int(before), aliased))
    return Model(tuple(fields), draw(_closed), draw(_model_names))


@st.composite
def descriptions(draw: st.DrawFn) -> Model:
    """A description of an event: up to four fields, whose types hold others two deep."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    return _model(draw, 2, names)


@st.composite
def mutations(draw: st.DrawFn, description: Model) -> Model:
    """The description after one or two small changes."""
    for _ in range(draw(st.integers(1, 2))):
        possible = changes(description, draw(st.integers(0, len(description.fields))))
        description = possible[draw(st.integers(0, len(possible) - 1))]
    return description


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Event classes: an old and a new one. ``instances`` has their events."""
    old = draw(descriptions())
    return event_class(old), event_class(draw(mutations(old)))


def instances(event: Any) -> st.SearchStrategy[Any]:
    """Events of a class that ``pairs`` gave."""
    return _members(describe(event), 2).map(event.model_validate)


def _members(model: Model, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Members of bodies; models hold themselves ``depth`` deep."""
    return st.fixed_dictionaries({field.name: _values(field.type, model, depth) for field in model.fields})


def _values(described: Type, within: Model, depth: int) -> st.SearchStrategy[Any]:  # noqa: PLR0911  # a case each
    match described:
        case Nullable():
            return st.none() | _values(described.of, within, depth)
        case Itself():
            empty, held = _holding_itself(described, within, depth)
            return empty if held is None else empty | held
        case Several():
            return st.lists(
                _values(described.of, within, depth),
                min_size=described.least or 0,
                max_size=3 if described.most is None else described.most,
            )
        case Row():
            return st.tuples(*(_values(item, within, depth) for item in described.items))
        case Mapping():
            return st.dictionaries(
                _values(described.keys, within, depth),
                _values(described.values, within, depth),
                min_size=described.least or 0,
                max_size=2,
            )
        case Model():
            return _members(described, depth)
        case Tagged():
            return st.one_of(*(_members(model, depth) for model in described.models()))
        case OneOf():
            return st.one_of(*(_values(part, within, depth) for part in described.of))
        case _:
            return st.sampled_from(values(described))


def _holding_itself(
    itself: Itself, within: Model, depth: int
) -> tuple[st.SearchStrategy[Any], st.SearchStrategy[Any] | None]:
    empty: st.SearchStrategy[Any] = st.none() if itself.kind == "nullable" else st.builds(list)
    if depth == 0:
        return empty, None
    held = _members(within, depth - 1)
    return empty, held if itself.kind == "nullable" else st.lists(held, max_size=2)
