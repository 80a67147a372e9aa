"""Whether numbers and texts of one schema are all accepted by another, and whether one value is."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import pydantic_core

from typed_pubsub.schema.formats import most_letters
from typed_pubsub.schema.unions import Schema, but
from typed_pubsub.schema.vocabulary import ENGINE, EXACT, LIMITS, NAIVE, PYTHON, STEPS

#: A text of this format is always one of these.
_WIDER = {
    **{f"uuid{n}": {"uuid"} for n in range(1, 9)},
    "ipv4": {"ipvanyaddress"},
    "ipv6": {"ipvanyaddress"},
    "ipv4network": {"ipvanynetwork"},
    "ipv6network": {"ipvanynetwork"},
    "ipv4interface": {"ipvanyinterface"},
    "ipv6interface": {"ipvanyinterface"},
}
#: How long texts of these formats are.
_LENGTHS = {"uuid": (36, 36), "date": (10, 10), **{f"uuid{n}": (36, 36) for n in range(1, 9)}}
_CHANGES = frozenset({"to_lower", "to_upper", "strip_whitespace"})
_AS_LIMITS = {"minimum": "ge", "exclusiveMinimum": "gt", "maximum": "le", "exclusiveMaximum": "lt"}
_FEW = 32
# Up to here floats are all the whole numbers.
_LARGEST = 2**53
# So many digits has a quotient that Decimal can tell the rest of.
_DIGITS = 28
_ORDERED = frozenset({"ge", "gt", "le", "lt"})


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why something that may be written is not accepted: the id of the rule, and a sentence."""

    rule: str
    message: str


def number_misfits(writer: Schema, reader: Schema) -> Iterator[Misfit]:
    """Of two numeric types, a reader's ``integer`` only for a writer's."""
    whole = writer["type"] == "integer"
    for least, name in ((True, "minimum"), (False, "maximum")):
        wanted, given = _bound(reader, least=least, whole=whole), _bound(writer, least=least, whole=whole)
        if wanted is not None and (given is None or given < wanted):
            yield Misfit("range", f"{_told(writer, name)} may be written, the reader's {name} is {_told(reader, name)}")
    yield from _multiple_misfits(writer, reader, whole=whole)


def text_misfits(writer: Schema, reader: Schema) -> Iterator[Misfit]:
    """Of two texts."""
    shortest, longest = _LENGTHS.get(writer.get("format", ""), (writer.get("minLength", 0), most_letters(writer)))
    if reader.get("minLength", 0) > shortest:
        yield Misfit("length", f"{shortest} characters may be written, the reader wants at least {reader['minLength']}")
    most = reader.get("maxLength")
    if most is not None and (longest is None or longest > most):
        told = "any number of" if longest is None else longest
        yield Misfit("length", f"{told} characters may be written, the reader takes at most {most}")
    wanted, given = ((side.get("pattern"), side.get(LIMITS, {}).get(ENGINE)) for side in (reader, writer))
    if wanted[0] is not None and given != wanted:
        told = " by another library's rules" if given[0] == wanted[0] else ""
        yield Misfit("pattern", f"the reader wants {wanted[0]!r}{told}, the writer {_or_any(given[0])}")
    yield from _format_misfits(writer, reader)
    for name in ("contentMediaType", "contentSchema"):
        if name in reader and writer.get(name) != reader[name]:
            yield Misfit("format", f"the reader wants {name} {reader[name]!r}, the writer {_or_any(writer.get(name))}")


def limit_misfits(writer: Schema, reader: Schema) -> Iterator[Misfit]:
    """Of constraints that JSON Schema has no words for."""
    wanted: Mapping[str, Any] = reader.get(LIMITS, {})
    if not wanted:
        return
    bounds = {to: str(writer[name]) for name, to in _AS_LIMITS.items() if name in writer}
    given: Mapping[str, Any] = {**bounds, **writer.get(LIMITS, {})}
    for name, value in wanted.items():
        if not _holds(name, value, given, wanted, reader):
            told = f"the writer's is {given[name]!r}" if name in given else "the writer has none"
            yield Misfit("limits", f"the reader's {name} is {value!r}, {told}")


