"""Random schemas of single values, each with defaults that a member of it may have."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """The schema of a value, and defaults of it as JSON."""

    schema: Schema
    defaults: tuple[Any, ...] = ()
    hashable: bool = True


def bounded(kind: str, numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Value]:
    lower = st.one_of(
        st.just({}), numbers.map(lambda n: {"minimum": n}), numbers.map(lambda n: {"exclusiveMinimum": n})
    )
    upper = st.one_of(
        st.just({}), numbers.map(lambda n: {"maximum": n}), numbers.map(lambda n: {"exclusiveMaximum": n})
    )
    return st.builds(lambda low, high: Value({"type": kind, **low, **high}, (7,)), lower, upper)


LENGTHS = st.fixed_dictionaries({}, optional={"minLength": st.integers(0, 3), "maxLength": st.integers(3, 9)})
PATTERNS = st.sampled_from(["^a", r"\d+$", "[\"']", "^(one|two|three)$", "ä\\\\", "x" * 100])
PYTHONS = PATTERNS.map(lambda pattern: {"pattern": pattern, "x-limits": {"regex_engine": "python"}})


def _texts(*, struct: bool) -> st.SearchStrategy[Value]:
    own = [] if struct else [PATTERNS.map(lambda pattern: {"pattern": pattern})]
    return st.builds(
        lambda lengths, pattern: Value(
            {"type": "string", **lengths, **pattern}, ("", "a'b\"c\\", "ä\n\u2028", "y" * 100)
        ),
        LENGTHS,
        st.one_of(st.just({}), PYTHONS, *own),
    )


COMMON_FORMATS = st.sampled_from(
    [
        Value({"type": "string", "format": "uuid"}, ("12345678-1234-5678-1234-567812345678",)),
        Value({"type": "string", "format": "date"}, ("2024-02-29",)),
        Value({"type": "string", "format": "date-time"}, ("2024-02-29T12:30:00Z", "2024-02-29T12:30:00.5+02:00")),
        Value({"type": "string", "format": "date-time", "x-naive": True}, ("2024-02-29T12:30:00",)),
        Value({"type": "string", "format": "date-time", "x-naive": "only"}, ("2024-02-29T12:30:00",)),
        Value({"type": "string", "format": "time", "x-naive": True}, ("12:30:00",)),
        Value({"type": "string", "format": "base64"}, ("YQ==",)),
        Value({"type": "string", "format": "binary"}, ("a",)),
        Value({"type": "string", "contentEncoding": "base64"}, ("YQ==",)),
        Value({"type": "string", "format": "email"}, ("a@b.c",)),
        Value({"type": "string", "format": "email", "maxLength": 5}),
        Value({"anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"}]}, ("1.50", "3")),
    ]
)
LITERALS = st.one_of(
    st.lists(st.sampled_from(["a", "b", "", "c'd", 'e"', "f" * 60]), min_size=1, unique=True).map(
        lambda values: Value(_values(sorted(values), "string"), tuple(values))
    ),
    st.lists(st.integers(-3, 3), min_size=1, unique=True).map(
        lambda values: Value(_values(sorted(values), "integer"), tuple(values))
    ),
)
OF_MODELS = st.sampled_from(
    [
        Value({"type": "string", "format": "uuid4"}, ("12345678-1234-4678-9234-567812345678",)),
        Value({"type": "string", "format": "binary", "x-limits": {"max_bytes": 4}}, ("a",)),
        Value({"type": "string", "format": "uri", "minLength": 1}, ("https://example.org/",)),
        Value({"type": "string", "format": "ipv4"}, ("127.0.0.1",)),
        Value({"type": "string", "format": "path"}, ("/a",)),
        Value(
            {"type": "string", "format": "date", "x-limits": {"now_op": "past", "ge": "2020-01-01"}}, ("2021-01-01",)
        ),
        Value({"type": "string", "format": "date-time", "x-limits": {"now_op": "future"}}),
        Value({"type": "string", "format": "duration", "x-limits": {"lt": "P1DT0.5S"}}, ("PT1S",)),
        Value({"type": "string", "maxLength": 9, "x-limits": {"strip_whitespace": True, "to_upper": True}}, ("A",)),
        Value(
            {
                "anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"}],
                "x-limits": {"ge": "0", "lt": "99.5", "max_digits": 4, "decimal_places": 2},
            },
            ("1.50",),
        ),
        Value({"const": True, "type": "boolean"}, (True,)),
        Value({"enum": ["a", 1, None]}, (1,)),
    ]
)


def _values(values: list[Any], kind: str) -> Schema:
    return {"const": values[0], "type": kind} if len(values) == 1 else {"enum": values, "type": kind}


def leaves(*, struct: bool) -> st.SearchStrategy[Value]:
    numbers = st.one_of(bounded("integer", st.integers(-(10**6), 10**6)), bounded("number", st.floats(-1e6, 1e6)))
    days: Schema = {"x-limits": {"longest_unit": "day"}} if struct else {}
    durations = st.just(Value({"type": "string", "format": "duration", **days}, ("P1DT2H", "PT0S")))
    booleans = st.just(Value({"type": "boolean"}, (True, False)))
    common = [numbers, _texts(struct=struct), COMMON_FORMATS, LITERALS, durations, booleans]
    return st.one_of(*common, *([] if struct else [OF_MODELS]))
