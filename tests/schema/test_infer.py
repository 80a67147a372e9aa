import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.schema.generated import events_of, imported
from typed_pubsub.errors import SchemaError
from typed_pubsub.events.keyed import read_event
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema.infer import infer

pytestmark = pytest.mark.once

JSON = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False)),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        st.sampled_from(
            ["12345678-1234-5678-1234-567812345678", "2024-02-29", "2023-02-29", "0000-01-01", "1.50", "7"]
        ),
        st.sampled_from(
            ["2024-02-29T12:30:00Z", "2024-02-29T12:30:00", "2024-02-29T24:00:00", "2024-02-29T12:30:00+24:00"]
        ),
        st.dates().map(str),
        st.datetimes().map(lambda moment: moment.isoformat()),
        st.uuids().map(lambda uuid: str(uuid).upper()),
        st.decimals(allow_nan=False, allow_infinity=False).map(str),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["a", "b", "from", "date", "copy", "", "é"]), inner, max_size=4),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), inner, max_size=12),
    ),
    max_leaves=12,
)
MEMBERS = st.sampled_from(["a", "b", "str", "json", "model_config", "_id", "2nd", "with-dash", "with_dash", "Made"])
BODIES = st.lists(st.dictionaries(MEMBERS, JSON, max_size=5), min_size=1, max_size=8)


def event_in(source: str) -> Any:
    with imported(source) as module:
        (event,) = events_of(module)
        meta_of(event).codec.prepare()
        return event


def reads(source: str, body: dict[str, Any], key: str) -> Any:
    return read_event(meta_of(event_in(source)), key, json.dumps(body).encode())


def line(source: str, member: str) -> str:
    """The source of a member."""
    found = re.search(rf"^    {member}: (.*)$", source, re.MULTILINE)
    assert found is not None, source
    return found[1]


@settings(max_examples=80)
@given(bodies=BODIES)
def test_a_draft_reads_every_body_it_was_guessed_from(bodies: list[dict[str, Any]]) -> None:
    meta = meta_of(event_in(infer(bodies, key="made")))
    for body in bodies:
        read_event(meta, "made", json.dumps(body).encode())


WORDS = st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True), st.integers(-99, 99), st.uuids().map(str))


@settings(max_examples=40)
@given(words=st.lists(st.tuples(WORDS, st.booleans()), min_size=1, max_size=6))
def test_a_draft_reads_the_words_of_the_key_from_bodies_and_from_keys(words: list[tuple[str | int, bool]]) -> None:
    bodies = [{"tenant": word} if is_there else {} for word, is_there in words]
    meta = meta_of(event_in(infer(bodies, key="made.{tenant}", name="Made")))
    for (word, _), body in zip(words, bodies, strict=True):
        event = read_event(meta, f"made.{word}", json.dumps(body).encode())
        assert str(event.tenant) == str(word)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], "int"),
        ([1, 2.5], "float  # 1 of 2 are whole"),
        ([2**60, 2.5], "int | float  # 2 kinds of values; 1 of 2 are whole"),
        ([True], "bool"),
        ([True, 1, "a"], "bool | int | str  # 3 kinds of values"),
        ([None, None], "None  # 2 of 2 bodies have null"),
        (["a", None], "str | None  # 1 of 2 bodies have null"),
        (["12345678-1234-5678-1234-567812345678"], "UUID  # the only one is a UUID"),
        (["12345678-1234-5678-1234-567812345678"] * 2, "UUID  # all 2 are UUIDs"),
        (["2024-02-29", "2024-03-01"], "date  # all 2 are dates"),
        (["2024-02-29", "2023-02-29"], "str"),
        (["2024-02-29T12:30:00Z", "2024-02-29T12:30:00.5+02:00"], "AwareDatetime  # all 2 are times with an offset"),
        (["2024-02-29T12:30:00", "2024-02-29T12:30:00"], "datetime  # all 2 are times without an offset"),
        (["2024-02-29T12:30:00Z", "2024-02-29T12:30:00"], "datetime  # all 2 are times, some with an offset"),
        (["1.50", "3"], "Decimal  # all 2 are decimals"),
        (["1", "3"], "str"),
        (["a@example.org", "b@example.org"], "str"),
        ([[], []], "list[Any]  # only empty lists"),
        ([[1], [2, 3]], "list[int]"),
        ([[1], [None, "2024-02-29"]], "list[int | date | None]  # of items: 2 kinds of values; the only one is a date"),
        ([{}, {}], "dict[str, Any]  # only empty objects"),
    ],
)
def test_a_member_is_guessed_from_all_its_values(values: list[Any], expected: str) -> None:
    assert line(infer([{"a": value} for value in values], key="made"), "a") == expected


