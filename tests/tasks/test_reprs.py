"""The texts of arguments are those of Celery's saferepr, to the letter."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given, settings
from hypothesis import strategies as st

from typed_pubsub.tasks import reprs
from typed_pubsub.tasks.reprs import argument_text

#: Three times what is usual, which is less on the Pythons beside the first.
MANY = 3 * settings().max_examples


class Text(str):
    __slots__ = ()


class Number(IntEnum):
    ONE = 1


class Pair(NamedTuple):
    first: Any
    second: Any


class Loud:
    def __repr__(self) -> str:
        raise RuntimeError("no")


QUOTED = st.text(alphabet="a'\"\\\n\t\u00e4\u20ac\U0001f600 ,{}[]()\x00", max_size=40)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), QUOTED, st.decimals(), st.uuids(),
    st.datetimes(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=-3))])), st.dates(), st.times(),
    st.binary(max_size=20), st.sampled_from([Text("it's"), Number.ONE, Pair(1, "x"), 1j, range(3), timedelta(1)]),
)  # fmt: skip
KEYS = st.one_of(QUOTED, st.integers(), st.none(), st.booleans(), st.uuids(), st.tuples(st.integers()), st.floats())


def containers(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(of, max_size=5)
    return lists | lists.map(tuple) | st.dictionaries(KEYS, of, max_size=4) | st.frozensets(KEYS, max_size=3)


VALUES = st.recursive(SCALARS, containers, max_leaves=25)
LONG = st.integers(0, 80).flatmap(lambda n: st.lists(QUOTED | st.integers(), min_size=n, max_size=n))


@given(VALUES, st.sampled_from([1024, 1, 5, 20, 60, 200, 0, None, -1]), st.sampled_from([3, 0, 1, 2, 4, 10, None]))
@settings(max_examples=MANY)
def test_any_value_is_written_as_celery_writes_it(value: Any, maxlen: Any, levels: Any) -> None:
    assert argument_text(value, maxlen, levels) == saferepr(value, maxlen, maxlevels=levels)


@given(st.data())
@settings(max_examples=MANY)
def test_so_it_is_about_the_limit(data: st.DataObject) -> None:
    value = data.draw(st.one_of(VALUES, LONG.map(tuple), LONG, st.dictionaries(QUOTED, LONG, max_size=5)))
    whole = len(saferepr(value, None))
    maxlen = max(1, whole + data.draw(st.integers(-4, 4)))
    assert argument_text(value, maxlen, 3) == saferepr(value, maxlen, maxlevels=3)


@pytest.mark.parametrize("length", range(1000, 1040))
@pytest.mark.parametrize("quotes", ["", "'", "'\\"])
def test_so_is_a_text_about_the_limit(length: int, quotes: str) -> None:
    text = quotes + "x y" * (length // 3)
    for value in ((text,), ("a", text), [text], {"key": text}, {text: 1}, ({"a": [text]},), (text, {"b": 1})):
        assert argument_text(value, 1024, 3) == saferepr(value, 1024, maxlevels=3)


@pytest.mark.parametrize(
    "value",
    [
        (),
        [],
        {},
        ((),),
        ([],),
        ({},),
        [(), ()],
        ("",),
        (None,),
        (-0.0,),
        (float("nan"),),
        (10**400,),
        ("it's", 'a "b"'),
    ],
    ids=repr,
)
def test_so_are_the_empty_and_the_odd(value: Any) -> None:
    assert argument_text(value, 1024, 3) == saferepr(value, 1024, maxlevels=3)


def test_what_holds_itself_is_celerys_to_write() -> None:
    inner: list[Any] = []
    inner.append(inner)
    outer: dict[str, Any] = {"a": (inner,)}
    outer["self"] = outer
    for value in (inner, outer, (inner, outer)):
        assert argument_text(value, 1024, 3) == saferepr(value, 1024, maxlevels=3)
    assert "<Unrepresentable" in argument_text((Loud(),), 1024, 3)


def test_the_same_object_twice_is_written_twice() -> None:
    item = [1]
    assert argument_text((item, item, {"a": item}), 1024, 3) == "([1], [1], {'a': [1]})"


def test_plain_values_do_without_celery(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2024, 2, 29, 1, 2, tzinfo=UTC)
    value = (
        1, "two", None, True, 1.5, UUID(int=7), Decimal("1.50"), moment, date(2024, 2, 29), time(1, 2), ["x", (1,)],
        {"k": {"n": 1}},
    )  # fmt: skip
    expected = saferepr(value, 1024)
    monkeypatch.setattr(reprs, "saferepr", None)
    assert argument_text(value, 1024, 3) == expected
    assert argument_text({"k": value[:-2]}, 1024, 3)


def test_something_large_is_not_read_to_its_end() -> None:
    rows = [[str(number) * 20] * 300 for number in range(2_000)]
    assert reprs._text(rows, 1024, 3) is None
    assert argument_text((rows,), 1024, 3) == saferepr((rows,), 1024)
