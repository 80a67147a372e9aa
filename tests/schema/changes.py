"""Small changes of descriptions: every one that a rule of compatibility has a word for."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

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
    Scalar,
    Several,
    Tagged,
    Text,
    Type,
)

#: Names of fields; ``kind`` is a tag's.
NAMES: Final = ("a", "b", "c", "d")
_SCALARS: Final[tuple[Scalar, ...]] = (
    Number("int"),
    Number("float"),
    Number("decimal"),
    Text(),
    Format("bool"),
    Format("uuid"),
    Format("date"),
    Format("aware"),
    Format("datetime"),
    Format("timedelta"),
    Choice(("a", "b")),
    Choice((1, 2), enum=True),
)
_RELATED: Final = {
    "uuid": ("uuid4",),
    "uuid4": ("uuid",),
    "date": ("date from 2000", "aware", "naive"),
    "date from 2000": ("date",),
    "aware": ("datetime", "naive"),
    "datetime": ("aware", "naive", "date", "time"),
    "naive": ("aware", "datetime"),
}


def changes(model: Model, index: int) -> list[Model]:
    """The model after each of the small changes of the field at ``index``; one past the last: of itself.

    Some change nothing in the end.
    """
    changed = _of_shape(model) if index == len(model.fields) else _of_field_at(model, index)
    return [other for other in changed if other.fields]


def _of_type(of: Type, *, scalar: bool = False) -> Iterator[Any]:  # noqa: C901  # a case each
    """Changes of a type; where it must stay a ``scalar``, such changes only."""
    match of:
        case Number():
            yield from _of_number(of)
        case Text():
            yield from _of_text(of)
        case Format():
            yield from map(Format, _RELATED.get(of.name, ()))
        case Choice():
            yield from _of_choice(of)
        case Several() | Row() | Mapping():
            yield from _of_holder(of)
        case Model():
            yield from _of_model(of)
        case Tagged():
            yield from _of_tagged(of)
        case OneOf() | Nullable():
            yield from _of_union(of)
        case Itself():
            yield Itself("list" if of.kind == "nullable" else "nullable")
    yield from (other for other in _SCALARS if other != of)
    if not scalar and not isinstance(of, Itself):
        yield from (Nullable(of), Several(of), OneOf((of, Text())), Mapping(Text(), of), Format("anything"))


def _of_number(of: Number) -> Iterator[Number]:
    for step in (-1, 1):
        yield replace(of, low=min(2, (of.low or 0) + step))
        yield replace(of, high=max(6, (of.high or 8) + step))
    yield replace(of, low=None)
    yield replace(of, high=None)
    yield replace(of, low=of.low or 0, low_open=not of.low_open)
    yield replace(of, high=of.high or 8, high_open=not of.high_open)
    yield from (replace(of, step=step) for step in (None, 2, 3, 4))
    yield from (replace(of, kind=kind) for kind in ("int", "float", "decimal"))
    if of.kind == "decimal":
        yield from (replace(of, max_digits=digits) for digits in (None, 3, 4, 5))
        yield from (replace(of, places=places) for places in (None, 0, 1, 2))


def _of_text(of: Text) -> Iterator[Text]:
    for step in (-1, 1):
        yield replace(of, least=min(3, max(0, (of.least or 0) + step)))
        yield replace(of, most=max(4, (of.most or 5) + step))
    yield replace(of, least=None)
    yield replace(of, most=None)
    yield replace(of, strip=not of.strip)
    yield from (replace(of, pattern=pattern) for pattern in (None, *PATTERNS))


def _of_choice(of: Choice) -> Iterator[Scalar]:
    yield from (replace(of, values=(*of.values, new)) for new in ("a", "z", 1, 3) if new not in of.values)
    if len(of.values) > 1:
        yield from (replace(of, values=tuple(v for v in of.values if v != gone)) for gone in of.values)
    yield replace(of, values=of.values[::-1])
    yield replace(of, enum=not of.enum)


def _of_length(of: Any) -> Iterator[Any]:
    yield from (replace(of, least=least) for least in (None, 0, 1))
    yield from (replace(of, most=most) for most in (None, 2, 3))


def _of_holder(of: Several | Row | Mapping) -> Iterator[Type]:
    match of:
        case Several():
            yield from _of_length(of)
            is_set = of.kind == "set"
            yield from (Several(item, of.kind, of.least, of.most) for item in _of_type(of.of, scalar=is_set))
            yield from (replace(of, kind=kind) for kind in ("list", "tuple"))
            if isinstance(of.of, Scalar) and of.of != Format("anything"):
                yield replace(of, kind="set")
            yield Row((of.of, of.of))
        case Row():
            yield Row((*of.items, Text()))
            if len(of.items) > 1:
                yield Row(of.items[:-1])
            yield Row(of.items[::-1])
            yield Several(of.items[0])
            yield Several(OneOf(of.items)) if len(set(of.items)) > 1 else Several(of.items[0], least=1)
            for index, item in enumerate(of.items):
                yield from (Row(_put(of.items, index, changed)) for changed in _of_type(item))
        case Mapping():
            yield from _of_length(of)
            for key in (Text(), Text(pattern=PATTERNS[0]), Number("int"), Choice(("a", "b")), Format("uuid")):
                yield replace(of, keys=key)
            yield from (Mapping(of.keys, value, of.least, of.most) for value in _of_type(of.values))


def _of_union(of: OneOf | Nullable) -> Iterator[Type]:
    if isinstance(of, Nullable):
        yield of.of
        yield from (Nullable(changed) for changed in _of_type(of.of))
        return
    yield OneOf(of.of[::-1])
    for index, part in enumerate(of.of):
        rest = _put(of.of, index)
        yield OneOf(rest) if len(rest) > 1 else rest[0]
        yield from (OneOf(_put(of.of, index, changed)) for changed in _of_type(part))
    yield from (OneOf((*of.of, other)) for other in _SCALARS[:5] if other not in of.of)


def _of_tagged(of: Tagged) -> Iterator[Type]:
    tags = [tag for tag, _ in of.branches]
    yield replace(of, branches=of.branches[::-1])
    yield replace(of, tag_optional=not of.tag_optional)
    yield OneOf(of.models()) if len(tags) > 1 else of.models()[0]
    yield from (replace(of, branches=((*of.branches, (new, Model(()))))) for new in "abcz" if new not in tags)
    for index, (tag, model) in enumerate(of.branches):
        if len(tags) > 1:
            yield replace(of, branches=_put(of.branches, index))
        yield replace(of, branches=_put(of.branches, index, (f"{tag}2", model)))
        for changed in _of_model(model):
            yield Tagged(_put(of.branches, index, (tag, changed)), of.tag_optional)


def _of_model(of: Model) -> Iterator[Model]:
    yield from _of_shape(of)
    for index in range(len(of.fields)):
        yield from _of_field_at(of, index)


def _of_shape(of: Model) -> Iterator[Model]:
    yield replace(of, closed=not of.closed)
    yield replace(of, name="Renamed")
    yield replace(of, fields=of.fields[::-1])
    for added in (Text(), Number("int"), Choice(("a",))):
        for optional in (True, False):
            yield replace(of, fields=(*of.fields, Field((_free(of),), added, optional)))


def _of_field_at(of: Model, index: int) -> Iterator[Model]:
    yield replace(of, fields=_put(of.fields, index))
    for changed in _of_field(of.fields[index], _free(of)):
        yield Model(_put(of.fields, index, changed), of.closed, of.name)


def _free(of: Model) -> str:
    """A name that no field is read under."""
    held = {name for field in of.fields for name in field.names}
    return next(name for name in (*NAMES, "e", "f") if name not in held)


def _of_field(field: Field, free: str) -> Iterator[Field]:
    yield replace(field, optional=not field.optional)
    yield replace(field, names=(free,), written=0)
    yield replace(field, names=(free, field.name), written=0)
    yield replace(field, names=(field.name, free), written=0)
    yield replace(field, names=(free, field.name), written=1)
    yield replace(field, names=(field.name,), written=0, aliased=not field.aliased)
    # The most of all changes: a constructor is several times as fast as 'replace'.
    rest = (field.optional, field.written, field.aliased)
    yield from (Field(field.names, changed, *rest) for changed in _of_type(field.type))


def _put(items: tuple[Any, ...], index: int, *new: Any) -> tuple[Any, ...]:
    return (*items[:index], *new, *items[index + 1 :])
