"""Data from schemas: the one place that makes it, for counter-examples, for tests of old versions, for examples.

Small, readable values come first, and of everything that is counted the bounds. This module needs Hypothesis
(``typed-pubsub[testing]`` or ``[cli]``).
"""

import json
import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.fits import fits
from typed_pubsub.schema.texts import decimals, sizes, texts
from typed_pubsub.schema.unions import UNKNOWN, Schema, Side
from typed_pubsub.schema.vocabulary import EXACT, KEY_TYPE, LIMITS, STEPS

# Integers are taken to be such as 64 bits hold: see ``compatibility``.
_LEAST, _MOST = -(2**63), 2**63 - 1
_MORE = 4
_LONGEST = 60
_OFTEN = 3

_NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6) | st.sampled_from(["A", "0", "a b", ""])
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(_LEAST, _MOST) | st.floats(allow_nan=False, allow_infinity=False) | _NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)


def instances(schema: Schema, *, beside: Any = None) -> st.SearchStrategy[Any]:
    """JSON values that the schema allows, those first that are on the edge of what it, or ``beside``, allows.

    Args:
        schema: of a writer or of a reader; in a writer's closed form all that is generated can be written.
        beside: another schema, whose bounds are of interest too.

    Raises (when an example is drawn):
        hypothesis.errors.InvalidArgument: the schema contradicts itself.
    """
    return _Maker(schema, _numbers(schema) | _numbers(beside)).of(schema)