def value_misfits(value: Any, reader: Schema) -> Iterator[Misfit]:
    """Of one value that may be written."""
    if "const" in reader:
        if not same(value, reader["const"]):
            yield Misfit("value", f"{value!r} may be written, the reader knows {reader['const']!r}")
        return
    kind = type_of(value)
    if kind != reader["type"] and (kind, reader["type"]) != ("integer", "number"):
        yield Misfit("value", f"{value!r} may be written, the reader accepts {article(reader['type'])}")
    elif kind in ("integer", "number"):
        yield from number_misfits({"type": kind, "minimum": value, "maximum": value}, but(reader, "multipleOf"))
        step, exact = reader.get("multipleOf"), {"type": kind, "minimum": value, "maximum": value}
        if step is not None and not _is_stepped(value, step, exact, reader, whole=kind == "integer"):
            yield Misfit("multiple-of", f"{value!r} may be written, the reader wants a multiple of {step}")
        yield from limit_misfits({}, reader)
    elif isinstance(value, str):
        pattern = reader.get("pattern")
        lengths: dict[str, Any] = {"type": "string", "minLength": len(value), "maxLength": len(value)}
        engine = reader.get(LIMITS, {}).get(ENGINE)
        if pattern is not None and _found(pattern, value, engine):
            lengths |= {"pattern": pattern, LIMITS: {ENGINE: engine}}
        yield from text_misfits(lengths, reader)
        yield from limit_misfits({LIMITS: {"strip_whitespace": True}} if value == value.strip() else {}, reader)
    elif kind in ("array", "object"):
        yield Misfit("value", f"{value!r} may be written, which only the same constant would accept")


def few_values(writer: Schema) -> list[Schema]:
    """An integer between close bounds, as its values."""
    if writer.get("type") != "integer" or not {"minimum", "maximum"} <= writer.keys():
        return []
    low, high, step = math.ceil(writer["minimum"]), math.floor(writer["maximum"]), writer.get("multipleOf", 1)
    if high - low >= _FEW or not isinstance(step, int):
        return []
    return [{"const": value} for value in range(low, high + 1) if value % step == 0]


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same: 1 is neither 1.0 nor true."""
    return bool(one == other) and type(one) is type(other)


def article(kind: str) -> str:
    """The name of a JSON type in a sentence."""
    return kind if kind == "null" else f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def _bound(schema: Schema, *, least: bool, whole: bool) -> tuple[Fraction, bool] | None:
    """One that grows as it gets tighter; of whole numbers, an exclusive one is moved inwards."""
    sign = 1 if least else -1
    names = ("minimum", "exclusiveMinimum") if least else ("maximum", "exclusiveMaximum")
    bounds = [(Fraction(str(schema[name])) * sign, name == names[1]) for name in names if name in schema]
    if not bounds:
        return None
    value, exclusive = max(bounds)
    if whole:
        up = Fraction(-(-value.numerator // value.denominator))
        return (up + 1 if exclusive and up == value else up), False
    return value, exclusive


def _multiple_misfits(writer: Schema, reader: Schema, *, whole: bool) -> Iterator[Misfit]:
    wanted, given = reader.get("multipleOf"), writer.get("multipleOf", 1 if whole else None)
    if wanted is None or _is_stepped(given, wanted, writer, reader, whole=whole):
        return
    told = "any number" if given is None else f"a multiple of {given}"
    near = ", by another library's rules" if given == wanted else ""
    yield Misfit("multiple-of", f"{told} may be written, the reader wants a multiple of {wanted}{near}")


def _is_stepped(given: Any, wanted: Any, writer: Schema, reader: Schema, *, whole: bool) -> bool:
    """Whether multiples of one number are multiples of the other, as the reader counts them."""
    is_multiple = isinstance(wanted, int) and isinstance(given, int) and given % wanted == 0
    if reader["type"] == "integer":
        return is_multiple
    if whole:
        return is_multiple and _is_kept(wanted, writer)
    if _is_exact(writer):
        return is_multiple or given == wanted
    return not _is_exact(reader) and (given == wanted or (is_multiple and _is_small(writer)))


def _is_kept(step: int, writer: Schema) -> bool:
    """Whether a whole number is still a multiple of the step when it has become a float."""
    return step & (step - 1) == 0 or _is_small(writer)


def _is_small(writer: Schema) -> bool:
    bounds = (_bound(writer, least=True, whole=True), _bound(writer, least=False, whole=True))
    return all(bound is not None and abs(bound[0]) <= _LARGEST for bound in bounds)


def _is_exact(schema: Schema) -> bool:
    return bool(schema.get(LIMITS, {}).get(STEPS) == EXACT)


def _format_misfits(writer: Schema, reader: Schema) -> Iterator[Misfit]:
    given, wanted = writer.get("format"), reader.get("format")
    if wanted is None:
        return
    # Bytes that are a text are any text.
    if given is None and wanted == "binary":
        return
    if given != wanted and wanted not in _WIDER.get(given or "", ()):
        yield Misfit("format", f"the reader wants the format {wanted!r}, the writer {_or_any(given)}")
    elif reader.get(NAIVE) is not True and writer.get(NAIVE) != reader.get(NAIVE):
        told = "without an offset" if reader.get(NAIVE) == "only" else "with an offset"
        yield Misfit("naive", f"the reader wants it {told}, the writer may write others")


def _holds(  # noqa: PLR0911  # a limit each
    name: str, value: Any, given: Mapping[str, Any], wanted: Mapping[str, Any], reader: Schema
) -> bool:
    if name in (ENGINE, STEPS):
        # A part of the pattern, or of the step.
        return True
    if name in _CHANGES:
        # They change what was read, and only stripping comes before the checks.
        is_checked = bool(reader.get("minLength")) or "pattern" in reader or "format" in reader
        return name != "strip_whitespace" or not is_checked or bool(given.get(name))
    if name in _ORDERED:
        return _is_within(name, value, given)
    own = given.get(name)
    if own is None:
        return False
    if name == "max_digits":
        return _fits_digits(given, wanted)
    if name == "allowed_schemes":
        return set(own) <= set(value)
    if name == "multiple_of":
        # Of a larger number the rest cannot be told, and it is refused.
        is_small = given.get("max_digits", _DIGITS) + len(value) <= _DIGITS
        return same(own, value) or (is_small and Decimal(own) % Decimal(value) == 0)
    if name in ("max_bytes", "decimal_places"):
        return bool(own <= value)
    return bool(own >= value) if name == "min_bytes" else same(own, value)


def _fits_digits(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Of Decimals: so many digits in all, and what is left of them before the point."""
    digits, most = given["max_digits"], wanted["max_digits"]
    if digits > most:
        return False
    places = wanted.get("decimal_places")
    return places is None or digits - given.get("decimal_places", 0) <= most - places


