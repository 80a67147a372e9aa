"""Texts of a schema: of a pattern, of a format, or any, within their lengths and limits. Needs Hypothesis."""

import base64
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from pydantic_core import to_jsonable_python

from typed_pubsub.schema.fits import fits
from typed_pubsub.schema.formats import bounds
from typed_pubsub.schema.unions import Schema
from typed_pubsub.schema.vocabulary import ENGINE, LIMITS, NAIVE, PYTHON

Texts = st.SearchStrategy[str]

_LONGEST_EDGE = 1_000
_MORE = 12
# A lone surrogate has no UTF-8.
_CHARACTERS = st.characters(codec="utf-8")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ALPHABETS: tuple[Any, ...] = (_LETTERS, " a", _CHARACTERS)
_OFFSETS = st.sampled_from([UTC])
_FIRST, _LAST = datetime(1970, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001  # bounds of naive ones
_PAST, _FUTURE = date(2020, 1, 1), date(2090, 1, 1)
_CHECKED = frozenset({"type", "minLength", "maxLength", "pattern", "format", LIMITS, NAIVE})
_UUIDS = {"uuid": None, "uuid1": 1, "uuid3": 3, "uuid4": 4, "uuid5": 5}
_SAMPLES: dict[str, tuple[str, ...]] = {
    "email": ("a@example.com", "someone.else@example.org"),
    "name-email": ("A Name <a@example.com>",),
    "ipv4": ("127.0.0.1", "192.168.0.1"),
    "ipv6": ("::1", "2001:db8::1"),
    "ipvanyaddress": ("127.0.0.1", "::1"),
    "ipv4network": ("192.168.0.0/24",),
    "ipv6network": ("2001:db8::/32",),
    "ipvanynetwork": ("192.168.0.0/24", "2001:db8::/32"),
    "ipv4interface": ("192.168.0.1/24",),
    "ipv6interface": ("2001:db8::1/32",),
    "ipvanyinterface": ("192.168.0.1/24", "2001:db8::1/32"),
    "regex": ("a.*",),
    "path": ("/tmp/a", "a"),  # noqa: S108  # no file is made
    "json-string": ("{}",),
}


def texts(schema: Schema, edges: Iterable[int | float]) -> Texts:
    """Texts that the schema allows; ``edges`` are lengths of interest."""
    form = schema.get("format")
    if form is not None:
        found = _of_format(form, schema)
    elif (pattern := schema.get("pattern")) is not None:
        found = _of_pattern(pattern, schema.get(LIMITS, {}).get(ENGINE))
    else:
        found = _of_length(schema, edges)
    limits = schema.get(LIMITS, {})
    for name, change in (("strip_whitespace", str.strip), ("to_lower", str.lower), ("to_upper", str.upper)):
        if limits.get(name):
            # As it is written by who has read it.
            found = found.map(change)
    checked = {name: one for name, one in schema.items() if name in _CHECKED}
    return found.filter(lambda text: fits(checked, text))


def _of_pattern(pattern: str, engine: str | None) -> Texts:
    # Rust's '$' ends a text.
    python = pattern if engine == PYTHON else re.sub(r"(?<!\\)\$", r"\\Z", pattern)
    return st.from_regex(python, fullmatch=True) | st.from_regex(python)


def _of_length(schema: Schema, edges: Iterable[int | float]) -> Texts:
    ranges = sizes(schema.get("minLength", 0), schema.get("maxLength"), edges, more=_MORE, limit=_LONGEST_EDGE)
    short = [st.text(some, min_size=low, max_size=high) for low, high in ranges[:1] for some in _ALPHABETS]
    return st.one_of([*short, *(st.just("a" * size) for size, _ in ranges[1:])])


def sizes(least: int, most: int | None, edges: Iterable[float], *, more: int, limit: int) -> list[tuple[int, int]]:
    """Ranges of sizes: first short ones, ``more`` than the least, then those beside an edge; none if there is no size.

    Edges beyond ``limit`` are left out: what is so long takes its time.
    """
    if most is not None and most < least:
        return []
    end = least + more if most is None else min(most, least + more)
    near = {int(edge) + step for edge in edges for step in (0, 1)} | {end if most is None else most}
    far = sorted(size for size in near if end < size <= limit and (most is None or size <= most))
    return [(least, end), *((size, size) for size in far)]


def _of_format(form: str, schema: Schema) -> Texts:
    limits = schema.get(LIMITS, {})
    if form in _UUIDS:
        return st.uuids(version=_UUIDS[form]).map(str)  # type: ignore[arg-type]  # None: any
    if form in _MADE:
        return _MADE[form](schema).map(_written)
    if form in ("binary", "base64", "base64url", "hex"):
        return _of_bytes(form, limits)
    if form == "uri":
        schemes = limits.get("allowed_schemes", ["https", "http", "ftp"])
        return st.sampled_from([f"{scheme}://example.com/{more}" for scheme in schemes for more in ("", "a")])
    return st.sampled_from(_SAMPLES[form]) if form in _SAMPLES else _of_length(schema, ())


def _of_bytes(form: str, limits: dict[str, Any]) -> Texts:
    least = limits.get("min_bytes", 0)
    most = limits.get("max_bytes", least + _MORE)
    if form == "binary":
        return st.text(_LETTERS, min_size=least, max_size=min(most, least + _MORE))
    write: dict[str, Callable[[bytes], str]] = {
        "base64": lambda raw: base64.b64encode(raw).decode(),
        "base64url": lambda raw: base64.urlsafe_b64encode(raw).decode(),
        "hex": bytes.hex,
    }
    return st.binary(min_size=least, max_size=min(most, least + _MORE)).map(write[form])


def _written(value: Any) -> str:
    return str(to_jsonable_python(value))


def _dates(schema: Schema) -> st.SearchStrategy[date]:
    given = bounds("date", schema.get(LIMITS, {}))
    day = timedelta(days=1)
    now = schema.get(LIMITS, {}).get("now_op")
    low = max(given.get("ge", _FIRST.date()), given.get("gt", _FIRST.date() - day) + day)
    high = min(given.get("le", _LAST.date()), given.get("lt", _LAST.date() + day) - day)
    low, high = max(low, _FUTURE) if now == "future" else low, min(high, _PAST) if now == "past" else high
    ends = [] if now is not None else [end for end in (date.min, date.max) if _is_free(end, given)]
    return st.one_of([st.dates(low, high), *([st.sampled_from(ends)] if ends else [])])


def _is_free(end: date, given: dict[str, Any]) -> bool:
    return not (given.keys() & ({"ge", "gt"} if end == date.min else {"le", "lt"}))


def _moments(schema: Schema) -> st.SearchStrategy[datetime]:
    naive = schema.get(NAIVE)
    given = {name: one.replace(tzinfo=None) for name, one in bounds("date-time", schema.get(LIMITS, {})).items()}
    now = schema.get(LIMITS, {}).get("now_op")
    low = max(given.get("ge", _FIRST), given.get("gt", _FIRST), *([datetime(2090, 1, 1)] if now == "future" else []))  # noqa: DTZ001
    high = min(given.get("le", _LAST), given.get("lt", _LAST), *([datetime(2020, 1, 1)] if now == "past" else []))  # noqa: DTZ001
    zones = {None: _OFFSETS, True: st.none() | _OFFSETS, "only": st.none()}[naive]
    return st.datetimes(low, high, timezones=zones)


def _times(schema: Schema) -> st.SearchStrategy[Any]:
    zones = {None: _OFFSETS, True: st.none() | _OFFSETS, "only": st.none()}[schema.get(NAIVE)]
    return st.times(timezones=zones)


def _durations(schema: Schema) -> st.SearchStrategy[timedelta]:
    given = bounds("duration", schema.get(LIMITS, {}))
    most = timedelta(days=999)
    high = given.get("le", given.get("lt"))
    low = given.get("ge", given.get("gt", -most if high is None else high - most))
    return st.timedeltas(low, high if high is not None else max(most, low + most))


def decimals(schema: Schema) -> st.SearchStrategy[Decimal]:
    """Decimals within the limits of the schema."""
    limits = schema.get(LIMITS, {})
    given = bounds("decimal", limits)
    places = limits.get("decimal_places", min(2, limits.get("max_digits", 2)))
    whole = limits.get("max_digits", places + 6) - places
    most = Decimal(10) ** whole - Decimal(1).scaleb(-places) if whole > 0 else Decimal(1) - Decimal(1).scaleb(-places)
    low = max(-most, given.get("ge", -most), given.get("gt", -most))
    high = min(most, given.get("le", most), given.get("lt", most))
    low, high = low.quantize(Decimal(1).scaleb(-places)), high.quantize(Decimal(1).scaleb(-places))
    return st.decimals(low, max(low, high), allow_nan=False, allow_infinity=False, places=places)


_MADE: dict[str, Callable[[Schema], st.SearchStrategy[Any]]] = {
    "date": _dates,
    "date-time": _moments,
    "time": _times,
    "duration": _durations,
    "decimal": decimals,
}
