"""Builds Event classes from descriptions, and tells the values that their fields may have."""

import functools
import re
import uuid
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import GenericAlias
from typing import Annotated, Any, Final, Literal, Self, Union
from weakref import WeakKeyDictionary

from pydantic import (
    UUID4,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Discriminator,
    NaiveDatetime,
    StringConstraints,
)
from pydantic import Field as Info

from tests.schema.descriptions import (
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
    fits_number,
)
from typed_pubsub.events import Event, Registry

_NOON: Final = datetime(2026, 1, 1, 12, 0, 0, 5)  # noqa: DTZ001  # as it is meant
_AWARE: Final = _NOON.replace(tzinfo=UTC)
_RANDOM_ID: Final = uuid.UUID("16fd2706-8baf-433b-82eb-8c7fada847da")

#: By name: the type, and values from edge to edge.
FORMATS: Final[MappingOf[str, tuple[Any, Sequence[Any]]]] = {
    "bool": (bool, (False, True)),
    "uuid": (uuid.UUID, (uuid.UUID(int=0), _RANDOM_ID, uuid.UUID(int=2**128 - 1))),
    "uuid4": (UUID4, (_RANDOM_ID,)),
    "date": (date, (date(2026, 1, 1), date.min, date.max)),
    "date from 2000": (Annotated[date, Info(ge=date(2000, 1, 1))], (date(2000, 1, 1), date.max)),
    "aware": (AwareDatetime, (_AWARE, datetime(9999, 12, 31, tzinfo=UTC))),
    "datetime": (datetime, (_NOON, _AWARE)),
    "naive": (NaiveDatetime, (_NOON, datetime(1, 1, 1))),  # noqa: DTZ001  # as above
    "time": (time, (time(), time(23, 59, 59, 1), time(12, tzinfo=UTC))),
    "timedelta": (timedelta, (timedelta(), timedelta(days=-1), timedelta(days=400), timedelta(microseconds=1))),
    "bytes": (bytes, (b"", b"a", "é".encode())),
    "anything": (Any, (None, 1, "a", [1], {"a": 1}, 1.5, True)),
}
_INTS: Final = (*range(2, -13, -1), *range(3, 14), 2**40, -(2**40))
_NUMBERS: Final[MappingOf[str, Sequence[Any]]] = {
    "int": _INTS,
    "float": (*map(float, _INTS), 0.5, 2.5, 6.25, -1e300),
    "decimal": (*map(Decimal, _INTS[:-2]), *map(Decimal, ("0.5", "2.25", "100", "999", "12345", "-1E+3", "0.001"))),
}
_TEXTS: Final = (
    *("ab", "", "a", "abc", "abcd", "abcde", "abcdefgh", "ABC", "ABCD", "A", "aBc", "7", "777", "2026-01-01"),
    *("ééé", "   ", " ab ", "a b c d"),
)
_DESCRIPTIONS: WeakKeyDictionary[Any, Model] = WeakKeyDictionary()


def describe(event: Any) -> Model:
    """What a class was built from."""
    return _DESCRIPTIONS[event]


@functools.lru_cache(maxsize=4096)
def event_class(model: Model) -> Any:
    """The Event class of a description; one class a description."""
    made = _class(model, (Event,), {"routing_key": "happened", "registry": Registry()})
    _DESCRIPTIONS[made] = model
    return made


@functools.lru_cache(maxsize=4096)
def type_of(described: Type) -> Any:  # noqa: C901, PLR0911  # a case each
    """The type that a description means."""
    match described:
        case Number():
            return _number(described)
        case Text():
            given: Any = {"min_length": described.least, "max_length": described.most, "pattern": described.pattern}
            return Annotated[str, StringConstraints(strip_whitespace=described.strip or None, **given)]
        case Format():
            return FORMATS[described.name][0]
        case Choice():
            members = {f"m{index}": value for index, value in enumerate(described.values)}
            return Enum("Choice", members) if described.enum else Literal[described.values]
        case Nullable():
            return Union[type_of(described.of), None]  # noqa: UP007  # | does not take all that stands here
        case Several():
            return _long(_several(described.kind, type_of(described.of)), described)
        case Row():
            return GenericAlias(tuple, tuple(map(type_of, described.items)))
        case Mapping():
            return _long(GenericAlias(dict, (type_of(described.keys), type_of(described.values))), described)
        case Itself():
            return GenericAlias(list, (Self,)) if described.kind == "list" else Union[Self, None]  # noqa: UP007
        case Model():
            return _class(described, (BaseModel,), {})
        case Tagged():
            return _tagged(described)
        case OneOf():
            return Union[tuple(map(type_of, described.of))]  # noqa: UP007  # as above


