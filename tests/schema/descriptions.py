"""Descriptions of models as plain values: what random models are drawn as, changed by, and built from."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """An int, a float or a Decimal. Bounds stay where some number always fits: ``low`` to 2, ``high`` from 6."""

    kind: Literal["int", "float", "decimal"] = "int"
    low: int | None = None
    low_open: bool = False
    high: int | None = None
    high_open: bool = False
    step: int | None = None
    #: Of a Decimal only, from 3.
    max_digits: int | None = None
    #: Of a Decimal only, to 2.
    places: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A str. ``least`` goes to 3, ``most`` starts at 4."""

    least: int | None = None
    most: int | None = None
    pattern: str | None = None
    strip: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A type that is named only: see ``FORMATS`` of the module that builds."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A Literal or an Enum of different values, one at least."""

    values: tuple[str | int, ...]
    enum: bool = False


@dataclass(frozen=True, slots=True)
class Nullable:
    of: "Type"


@dataclass(frozen=True, slots=True)
class Several:
    """A list, set or tuple of any length. Items of sets are scalars; ``least`` goes to 1, ``most`` starts at 2."""

    of: "Type"
    kind: Literal["list", "set", "tuple"] = "list"
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A tuple of this length."""

    items: tuple["Type", ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A dict; its keys are a Text, an int, a str Choice or a UUID. Lengths as of ``Several``."""

    keys: "Type"
    values: "Type"
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Itself:
    """The model that the field stands in; such a field has always a default."""

    kind: Literal["nullable", "list"] = "nullable"


@dataclass(frozen=True, slots=True)
class Field:
    """A field, read under ``names`` in turn, and written under one of them."""

    names: tuple[str, ...]
    type: "Type"
    optional: bool = False
    written: int = 0
    #: Whether the only name is an alias.
    aliased: bool = False

    @property
    def name(self) -> str:
        """The name in bodies."""
        return self.names[self.written]


@dataclass(frozen=True, slots=True)
class Model:
    """A model; the names its fields are written under differ."""

    fields: tuple[Field, ...]
    closed: bool = False
    name: str = "Line"


@dataclass(frozen=True, slots=True)
class Tagged:
    """A union told apart by ``kind``, by the tags of its branches; of one branch it is that model."""

    branches: tuple[tuple[str, Model], ...]
    tag_optional: bool = False

    def models(self) -> tuple[Model, ...]:
        """The branches with their tags as fields."""
        return tuple(
            Model((Field(("kind",), Choice((tag,)), self.tag_optional), *model.fields), model.closed, model.name)
            for tag, model in self.branches
        )


@dataclass(frozen=True, slots=True)
class OneOf:
    """A plain union of two or more."""

    of: tuple["Type", ...] = field(default=())


Scalar: TypeAlias = Number | Text | Format | Choice
Type: TypeAlias = Scalar | Nullable | Several | Row | Mapping | Itself | Model | Tagged | OneOf

PATTERNS: Final = ("^[a-z]*$", "^[a-z]+$", "^[A-Z]*$", "^[a-zA-Z]+$")


def fits_number(number: Number, value: float | Decimal) -> bool:
    """Whether the value is within the bounds, in the steps and of the digits."""
    if number.low is not None and (value < number.low or (number.low_open and value == number.low)):
        return False
    if number.high is not None and (value > number.high or (number.high_open and value == number.high)):
        return False
    if number.step is not None and value % number.step:
        return False
    return not isinstance(value, Decimal) or _fits_digits(number, value)


def _fits_digits(number: Number, value: Decimal) -> bool:
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    places = max(0, -exponent)
    whole = max(0, len(digits) + exponent)
    if number.places is not None and places > number.places:
        return False
    if number.max_digits is None:
        return True
    return max(whole + places, places) <= number.max_digits and (
        number.places is None or whole <= number.max_digits - number.places
    )
