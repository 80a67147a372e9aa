"""The source of pydantic models, and of the other classes that stand in them."""

import re
from typing import Any

from typed_pubsub.schema.source.classes import (
    ClassWriter,
    Default,
    Member,
    alias_source,
    enum_source,
    foreign_to_classes,
)
from typed_pubsub.schema.source.keywords import Keywords, schema_at
from typed_pubsub.schema.source.layout import (
    Expression,
    Item,
    assigned,
    call,
    fits,
    flat,
    index,
    literal,
    quoted,
)


class ModelWriter(ClassWriter):
    """Writes an Event, a BaseModel, a TypedDict, a NamedTuple, an Enum or a named type."""

    def write(self) -> str:
        """The source of the class.

        Raises:
            SchemaError: pydantic has no class that accepts and writes just this.
        """
        schema = self.definition.schema
        if "properties" in schema:
            return self._object(schema)
        if "enum" in schema:
            return enum_source(self)
        if schema.get("minItems", 0) < len(schema.get("prefixItems", ())) == schema.get("maxItems"):
            return self._named_tuple()
        return alias_source(self)

    def _object(self, schema: Any) -> str:
        keywords = self.keywords()
        members, omitted = self.members(keywords)
        undefaulted = frozenset(m.name for m in members if not m.is_required and not m.has_default)
        if omitted and self.definition.keywords is None and omitted == undefaulted and not _defaults(members):
            return self._typed_dict(keywords, members)
        if omitted & undefaulted:
            raise keywords.error(f"expected defaults of those that a model may leave out: {sorted(omitted)}")
        config, extra = self._config(keywords)
        lines = self.lines(keywords, members, lambda one: self._member(one, is_omitted=one.name in omitted))
        own = self.definition.keywords
        bases: list[Item] = []
        if own is None:
            bases += [self.imports("pydantic.BaseModel"), ("frozen=", "True")]
        else:
            bases += [self.imports("typed_pubsub.Event"), *own]
        foreign = foreign_to_classes(schema)
        if foreign:
            config.append(("json_schema_extra=", literal(foreign)))
        return self.source(self.head([*bases, *config]), [*extra, *lines])

    def _config(self, keywords: Keywords) -> tuple[list[Item], list[str]]:
        """What becomes of members that the model does not know: class keywords, and lines of the class."""
        others = keywords.take("additionalProperties")
        if others is None:
            return [], []
        if others is False:
            return [("extra=", '"forbid"')], []
        if others is True:
            return [("extra=", '"allow"')], []
        found = self.quoted(self.types.of(others, f"{keywords.path}.additionalProperties"))
        kind = index(self.imports("builtins.dict"), self.imports("builtins.str"), found)
        return [("extra=", '"allow"')], ["    " + assigned("__pydantic_extra__", kind, None, indent=4)]

    def _member(self, member: Member, *, is_omitted: bool) -> str:
        typed = self.types.typed(member.plain, member.path)
        notes = self.types.notes(member.plain)
        inner = {name: notes.pop(name) for name in [self.types.extra] if name in notes}
        annotation = self.quoted(self.types.annotated(typed, inner))
        default = None if member.is_required else self.default(member)
        items: list[Item] = [] if default is None else [default.item]
        items += [*self._aliases(member), *((f"{name}=", literal(value)) for name, value in notes.items())]
        if is_omitted and default is not None:
            items.append(("exclude_if=", _equals(flat(default.value))))
        value = default.value if default is not None and len(items) == 1 and not _is_mutable(default) else None
        if items and (value is None or not fits(member.python, annotation, value, indent=4)):
            value = call(self.imports("pydantic.Field"), *items)
        return self.line(member, annotation, value)

    def _aliases(self, member: Member) -> list[Item]:
        names = member.read_as
        plain = [name for name in names if isinstance(name, str)]
        if plain[:1] not in ([member.name], []):
            raise member.error(f"expected x-read-as to have {member.name!r} as its first name, got {names!r}")
        if names == [member.name]:
            return [] if member.python == member.name else [("alias=", quoted(member.name))]
        choices = [quoted(name) if isinstance(name, str) else self._path(name) for name in names]
        alias = choices[0] if len(choices) == 1 else call(self.imports("pydantic.AliasChoices"), *choices)
        written: list[Item] = []
        if member.python != member.name:
            written = [("serialization_alias=", quoted(member.name))]
        return [("validation_alias=", alias), *written]

    def _path(self, steps: Any) -> Expression:
        return call(self.imports("pydantic.AliasPath"), *map(literal, steps))

    def _typed_dict(self, keywords: Keywords, members: list[Member]) -> str:
        config, extra = self._config(keywords)
        if extra:
            raise keywords.error("expected additionalProperties true or false of a TypedDict, got a schema")
        decorator = [f"@{flat(call(self.imports('pydantic.with_config'), *config))}"] if config else []
        lines = self.lines(keywords, members, self._entry)
        head = self.head([self.imports("typing_extensions.TypedDict")])
        return self.source("\n".join([*decorator, head]), lines)

    def _entry(self, member: Member) -> str:
        if member.python != member.name:
            raise member.error("expected a name of Python, as a TypedDict has no others")
        found = self.types.of(member.plain, member.path)
        if not member.is_required:
            found = index(self.imports("typing.NotRequired"), found)
        return "    " + assigned(member.name, self.quoted(found), None, indent=4)

    def _named_tuple(self) -> str:
        keywords = self.keywords()
        keywords.take("type")
        keywords.take("maxItems")
        least = keywords.take("minItems", 0)
        parts = keywords.take("prefixItems")
        path = f"{self.definition.path}.prefixItems"
        members = [
            Member(f"item_{at}", f"item_{at}", schema_at(part, f"{path}[{at}]"), f"{path}[{at}]", at < least)
            for at, part in enumerate(parts)
        ]
        lines = self.lines(keywords, members, self._item)
        return self.source(self.head([self.imports("typing.NamedTuple")]), lines)

    def _item(self, member: Member) -> str:
        kind = self.quoted(self.types.of(member.plain, member.path))
        default = None if member.is_required else self.default(member)
        if default is not None and default.is_factory:
            raise member.error("expected a default that does not change, of an item of a tuple")
        return "    " + assigned(member.python, kind, None if default is None else default.value, indent=4)


def _defaults(members: list[Member]) -> bool:
    return any(member.has_default for member in members)


def _equals(value: str) -> str:
    return f"lambda value: value {'is' if value in ('None', 'True', 'False') else '=='} {value}"


def _is_mutable(default: Default) -> bool:
    """Whether pydantic copies it for each event, which linters do not know."""
    # A set may have another name, where a member has its own.
    return default.is_factory or re.match(r"[\[{]|set_*\(", flat(default.value)) is not None
