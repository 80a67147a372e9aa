"""The types of members of pydantic models."""

import functools
from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic import networks

from typed_pubsub.events.shapes import is_mapping
from typed_pubsub.schema.models import model_schema
from typed_pubsub.schema.source.annotations import LENGTHS, Source, Typed, Types
from typed_pubsub.schema.source.keywords import Keywords, branches
from typed_pubsub.schema.source.layout import Expression, call, either, index, literal
from typed_pubsub.schema.source.names import member_names
from typed_pubsub.schema.source.values import decimal, moment
from typed_pubsub.schema.vocabulary import ENGINE, LIMITS, NAIVE, STEPS

_FORMATS: Mapping[str, str] = {
    "uuid": "uuid.UUID",
    **{f"uuid{number}": f"pydantic.UUID{number}" for number in (1, 3, 4, 5, 6, 7, 8)},
    "ipv4": "ipaddress.IPv4Address",
    "ipv6": "ipaddress.IPv6Address",
    "ipv4network": "ipaddress.IPv4Network",
    "ipv6network": "ipaddress.IPv6Network",
    "ipv4interface": "ipaddress.IPv4Interface",
    "ipv6interface": "ipaddress.IPv6Interface",
    "path": "pathlib.Path",
    "file-path": "pydantic.FilePath",
    "directory-path": "pydantic.DirectoryPath",
}
_BYTES = {"binary": "builtins.bytes", "base64": "pydantic.Base64Bytes", "base64url": "pydantic.Base64UrlBytes"}
_MOMENTS = {
    "date": "datetime.date",
    "time": "datetime.time",
    "date-time": "datetime.datetime",
    "duration": "datetime.timedelta",
}
_NOW = {"date": "Date", "date-time": "Datetime"}
_URLS = ("uri", "multi-host-uri")


