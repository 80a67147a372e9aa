"""Dates, times, durations, and Decimals: their forms, offsets and limits."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from pydantic import AwareDatetime, Field, FutureDate, NaiveDatetime, PastDate, PlainSerializer

from tests.schema.evolutions.evolution import COUNTS, Evolution, retyped
from typed_pubsub.events import Event, StructEvent

DAYS = (date(1, 1, 1), date(1969, 12, 31), date(1970, 1, 1), date(2000, 2, 29), date(2026, 1, 1), date(9999, 12, 31))
PAST, FUTURE = date(1970, 1, 1), date(9999, 12, 31)
NAIVE = tuple(datetime(day.year, day.month, day.day, 1, 2, 3, 4) for day in DAYS)  # noqa: DTZ001  # some are meant so
EAST = timezone(timedelta(hours=14))
AWARE = (*(moment.replace(tzinfo=UTC) for moment in NAIVE), NAIVE[4].replace(tzinfo=EAST))
TIMES = (time(), time(1), time(23, 59, 59, 999999), time(0, 0, 0, 1), time(12, 30), time(12, 30, 1))
AWARE_TIMES = tuple(moment.replace(tzinfo=UTC) for moment in TIMES)
SPANS = (timedelta(), timedelta(days=-1), timedelta(microseconds=1), timedelta(days=364), timedelta(hours=25))
LONG_SPANS = (timedelta(days=365), timedelta.max, timedelta.min, timedelta(days=-400, microseconds=1))
AMOUNTS = tuple(map(Decimal, ("0", "-0", "0.10", "1E+10", "-123.45", "99999999999999999999.999999")))


def _moments(suffix: str, base: Any) -> list[Evolution]:
    aware: Any = AwareDatetime if base is Event else Annotated[datetime, msgspec.Meta(tz=True)]
    naive: Any = NaiveDatetime if base is Event else Annotated[datetime, msgspec.Meta(tz=False)]
    return [
        retyped(
            f"a moment with an offset to one without a must{suffix}",
            aware,
            datetime,
            old_values=AWARE,
            refused_forward=NAIVE[0],
            base=base,
        ),
        retyped(
            f"a moment without an offset to any{suffix}",
            naive,
            datetime,
            old_values=NAIVE,
            refused_forward=AWARE[0],
            base=base,
        ),
        retyped(
            f"a moment with an offset to one without{suffix}",
            aware,
            naive,
            refused_back=AWARE[0],
            refused_forward=NAIVE[0],
            base=base,
        ),
        retyped(f"a date to str{suffix}", date, str, old_values=DAYS, refused_forward="2026-02-30", base=base),
        retyped(f"a date-time to str{suffix}", datetime, str, old_values=AWARE, refused_forward="a", base=base),
        retyped(
            f"a date-time to a date{suffix}",
            datetime,
            date,
            refused_back=AWARE[0],
            new_values=DAYS,
            base=base,
            **({"forward": False, "lax": True} if base is Event else {"refused_forward": PAST}),
        ),
        retyped(
            f"a time to a date-time{suffix}", time, datetime, refused_back=time(1), refused_forward=AWARE[0], base=base
        ),
        retyped(f"a time to str{suffix}", time, str, old_values=(*TIMES, *AWARE_TIMES), refused_forward="a", base=base),
        retyped(
            f"a duration to str{suffix}",
            timedelta,
            str,
            old_values=(*SPANS, *LONG_SPANS),
            refused_forward="a",
            base=base,
        ),
        retyped(f"int to a date-time{suffix}", int, datetime, refused_back=2**62, refused_forward=AWARE[0], base=base),
        retyped(f"int to a duration{suffix}", int, timedelta, refused_back=2**62, refused_forward=SPANS[0], base=base),
    ]


def _decimals(suffix: str, base: Any) -> list[Evolution]:
    return [
        retyped(f"Decimal to str{suffix}", Decimal, str, old_values=AMOUNTS, refused_forward="a", base=base),
        retyped(f"int to Decimal{suffix}", int, Decimal, old_values=COUNTS, refused_forward=Decimal("1.5"), base=base),
    ]


def _amounts(*texts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))


def _limited(kind: Any, **limits: Any) -> Any:
    return Annotated[kind, Field(**limits)]


OF_MODELS = [
    retyped(
        "a date limited below", date, _limited(date, ge=PAST), refused_back=date(1969, 12, 31), new_values=DAYS[2:]
    ),
    retyped(
        "a date's lower limit moved down",
        _limited(date, ge=date(2000, 1, 1)),
        _limited(date, ge=PAST),
        old_values=DAYS[3:],
        refused_forward=PAST,
    ),
    retyped(
        "a date's limit made exclusive",
        _limited(date, le=FUTURE),
        _limited(date, lt=FUTURE),
        refused_back=FUTURE,
        new_values=DAYS[:5],
    ),
    retyped(
        "a moment's limit moved up",
        _limited(AwareDatetime, ge=AWARE[1]),
        _limited(AwareDatetime, ge=AWARE[2]),
        refused_back=AWARE[1],
        new_values=AWARE[2:],
    ),
    retyped(
        "a duration limited",
        timedelta,
        _limited(timedelta, ge=timedelta()),
        refused_back=timedelta(-1),
        new_values=[span for span in (*SPANS, *LONG_SPANS) if span >= timedelta()],
    ),
    retyped(
        "a duration's limit said in other units",
        _limited(timedelta, le=timedelta(days=1)),
        _limited(timedelta, le=timedelta(hours=24)),
        values=(timedelta(days=1), *SPANS[:3]),
    ),
    retyped("any date to one in the past", date, PastDate, refused_back=FUTURE, new_values=DAYS[:4]),
    retyped("a date in the past to one in the future", PastDate, FutureDate, refused_back=PAST, refused_forward=FUTURE),
    retyped(
        "Decimal to float",
        Decimal,
        float,
        old_values=AMOUNTS,
        new_values=(0.0, 1.5, -1e300, 5e-324),
        backward=False,
        lax=True,
    ),
    retyped("str to Decimal", str, Decimal, refused_back="a", new_values=AMOUNTS),
    retyped("Decimal to int", Decimal, int, refused_back=Decimal("1.5"), new_values=COUNTS),
    retyped(
        "a Decimal's digits limited",
        Decimal,
        _limited(Decimal, max_digits=3),
        refused_back=Decimal(1000),
        new_values=_amounts("0", "999", "-9.99", "0.001"),
    ),
    retyped(
        "a Decimal's digits more",
        _limited(Decimal, max_digits=3),
        _limited(Decimal, max_digits=4),
        old_values=_amounts("0", "999", "-9.99", "0.001"),
        refused_forward=Decimal(1000),
    ),
    retyped(
        "a Decimal's places fewer",
        _limited(Decimal, decimal_places=2),
        _limited(Decimal, decimal_places=1),
        refused_back=Decimal("0.01"),
        new_values=_amounts("0", "1E+10", "0.1", "-9.9"),
    ),
    retyped(
        "a Decimal's places more, with no digits more for them",
        _limited(Decimal, max_digits=5, decimal_places=2),
        _limited(Decimal, max_digits=5, decimal_places=3),
        refused_back=Decimal("123.45"),
        refused_forward=Decimal("0.001"),
    ),
    retyped(
        "a Decimal's places more, with the digits for them",
        _limited(Decimal, max_digits=5, decimal_places=2),
        _limited(Decimal, max_digits=6, decimal_places=3),
        old_values=_amounts("0", "123.45", "-999.99", "0.01"),
        refused_forward=Decimal("0.001"),
    ),
    retyped(
        "a Decimal's lower limit moved up",
        _limited(Decimal, ge=0),
        _limited(Decimal, ge=1),
        refused_back=Decimal("0.5"),
        new_values=_amounts("1", "1.0", "1E+10"),
    ),
    retyped(
        "a Decimal's lower limit made inclusive",
        _limited(Decimal, gt=0),
        _limited(Decimal, ge=0),
        old_values=_amounts("1E-20", "1", "1E+10"),
        refused_forward=Decimal(0),
    ),
    retyped(
        "a Decimal's limit written with more digits",
        _limited(Decimal, le=Decimal("1.0")),
        _limited(Decimal, le=Decimal(1)),
        values=_amounts("1.00", "1", "-1E+10"),
    ),
    retyped(
        "a Decimal's steps doubled",
        _limited(Decimal, multiple_of=Decimal("0.5")),
        _limited(Decimal, multiple_of=1),
        refused_back=Decimal("0.5"),
        # A quotient of 29 digits has no rest.
        refused_forward=Decimal("9E+27"),
    ),
    retyped(
        "a Decimal's steps doubled, of few digits",
        _limited(Decimal, max_digits=9, multiple_of=Decimal("0.5")),
        _limited(Decimal, max_digits=9, multiple_of=1),
        refused_back=Decimal("0.5"),
        new_values=_amounts("0", "1", "999999999"),
    ),
    retyped(
        "an int with a bound to a Decimal with the same",
        _limited(int, ge=1),
        _limited(Decimal, ge=1),
        old_values=(1, 2, 2**63),
        refused_forward=Decimal("1.5"),
    ),
    retyped(
        "a Decimal written as a number",
        Decimal,
        Annotated[Decimal, PlainSerializer(float, return_type=float)],
        old_values=AMOUNTS,
        new_values=_amounts("0", "1.5", "-100"),
    ),
]

OF_STRUCTS = [
    retyped(
        "a date to a date-time (Struct)", date, datetime, refused_back=PAST, refused_forward=AWARE[0], base=StructEvent
    ),
    retyped(
        "Decimal to float (Struct)", Decimal, float, refused_back=Decimal(1), new_values=(0.0, 1.5), base=StructEvent
    ),
    retyped("str to Decimal (Struct)", str, Decimal, refused_back="a", new_values=AMOUNTS, base=StructEvent),
    retyped(
        "a duration of a model to one of a Struct, which knows no years",
        timedelta,
        timedelta,
        refused_back=timedelta(days=365),
        new_values=(*SPANS, *LONG_SPANS),
        base=(Event, StructEvent),
    ),
    retyped(
        "a time that must have an offset (Struct)",
        time,
        Annotated[time, msgspec.Meta(tz=True)],
        refused_back=time(1),
        new_values=AWARE_TIMES,
        base=StructEvent,
    ),
]

EVOLUTIONS: list[Evolution] = [
    *_moments("", Event),
    *_moments(" (Struct)", StructEvent),
    *_decimals("", Event),
    *_decimals(" (Struct)", StructEvent),
    *OF_MODELS,
    *OF_STRUCTS,
]