class _Maker:
    """One strategy for each schema within a schema, made when it is first needed: schemas refer to themselves."""

    def __init__(self, root: Schema, edges: set[int | float]) -> None:
        self._side = Side(root)
        self._edges = edges
        self._made: dict[str, st.SearchStrategy[Any]] = {}

    def of(self, schema: Any) -> st.SearchStrategy[Any]:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._made:
            self._made[key] = st.deferred(lambda: self._any_of(schema))
        return self._made[key]

    def _any_of(self, schema: Any) -> st.SearchStrategy[Any]:
        alternatives = self._side.alternatives(schema)
        if {one.get("type") for one in alternatives} >= {"null", "number", "string", "array", "object"}:
            return _ANYTHING
        # What ends a recursion, and what is shortest, comes first.
        alternatives = sorted(alternatives, key=_is_nested)
        made = [self._one(alternative) for alternative in alternatives]
        if self._side.is_recursive(schema):
            # And more often, or what is made has no end.
            made = [*made[: sum(not _is_nested(one) for one in alternatives)] * _OFTEN, *made]
        return st.one_of(made)

    def _one(self, schema: Schema) -> st.SearchStrategy[Any]:
        if UNKNOWN in schema:
            return st.nothing()
        if "const" in schema:
            return st.just(schema["const"])
        kind = schema["type"]
        if kind in ("array", "object"):
            return self._arrays(schema) if kind == "array" else self._objects(schema)
        return st.none() if kind == "null" else _SCALARS[kind](schema, self._edges)

    def _arrays(self, schema: Schema) -> st.SearchStrategy[Any]:
        fixed = [self.of(one) for one in schema.get("prefixItems", ())]
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if fixed:
            count = len(fixed) if most is None else min(len(fixed), most)
            shortest = [st.tuples(*fixed[:size]) for size in range(min(least, count), count + 1)]
            head = st.one_of(list(reversed(shortest))).map(list)
            # A writer's tuple ends where its fixed items do, unless it says how it goes on.
            if "items" not in schema or (most is not None and most <= len(fixed)):
                return head
            tail = st.lists(self.of(schema["items"]), min_size=max(0, least - len(fixed)), max_size=_MORE)
            return st.tuples(st.tuples(*fixed).map(list), tail).map(lambda parts: parts[0] + parts[1])
        items = self.of(schema.get("items", True))
        if self._side.is_recursive(schema.get("items", True)):
            return st.one_of(
                [
                    *[st.lists(items, min_size=least, max_size=least)] * _OFTEN,
                    st.lists(items, min_size=least, max_size=least + 1),
                ]
            )
        unique = _canonical if schema.get("uniqueItems") else None
        if unique is not None and (kinds := self._kinds_of(schema.get("items", True))) is not None:
            most = kinds if most is None else min(most, kinds)
        ranges = sizes(least, most, self._edges, more=_MORE, limit=_LONGEST)
        return st.one_of([st.lists(items, min_size=low, max_size=high, unique_by=unique) for low, high in ranges])

    def _kinds_of(self, schema: Any) -> int | None:
        """How many different values there are, where they can be counted at all."""
        alternatives = self._side.alternatives(schema)
        values = {_canonical(one["const"]) for one in alternatives if "const" in one}
        values |= {"null" for one in alternatives if one.get("type") == "null"}
        counted = len(values)
        for one in alternatives:
            if one.get("type") == "integer" and {"minimum", "maximum"} <= one.keys():
                step = one.get("multipleOf", 1)
                counted += max(0, int(one["maximum"] // step) - int(-(-one["minimum"] // step)) + 1)
            elif "const" not in one and one.get("type") != "null":
                return None
        return counted

    def _objects(self, schema: Schema) -> st.SearchStrategy[Any]:
        members = {name: self.of(one) for name, one in schema.get("properties", {}).items()}
        required = [name for name in members if name in schema.get("required", ())]
        optional = {name: one for name, one in members.items() if name not in required}
        fixed = st.fixed_dictionaries({name: members[name] for name in required}, optional=optional)
        more = schema.get("additionalProperties", True)
        if more is False:
            return fixed
        least, most = schema.get("minProperties", 0), schema.get("maxProperties")
        names = self._names(schema.get("propertyNames", True)).filter(lambda name: name not in members)
        if not members:
            ranges = sizes(least, most, self._edges, more=_MORE, limit=_LONGEST)
            return st.one_of(
                [st.dictionaries(names, self.of(more), min_size=low, max_size=high) for low, high in ranges]
            )
        others = st.dictionaries(names, self.of(more), max_size=2)
        return st.tuples(others, fixed).map(lambda parts: {**parts[0], **parts[1]})

    def _names(self, schema: Any) -> st.SearchStrategy[str]:
        if schema is True or schema == {"type": "string"}:
            return _NAMES
        if is_mapping(schema) and (kind := schema.get(KEY_TYPE)) is not None:
            bare = {name: one for name, one in schema.items() if name not in (KEY_TYPE, "type")}
            return self.of(kind if is_mapping(kind) else {**bare, "type": kind}).map(_as_name)
        return self.of(schema)


def _is_nested(schema: Schema) -> bool:
    return schema.get("type") in ("array", "object")


def _as_name(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _numbers(schema: Any) -> set[int | float]:
    """Every number in it: on both sides of them schemas differ."""
    if is_mapping(schema):
        return _numbers([*schema.values()])
    if is_list(schema):
        return {number for one in schema for number in _numbers(one)}
    is_number = isinstance(schema, int | float) and not isinstance(schema, bool)
    return {schema} if is_number and math.isfinite(schema) else set()


def _integers(schema: Schema, edges: Iterable[int | float]) -> st.SearchStrategy[int]:
    step = schema.get("multipleOf", 1)
    if step != int(step):
        return _floats(schema, edges).filter(lambda value: value == int(value)).map(int)
    step = int(step)
    low = max([math.ceil(schema.get("minimum", _LEAST)), math.floor(schema.get("exclusiveMinimum", _LEAST - 1)) + 1])
    high = min([math.floor(schema.get("maximum", _MOST)), math.ceil(schema.get("exclusiveMaximum", _MOST + 1)) - 1])
    first, last = -(-low // step), high // step
    if first > last:
        return st.nothing()
    near = {int(edge) // step + more for edge in edges for more in (-1, 0, 1)} | {first, last}
    inside = sorted((one for one in near if first <= one <= last), key=abs)
    return (st.integers(first, last) | st.sampled_from(inside)).map(lambda count: count * step)


def _floats(schema: Schema, edges: Iterable[int | float]) -> st.SearchStrategy[float]:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")

    def is_inside(value: float) -> bool:
        return (
            (low is None or value >= low)
            and (above is None or value > above)
            and (high is None or value <= high)
            and (below is None or value < below)
        )

    is_exact = schema.get(LIMITS, {}).get(STEPS) == EXACT
    if LIMITS in schema and not is_exact:
        # A Decimal's: what a float makes of its digits may be one too many.
        return decimals(schema).map(float).filter(lambda value: fits(schema, value))
    step = schema.get("multipleOf")
    lows, highs = [one for one in (low, above) if one is not None], [one for one in (high, below) if one is not None]
    if step is not None:
        exact = Fraction(step) if is_exact else Fraction(str(step))
        first = math.ceil(Fraction(str(max(lows, default=-1_000 * step))) / exact)
        last = math.floor(Fraction(str(min(highs, default=max(first, 0) * step + 1_000 * step))) / exact)
        counted = st.integers(first, max(first, last)).map(lambda count: float(exact * count)).filter(is_inside)
        return counted.filter(lambda value: fits(schema, value))
    least, most = max(lows, default=None), min(highs, default=None)
    anywhere = st.floats(least, most, allow_nan=False, allow_infinity=False).filter(is_inside)
    inside = sorted({one for edge in edges for one in (float(edge), edge + 0.5, edge - 0.5) if is_inside(one)}, key=abs)
    return (st.sampled_from(inside) | anywhere) if inside else anywhere


_SCALARS: dict[str, Callable[[Schema, set[int | float]], st.SearchStrategy[Any]]] = {
    "integer": _integers,
    "number": _floats,
    "string": texts,
}