class ModelTypes(Types):
    """Types as pydantic reads them."""

    describer = "pydantic.Field"
    extra = "json_schema_extra"

    def notes(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """See Types."""
        if schema.get("deprecated") is not True:
            return super().notes(schema)
        rest = {name: value for name, value in schema.items() if name != "deprecated"}
        return {"deprecated": True, **super().notes(rest)}

    def is_literal(self, value: Any) -> bool:
        """See Types."""
        return value is None or isinstance(value, str | int)

    def text(self, keywords: Keywords, limits: dict[str, Any]) -> Typed:
        """See Types."""
        name = self.imports("builtins.str")
        if keywords.peek("contentMediaType") == "application/json":
            keywords.take("contentMediaType")
            content = self.of(keywords.take("contentSchema", {}), f"{keywords.path}.contentSchema")
            return Typed(index(self.imports("pydantic.Json"), content), limits)
        if keywords.take_limits(ENGINE) and "pattern" in limits:
            limits["pattern"] = Source(call(self.imports("re.compile"), literal(limits["pattern"])))
        flags = keywords.take_limits("strip_whitespace", "to_lower", "to_upper", "ascii_only")
        if not flags:
            return Typed(name, limits)
        items = [(f"{limit}=", self.limit(value)) for limit, value in {**flags, **limits}.items()]
        return Typed(name, metadata=(call(self.imports("pydantic.StringConstraints"), *items),))

    def bounds(self, kind: str, keywords: Keywords) -> dict[str, Any]:
        """See Types."""
        if keywords.take_limits(STEPS):
            self.place.unsaid.append(f"multipleOf: without a tolerance at {keywords.path}, a model has one")
        return super().bounds(kind, keywords)

    def formatted(self, form: str, keywords: Keywords) -> Typed:  # noqa: PLR0911  # a case each
        """See Types."""
        if form in _MOMENTS:
            return self._moment(form, keywords)
        if form in _BYTES:
            counted = keywords.take_limits("min_bytes", "max_bytes")
            return Typed(
                self.imports(_BYTES[form]), {name.replace("bytes", "length"): n for name, n in counted.items()}
            )
        if form in _FORMATS:
            return Typed(self.imports(_FORMATS[form]))
        if form in _URLS:
            return self._url(form, keywords)
        if form == "regex":
            return Typed(index(self.imports("re.Pattern"), self.imports("builtins.str")))
        if form == "password":
            return Typed(self.imports("pydantic.SecretStr"), keywords.named(LENGTHS))
        return self.plain_text({"format": form}, keywords)

    def decimal(self, keywords: Keywords) -> Typed:
        """See Types."""
        limits = keywords.take_limits("ge", "gt", "le", "lt", "multiple_of")
        numbers = {name: Source(self.read(decimal, keywords, value)) for name, value in limits.items()}
        digits = keywords.take_limits("max_digits", "decimal_places")
        # Field takes no Decimal for it.
        step = numbers.pop("multiple_of", None)
        metadata = () if step is None else (call(self.imports("annotated_types.MultipleOf"), step.expression),)
        return Typed(self.imports("decimal.Decimal"), {**numbers, **digits}, metadata)

    def tagged(self, keywords: Keywords) -> Typed:
        """See Types."""
        parts = branches(keywords.take("oneOf"), f"{keywords.path}.oneOf")
        told: Any = keywords.take("discriminator", {})
        tag: Any = told.get("propertyName") if is_mapping(told) else None
        if not isinstance(tag, str) or len(parts) == 1:
            raise keywords.error("expected several branches, and a discriminator with a propertyName, beside oneOf")
        name = member_names([tag], self.place.classes.values(), struct=False)[tag]
        return Typed(either([self.of(part, where) for where, part in parts]), {"discriminator": name})

    def union(self, parts: list[tuple[str, Mapping[str, Any], Expression]]) -> Expression:
        """See Types."""
        return either([expression for *_, expression in parts])

    def read(self, reader: Any, keywords: Keywords, *given: Any) -> Expression:
        """What a reader of values makes of a limit. Raises SchemaError."""
        try:
            found: Expression = reader(self.imports, *given)
        except (ValueError, TypeError) as error:
            raise keywords.error(f"expected another limit than {given[-1]!r}") from error
        return found

    def _moment(self, form: str, keywords: Keywords) -> Typed:
        naive = keywords.take(NAIVE)
        base = _MOMENTS[form]
        if form == "time" and naive is not True:
            raise keywords.error(f"expected {NAIVE}: true of a time, as pydantic reads all, got {naive!r}")
        if form == "date-time" and naive is not True:
            base = "pydantic.AwareDatetime" if naive is None else "pydantic.NaiveDatetime"
        metadata: tuple[Expression, ...] = ()
        if form in _NOW and (now := keywords.take_limits("now_op")):
            if now["now_op"] not in ("past", "future"):
                raise keywords.error(f"expected now_op 'past' or 'future', got {now['now_op']!r}")
            when = f"pydantic.{now['now_op'].title()}{_NOW[form]}"
            metadata = (self.imports(when),) if base.startswith("pydantic.") else ()
            base = base if metadata else when
        if keywords.take_limits("longest_unit"):
            self.place.unsaid.append(f"longest_unit: a model writes months and years at {keywords.path}")
        limits = keywords.take_limits("ge", "gt", "le", "lt")
        bounds = {name: Source(self.read(moment, keywords, form, value)) for name, value in limits.items()}
        return Typed(self.imports(base), bounds, metadata)

    def _url(self, form: str, keywords: Keywords) -> Typed:
        lengths = keywords.named({"minLength": "min_length", "maxLength": "max_length"})
        names = [name for name in keywords.limits if name in networks.UrlConstraints.__annotations__]
        limits = keywords.take_limits(*names)
        known = _urls().get(repr((form, lengths.get("max_length"), sorted(limits.items()))))
        if known is not None:
            return Typed(self.imports(f"pydantic.{known}"))
        if form == "multi-host-uri":
            raise keywords.error("expected the limits of one of pydantic's own URLs")
        given = {**limits, **{name: value for name, value in lengths.items() if name == "max_length"}}
        items = [(f"{name}=", literal(value)) for name, value in sorted(given.items())]
        return Typed(self.imports("pydantic.AnyUrl"), metadata=(call(self.imports("pydantic.UrlConstraints"), *items),))


@functools.cache
def _urls() -> dict[str, str]:
    """The names of pydantic's URLs by what their schemas say."""
    kinds = [name for name in networks.__all__ if name.endswith(("Url", "Dsn"))]
    fields: dict[str, Any] = {name: (getattr(networks, name), ...) for name in kinds}
    members = model_schema(pydantic.create_model("Urls", **fields), "validation")["properties"]
    found: dict[str, str] = {}
    for name in kinds:
        said = members[name]
        told = (said["format"], said.get("maxLength"), sorted(said.get(LIMITS, {}).items()))
        found.setdefault(repr(told), name)
    return found
