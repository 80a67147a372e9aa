"""The types of members of msgspec Structs."""

from collections.abc import Mapping
from typing import Any

from typed_pubsub.schema.source.annotations import Typed, Types
from typed_pubsub.schema.source.keywords import Keywords, branches
from typed_pubsub.schema.source.layout import Expression, either
from typed_pubsub.schema.vocabulary import NAIVE

_FORMATS = {
    "uuid": "uuid.UUID",
    "date": "datetime.date",
    "duration": "datetime.timedelta",
    "base64": "builtins.bytes",
}
_MOMENTS = {"time": "datetime.time", "date-time": "datetime.datetime"}
_KINDS = {"integer": "int", "number": "float", "boolean": "bool", "null": "null", "array": "array", "object": "object"}


class StructTypes(Types):
    """Types as msgspec reads them."""

    describer = "msgspec.Meta"
    extra = "extra_json_schema"

    def is_literal(self, value: Any) -> bool:
        """See Types."""
        return value is None or (isinstance(value, str | int) and not isinstance(value, bool))

    def text(self, keywords: Keywords, limits: dict[str, Any]) -> Typed:  # noqa: ARG002  # every Types has it so
        """See Types."""
        return Typed(self.imports("builtins.str"), limits)

    def formatted(self, form: str, keywords: Keywords) -> Typed:
        """See Types; what msgspec has no class for stays a text."""
        if form in _MOMENTS:
            naive = keywords.take(NAIVE)
            return Typed(self.imports(_MOMENTS[form]), {} if naive is True else {"tz": naive is None})
        if form not in _FORMATS:
            return self.plain_text(form, keywords)
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
        """See Types."""
        return either([expression for *_, expression in parts])