def _several(kind: str, of: Any) -> Any:
    if kind == "tuple":
        return GenericAlias(tuple, (of, ...))
    return GenericAlias(list if kind == "list" else set, (of,))


def _number(number: Number) -> Any:
    limits = {
        "gt" if number.low_open else "ge": number.low,
        "lt" if number.high_open else "le": number.high,
        "multiple_of": number.step,
    }
    if number.kind == "decimal":
        limits |= {"max_digits": number.max_digits, "decimal_places": number.places}
    kind = {"int": int, "float": float, "decimal": Decimal}[number.kind]
    given: Any = _given(limits)
    return Annotated[kind, Info(**given)] if given else kind


def _long(made: Any, described: Several | Mapping) -> Any:
    given: Any = _given({"min_length": described.least, "max_length": described.most})
    return Annotated[made, Info(**given)] if given else made


def _given(limits: MappingOf[str, Any]) -> dict[str, Any]:
    return {name: limit for name, limit in limits.items() if limit is not None}


def _tagged(tagged: Tagged) -> Any:
    branches = tuple(map(type_of, tagged.models()))
    return Annotated[Union[branches], Discriminator("kind")] if len(branches) > 1 else branches[0]  # noqa: UP007


def _class(model: Model, bases: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    annotations: dict[str, Any] = {}
    namespace: dict[str, Any] = {"__module__": __name__, "__annotations__": annotations}
    for index, field in enumerate(model.fields):
        name = f"p{index}" if field.aliased and len(field.names) == 1 else field.name
        annotations[name] = type_of(field.type)
        namespace[name] = _info(field)
    if model.closed:
        namespace["model_config"] = ConfigDict(extra="forbid")
    return type(bases[0])(model.name, bases, namespace, **keywords)


def _info(field: Field) -> Any:
    info: dict[str, Any] = {}
    if field.optional or isinstance(field.type, Itself):
        info = {"default": example(field.type), "validate_default": True}
    if len(field.names) > 1:
        info["validation_alias"] = AliasChoices(*field.names)
    elif field.aliased:
        info["alias"] = field.name
    return Info(**info)


def values(scalar: Number | Text | Format | Choice) -> Sequence[Any]:
    """The values of a scalar, edges among them; never none."""
    match scalar:
        case Number():
            return [value for value in _NUMBERS[scalar.kind] if fits_number(scalar, value)]
        case Text():
            return [text for text in _TEXTS if _fits_text(scalar, text.strip() if scalar.strip else text)]
        case Format():
            return FORMATS[scalar.name][1]
        case Choice():
            return scalar.values


def _fits_text(text: Text, value: str) -> bool:
    return (
        len(value) >= (text.least or 0)
        and (text.most is None or len(value) <= text.most)
        and (text.pattern is None or re.search(text.pattern, value) is not None)
    )


def example(described: Type) -> Any:  # noqa: PLR0911  # a case each
    """One value: what the default of an optional field is."""
    match described:
        case Nullable():
            return None
        case Itself():
            return [] if described.kind == "list" else None
        case Several():
            return [example(described.of)] if described.least else []
        case Row():
            return tuple(map(example, described.items))
        case Mapping():
            return {example(described.keys): example(described.values)} if described.least else {}
        case Model():
            return {field.name: example(field.type) for field in described.fields}
        case Tagged():
            return example(described.models()[0])
        case OneOf():
            return example(described.of[0])
        case _:
            return values(described)[0]