def test_a_member_that_some_bodies_lack_may_be_none() -> None:
    source = infer([{"a": "2024-02-29"}] * 3 + [{}], key="made")
    assert line(source, "a") == "date | None = None  # 1 of 4 bodies lack it; all 3 are dates"
    assert reads(source, {}, "made").a is None


def test_few_short_texts_that_come_again_are_an_enumeration() -> None:
    states = ["new", "paid", "sent"]
    bodies = [{"state": states[number % 3], "id": f"id{number}"} for number in range(30)]
    source = infer(bodies, key="made")
    assert line(source, "state") == 'Literal["new", "paid", "sent"]  # 3 values in 30 texts'
    assert line(source, "id") == "str"


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "b"] * 9,
        ["a"] * 20,
        ["a", "b"] * 10 + ["c"],
        ["a", "b" * 33] * 10,
        [f"t{number % 11}" for number in range(33)],
    ],
    ids=["too few texts", "one value", "a value seen once", "a long value", "too many values"],
)
def test_other_texts_are_none(texts: list[str]) -> None:
    assert line(infer([{"a": text} for text in texts], key="made"), "a") == "str"


def test_objects_are_models_and_tell_of_their_own_members() -> None:
    bodies: list[Any] = [{"lines": [{"sku": "a", "box": {"size": 1}}, {"sku": "b"}]}, {"lines": []}]
    source = infer(bodies, key="shop.order-paid")
    assert line(source, "lines") == "list[ShopOrderPaidLines]"
    assert line(source, "box") == "ShopOrderPaidLinesBox | None = None  # 1 of 2 objects lack it"
    assert reads(source, bodies[0], "shop.order-paid").lines[0].box.size == 1


def test_objects_with_many_different_members_are_mappings() -> None:
    bodies = [{"scores": {f"u{number}": number, f"u{number + 1}": 0.5}} for number in range(10)]
    source = infer(bodies, key="made")
    told = "11 different members in 10 objects; of values: 10 of 20 are whole"
    assert line(source, "scores") == f"dict[str, float]  # {told}"


def test_a_word_of_the_key_is_a_member_that_bodies_may_lack() -> None:
    source = infer([{"shop": 1}, {}], key="orders.{shop}.{till}.paid", name="Paid")
    assert line(source, "shop") == "int | str  # a word of the routing key; 1 of 2 bodies lack it"
    assert line(source, "till") == "str  # a word of the routing key; 2 of 2 bodies lack it"
    event = reads(source, {}, "orders.7.a.paid")
    assert (event.shop, event.till) == ("7", "a")
    assert line(infer([{"shop": 1}], key="orders.{shop}.paid"), "shop") == "int  # a word of the routing key"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("app1.matches.published", "MatchesPublished"),
        ("etl.{source}.{table}.loaded", "EtlLoaded"),
        ("done", "Done"),
        ("a.order-line.is_paid", "OrderLineIsPaid"),
    ],
)
def test_a_class_is_called_after_its_key(key: str, name: str) -> None:
    assert f"class {name}(Event, routing_key=" in infer([{}], key=key)


@pytest.mark.parametrize(
    ("bodies", "key", "name", "problem"),
    [
        ([], "made", None, r"\$: expected bodies to guess from, got none"),
        ([{}, [1]], "made", None, r"\$: expected body 2 to be an object, got list"),
        ([{}, {}, None], "made", None, r"\$: expected body 3 to be an object, got NoneType"),
        ([{"a": [{"b": float("nan")}]}], "made", None, r"\$\.a\[0\]\.b: expected JSON in body 1, got nan"),
        ([{"a": {1, 2}}], "made", None, r"\$\.a: expected JSON in body 1, got set"),
        ([{"a": {1: 2}}], "made", None, r"\$\.a: expected names of members in body 1, got 1"),
        ([{}, {"b": "x.y"}], "a.{b}", None, r"\$\.b: expected a word of the routing key in body 2, got 'x\.y'"),
        ([{"b": None}], "a.{b}", None, r"\$\.b: expected a word of the routing key in body 1, got None"),
        ([{}], "a.*", None, r"\$\.x-routing-key: .*binding keys"),
        ([{}], "made", "my class", r"\$\.title: expected the name of a class as name=, got 'my class'"),
        ([{}], "1", None, r"\$\.title: expected the name of a class as name=, got '1'"),
    ],
)
def test_what_no_draft_can_be_guessed_from_is_an_error_that_tells_which(
    bodies: list[Any], key: str, name: str | None, problem: str
) -> None:
    with pytest.raises(SchemaError, match=f"^{problem}"):
        infer(bodies, key=key, name=name)
