"""Whether a reader accepts all that a writer may write: the closed form of one schema against another, by rules.

The question is not whether two schemas are alike but whether two services can talk, so the sides differ: what the
writer's schema allows must be allowed by the reader's. What cannot be proven is a problem: "compatible" is never wrong,
as far as a schema tells what its reader does. Two limits: integers are taken to be such as 64 bits hold, and the user's
own validators to refuse the same under the same name. ``rules`` has the rules.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typed_pubsub.events.shapes import is_mapping
from typed_pubsub.schema.scalars import (
    Misfit,
    article,
    few_values,
    limit_misfits,
    number_misfits,
    text_misfits,
    value_misfits,
)
from typed_pubsub.schema.unions import UNKNOWN, Schema, Side, but
from typed_pubsub.schema.vocabulary import KEY_TYPE, LIMITS, READ_AS, VALIDATORS

# Keywords with schemas in them.
_HOLDERS = frozenset(
    {"$ref", "anyOf", "oneOf", "items", "prefixItems", "properties", "additionalProperties", "propertyNames"}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that may be written and would not be accepted: where, by which rule, and in words."""

    path: str
    rule: str
    message: str


def problems(writer: Schema, reader: Schema) -> list[Problem]:
    """What stands between a writer and a reader; nothing, if the reader accepts all that the writer may write.

    Args:
        writer: the closed form of a schema, as ``closed.written`` gives it.
        reader: a schema as it stands in its file.
    """
    return _Checker(writer, reader).check(writer, reader, "$")