def _is_within(name: str, value: Any, given: Mapping[str, Any]) -> bool:
    least = name in ("ge", "gt")
    sign = 1 if least else -1
    exclusive = name in ("gt", "lt")
    for other in ("ge", "gt") if least else ("le", "lt"):
        if other in given:
            order = _order(given[other], value)
            is_tighter = order is not None and order * sign > 0
            if is_tighter or (order == 0 and (other == name or not exclusive)):
                return True
    return False


_READ: tuple[Callable[[str], Any], ...] = (Decimal, date.fromisoformat, datetime.fromisoformat, time.fromisoformat)


def _order(one: Any, other: Any) -> int | None:
    """-1, 0 or 1; None where nothing is known of the order."""
    if one == other:
        return 0
    for read in _READ:
        try:
            return 1 if read(str(one)) > read(str(other)) else -1
        except (InvalidOperation, ValueError, TypeError):
            continue
    return None


def _found(pattern: str, value: str, engine: str | None) -> bool:
    """Whether the regular expression finds something, in the library that it is of."""
    try:
        if engine == PYTHON:
            return re.search(pattern, value) is not None
        schema = pydantic_core.core_schema.str_schema(pattern=pattern)
        return pydantic_core.SchemaValidator(schema).isinstance_python(value)
    except (pydantic_core.SchemaError, re.error):
        return False


def type_of(value: Any) -> str:
    """The JSON type of a value, a whole number being an integer."""
    kinds: list[tuple[type, str]] = [(bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")]
    kinds += [(list, "array"), (dict, "object")]
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def _told(schema: Schema, name: str) -> str:
    exclusive = f"exclusive{name.capitalize()}"
    if exclusive in schema:
        return f"{'more' if name == 'minimum' else 'less'} than {schema[exclusive]}"
    return str(schema.get(name, "any number"))


def _or_any(given: Any) -> str:
    return "writes any text" if given is None else f"writes {given!r}"
