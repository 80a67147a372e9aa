"""The types of members of msgspec Structs."""

from collections.abc import Mapping
from typing import Any

from typed_pubsub.errors import SchemaError
from typed_pubsub.events.shapes import is_list
from typed_pubsub.schema.closed import is_decimal
from typed_pubsub.schema.source.annotations import Typed, Types
from typed_pubsub.schema.source.keywords import Keywords, branches, by_type, definition
from typed_pubsub.schema.source.layout import Expression, either
from typed_pubsub.schema.vocabulary import ENGINE, EXACT, NAIVE, PYTHON, STEPS

_FORMATS = {
    "uuid": "uuid.UUID",
    "date": "datetime.date",
    "duration": "datetime.timedelta",
    "base64": "builtins.bytes",
}
_MOMENTS = {"time": "datetime.time", "date-time": "datetime.datetime"}
# What msgspec tells apart in a union: kinds of JSON, texts that are no plain ones, and the values of a Literal.
_FORMATTED, _WORD = "formatted", "word"


class StructTypes(Types):
    """Types as msgspec reads them."""

    describer = "msgspec.Meta"
    extra = "extra_json_schema"

    def is_literal(self, value: Any) -> bool:
        """See Types."""
        return value is None or (isinstance(value, str | int) and not isinstance(value, bool))

    def text(self, keywords: Keywords, limits: dict[str, Any]) -> Typed:
        """See Types; a pattern is read by Python's rules."""
        if "pattern" in limits and keywords.take_limits(ENGINE).get(ENGINE) != PYTHON:
            self.place.unsaid.append(f"pattern: Rust's rules at {keywords.path}, a Struct has Python's")
        return Typed(self.imports("builtins.str"), limits)

    def formatted(self, form: str, keywords: Keywords) -> Typed:
        """See Types; what msgspec has no class for stays a text."""
        if form in _MOMENTS:
            naive = keywords.take(NAIVE)
            return Typed(self.imports(_MOMENTS[form]), {} if naive is True else {"tz": naive is None})
        if form not in _FORMATS:
            return self.plain_text({"format": form}, keywords)
        if form == "duration" and not keywords.take_limits("longest_unit"):
            raise keywords.error("expected longest_unit in x-limits of a duration: a Struct reads no months")
        counted = keywords.take_limits("min_bytes", "max_bytes") if form == "base64" else {}
        return Typed(self.imports(_FORMATS[form]), {name.replace("bytes", "length"): n for name, n in counted.items()})

    def decimal(self, keywords: Keywords) -> Typed:  # noqa: ARG002  # as text
        """See Types."""
        return Typed(self.imports("decimal.Decimal"))

    def tagged(self, keywords: Keywords) -> Typed:
        """See Types; the classes carry the tags."""
        keywords.take("discriminator")
        parts = branches(keywords.take("oneOf"), f"{keywords.path}.oneOf")
        return Typed(either([self.of(part, where) for where, part in parts]))

    def union(self, parts: list[tuple[str, Mapping[str, Any], Expression]]) -> Expression:
        """See Types; msgspec chooses by the kind of value in the body."""
        for where, schema, _ in parts:
            others = [claim for at, other, _ in parts if at != where for claim in self._claims(other)]
            for claim in self._claims(schema):
                if claim != _WORD and (claim in others or (claim == _FORMATTED and _WORD in others)):
                    raise SchemaError(where, f"expected no other {claim} in a union of a Struct: it could not tell")
        return either([expression for *_, expression in parts])

    def bounds(self, kind: str, keywords: Keywords) -> dict[str, Any]:
        """See Types."""
        found = keywords.bounds()
        if {"ge", "gt"} <= found.keys() or {"le", "lt"} <= found.keys():
            raise keywords.error("expected one lower and one upper bound at most, of a member of a Struct")
        if kind == "number":
            if "multiple_of" in found and keywords.take_limits(STEPS).get(STEPS) != EXACT:
                self.place.unsaid.append(f"multipleOf: pydantic's tolerance at {keywords.path}, a Struct has none")
            return found
        for value in found.values():
            if value != int(value) or not -(2**63) <= value < 2**63:
                raise keywords.error(
                    f"expected bounds that are integers of 64 bits, of a member of a Struct, got {value}"
                )
        return {name: int(value) for name, value in found.items()}

    def _claims(self, schema: Mapping[str, Any]) -> list[str]:  # noqa: PLR0911  # a case each
        """Of which values msgspec would think that they are meant by this schema."""
        if "$ref" in schema:
            return self._claims_of(self.place.definitions.get(definition(schema["$ref"], "$"), {}))
        if "const" in schema or "enum" in schema:
            return [_WORD] if "string" in (schema.get("type", "string")) else []
        if "oneOf" in schema:
            return ["object"]
        parts = schema.get("anyOf")
        if is_decimal(parts):
            return ["string", _FORMATTED]
        if parts is not None:
            return [claim for _, part in branches(parts, "$") for claim in self._claims(part)]
        kind: Any = schema.get("type")
        if is_list(kind):
            return [claim for part in by_type(schema) for claim in self._claims(part)]
        if kind == "string" and schema.get("format") in (*_FORMATS, *_MOMENTS):
            return ["string", _FORMATTED]
        return [] if kind in (None, "null") else [kind]

    def _claims_of(self, schema: Mapping[str, Any]) -> list[str]:
        """As ``_claims``, of a definition: an enumeration is a class."""
        if "enum" not in schema:
            return self._claims(schema)
        is_whole = all(isinstance(value, int) for value in schema["enum"])
        return ["integer"] if is_whole else ["string", _FORMATTED]