class _Checker:
    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._writer = Side(writer)
        self._reader = Side(reader)
        self._proven: set[str] = set()
        self._broken: dict[str, list[Problem]] = {}

    def check(self, writer: Any, reader: Any, path: str) -> list[Problem]:
        """All problems, of each alternative of the writer's those with the reader's nearest one.

        Those of two schemas that were held against each other before are told at their first path only.
        """
        has_reference = _may_refer(writer) or _may_refer(reader)
        if writer == reader and not has_reference:
            return []
        pair = json.dumps((writer, reader), sort_keys=True) if has_reference else ""
        # A pair that is under way is taken for proven: if it is not, it fails elsewhere.
        if pair in self._proven:
            return []
        if pair in self._broken:
            return self._broken[pair]
        if has_reference:
            self._proven.add(pair)
        accepted = self._reader.alternatives(reader)
        alternatives = self._writer.alternatives(writer)
        # Of a pair that is broken the problems come back, wherever it is met again.
        found = [*dict.fromkeys(one for given in alternatives for one in self._nearest(given, accepted, path))]
        if found:
            self._proven.discard(pair)
            if has_reference:
                self._broken[pair] = found
        return found

    def _nearest(self, writer: Schema, readers: list[Schema], path: str) -> list[Problem]:
        best = None if readers else [Problem(path, "never", "the reader accepts nothing here")]
        for reader in readers:
            before = set(self._proven)
            found = [*dict.fromkeys(self._hold(writer, reader, path))]
            if not found:
                return []
            self._proven = before
            if best is None or _distance(found, path) < _distance(best, path):
                best = found
        if best and "const" in writer and all("const" in reader for reader in readers):
            known = ", ".join(repr(reader["const"]) for reader in readers)
            return [Problem(path, "value", f"{writer['const']!r} may be written, the reader knows {known}")]
        if best and (values := few_values(writer)):
            # One by one they may fit, each another alternative.
            return [] if not any(self._nearest(value, readers, path) for value in values) else best
        return best or []

    def _hold(self, writer: Schema, reader: Schema, path: str) -> Iterator[Problem]:
        for side, schema in (("writer", writer), ("reader", reader)):
            if UNKNOWN in schema:
                yield Problem(path, "unknown", f"of the {side} {schema[UNKNOWN]} is not understood")
                return
        added = sorted(set(reader.get(VALIDATORS, ())) - set(writer.get(VALIDATORS, ())))
        if added:
            yield Problem(path, "validator", f"the reader's own {', '.join(added)} may refuse what is written")
        for misfit in self._misfits(writer, reader):
            yield Problem(path, misfit.rule, misfit.message)
        if writer.get("type") == reader.get("type") == "array":
            yield from self._arrays(writer, reader, path)
        if writer.get("type") == reader.get("type") == "object":
            yield from self._objects(writer, reader, path)

    @staticmethod
    def _misfits(writer: Schema, reader: Schema) -> Iterator[Misfit]:
        if "const" in writer:
            yield from value_misfits(writer["const"], reader)
            return
        given, wanted = writer["type"], reader.get("type")
        if "const" in reader:
            yield Misfit("value", f"any {given} may be written, the reader knows {reader['const']!r}")
        elif given != wanted and (given, wanted) != ("integer", "number"):
            yield Misfit("type", f"{article(given)} may be written, the reader accepts {article(str(wanted))}")
        elif given in ("integer", "number"):
            yield from number_misfits(writer, reader)
            yield from limit_misfits(writer, reader)
        elif given == "string":
            yield from text_misfits(writer, reader)
            yield from limit_misfits(writer, reader)

    def _arrays(self, writer: Schema, reader: Schema, path: str) -> Iterator[Problem]:
        longest = writer.get("maxItems")
        yield from _count_problems(writer.get("minItems", 0), longest, reader, ("minItems", "maxItems"), path)
        given: list[Any] = [*writer.get("prefixItems", ())]
        wanted: list[Any] = [*reader.get("prefixItems", ())]
        rest, rest_wanted = writer.get("items", True), reader.get("items", True)
        if reader.get("uniqueItems"):
            is_single = longest is not None and longest <= 1
            # Items that differ as written may be the same as read.
            is_same = writer.get("uniqueItems") and (self._is_same(rest, rest_wanted) or reader.get("minItems", 0) <= 1)
            if not (is_single or is_same):
                yield Problem(path, "unique", "an item may be written twice, the reader wants each once")
        fixed = max(len(given), len(wanted))
        for index in range(fixed if longest is None else min(fixed, longest)):
            one = given[index] if index < len(given) else rest
            other = wanted[index] if index < len(wanted) else rest_wanted
            yield from self.check(one, other, f"{path}[{index}]")
        if longest is None or longest > fixed:
            yield from self.check(rest, rest_wanted, f"{path}[]")

    def _objects(self, writer: Schema, reader: Schema, path: str) -> Iterator[Problem]:
        given: Schema = writer.get("properties", {})
        more = writer.get("additionalProperties", True)
        always: set[str] = set(writer.get("required", ()))
        fewest = max(writer.get("minProperties", 0), len(always))
        most = writer.get("maxProperties") if more is not False else len(given)
        yield from _count_problems(fewest, most, reader, ("minProperties", "maxProperties"), path)
        read: set[str] = set()
        required: set[str] = set(reader.get("required", ()))
        for name, wanted in reader.get("properties", {}).items():
            names: list[Any] = wanted.get(READ_AS, [name]) if is_mapping(wanted) else [name]
            yield from self._member(names, wanted, writer, f"{path}.{name}", is_required=name in required)
            read |= _names_read(names, writer, reader)
        yield from self._others(writer, reader, read, path)
        yield from self._names(writer, reader, path)

    def _member(
        self, names: list[Any], wanted: Any, writer: Schema, path: str, *, is_required: bool
    ) -> Iterator[Problem]:
        """A field of the reader's, which is looked for under each name in turn."""
        given: Schema = writer.get("properties", {})
        more = writer.get("additionalProperties", True)
        bare = but(wanted, READ_AS)
        is_known = False
        for name in names:
            root, *steps = [name] if isinstance(name, str) else name
            if root not in given and more is False:
                continue
            is_known = True
            found, is_there = self._inside(given.get(root, more), steps)
            for one in found:
                yield from self.check(one, bare, path)
            if is_there and root in given and root in writer.get("required", ()):
                return
        if is_required:
            told = "may be left out" if is_known else "is not written"
            yield Problem(path, "required", f"it {told}, the reader requires it")

    def _inside(self, writer: Any, steps: list[Any]) -> tuple[list[Any], bool]:
        """What may be written at a path within a value, and whether always something is."""
        if not steps:
            return [writer], True
        step, *rest = steps
        found: list[Any] = []
        is_always = True
        for one in self._writer.alternatives(writer):
            inner, is_there = _step(one, step)
            deeper, is_deeper = self._inside(inner, rest) if inner is not None else ([], False)
            found += deeper
            is_always &= is_there and is_deeper
        return found, is_always

    def _others(self, writer: Schema, reader: Schema, read: set[str], path: str) -> Iterator[Problem]:
        """What is written and is no field of the reader's."""
        more, allowed = writer.get("additionalProperties", True), reader.get("additionalProperties", True)
        for name, given in writer.get("properties", {}).items():
            if name in read:
                continue
            if allowed is False:
                yield Problem(
                    f"{path}.{name}", "closed", "it may be written, the reader forbids members it does not know"
                )
            else:
                yield from self.check(given, allowed, f"{path}.{name}")
        if more is False:
            return
        if allowed is False:
            yield Problem(path, "closed", "other members may be written, the reader forbids those it does not know")
        else:
            yield from self.check(more, allowed, f"{path}.*")

    def _names(self, writer: Schema, reader: Schema, path: str) -> Iterator[Problem]:
        wanted = reader.get("propertyNames")
        if wanted is None or self._is_same(writer.get("propertyNames"), wanted):
            return
        given = {"enum": sorted(writer.get("properties", {}))}
        is_open = writer.get("additionalProperties", True) is not False
        if is_mapping(wanted) and KEY_TYPE in wanted:
            found = is_open or bool(given["enum"])
        else:
            kinds: list[Any] = [given, writer.get("propertyNames", {"type": "string"})] if is_open else [given]
            found = any(self.check(_as_texts(kind), _as_texts(wanted), path) for kind in kinds)
            # Names that differ as written may be the same as read.
            found |= reader.get("minProperties", 0) > 1 and self._may_change(wanted)
        if found:
            yield Problem(path, "names", "names of members may be written that the reader does not accept")

    def _is_same(self, writer: Any, reader: Any) -> bool:
        """Whether both are one schema, and what they refer to is, too; a reader's as it would write it."""
        return bool(writer == reader) and self._writer.referred(writer) == self._reader.referred(reader)

    def _may_change(self, wanted: Any) -> bool:
        """Whether a text may be read as another one."""
        return any(not one.keys().isdisjoint((LIMITS, VALIDATORS)) for one in self._reader.alternatives(wanted))


def _may_refer(schema: Any) -> bool:
    """Whether a definition may be referred to from within: without looking there."""
    return is_mapping(schema) and not _HOLDERS.isdisjoint(schema)


def _names_read(names: list[Any], writer: Schema, reader: Schema) -> set[str]:
    """The members that the reader takes for a field; a closed one forbids the names under which it did not look."""
    plain = {one for one in names if isinstance(one, str)}
    if reader.get("additionalProperties") is not False:
        return plain
    written = plain & writer.get("properties", {}).keys()
    return written if len(written) == 1 else {str(names[0])}


def _step(writer: Schema, step: Any) -> tuple[Any, bool]:
    """The schema of a member or an item, None where there can be none, and whether it is always there."""
    if isinstance(step, str) and writer.get("type") == "object":
        members: Schema = writer.get("properties", {})
        more = writer.get("additionalProperties", True)
        inner = members.get(step, None if more is False else more)
        return inner, step in members and step in writer.get("required", ())
    if isinstance(step, int) and step >= 0 and writer.get("type") == "array":
        fixed: list[Any] = [*writer.get("prefixItems", ())]
        return fixed[step] if step < len(fixed) else writer.get("items", True), step < writer.get("minItems", 0)
    # From the end of an array, or of a constant: nothing is known.
    return (None, False) if "type" in writer and writer["type"] not in ("array", "object") else ({}, False)


def _as_texts(names: Any) -> Any:
    """A schema of names without what keys of mappings were before they became texts."""
    if not is_mapping(names) or KEY_TYPE not in names:
        return names
    return {"type": "string"}


def _count_problems(
    fewest: int, most: int | None, reader: Schema, names: tuple[str, str], path: str
) -> Iterator[Problem]:
    least, limit = reader.get(names[0], 0), reader.get(names[1])
    if least > fewest:
        yield Problem(path, "length", f"{fewest} entries may be written, the reader wants at least {least}")
    if limit is not None and (most is None or most > limit):
        told = "any number of" if most is None else most
        yield Problem(path, "length", f"{told} entries may be written, the reader takes at most {limit}")


def _distance(found: list[Problem], path: str) -> tuple[int, int]:
    """How far an alternative is from fitting: another type, or tag, is farther than anything else."""
    apart = [one for one in found if one.rule in ("type", "value") and one.path.count(".") - path.count(".") < 2]  # noqa: PLR2004
    return len(apart), len(found)
