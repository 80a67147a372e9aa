"""The source of msgspec Structs, and of the Enums that stand in them."""

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
    Group,
    Item,
    call,
    either,
    fits,
    flat,
    literal,
    quoted,
)


class StructWriter(ClassWriter):
    """Writes a StructEvent, a Struct, an Enum or a named type."""

    def write(self) -> str:
        """The source of the class.

        Raises:
            SchemaError: msgspec has no class that accepts and writes just this.
        """
        schema = self.definition.schema
        if "properties" in schema:
            return self._object(schema)
        if "enum" in schema:
            return enum_source(self)
        if "prefixItems" in schema:
            return self._array()
        return alias_source(self)

    def _object(self, schema: Any) -> str:
        keywords = self.keywords()
        members, omitted = self.members(keywords)
        config = [*self._tag(), *self._config(keywords), *self._omission(keywords, members, omitted)]
        self.place.unsaid += [f"{name}: a Struct has no place for it" for name in sorted(foreign_to_classes(schema))]
        tag = self.definition.tag
        own_members = [member for member in members if tag is None or member.name != tag[0]]
        lines = self.lines(keywords, own_members, lambda one: self._member(one, is_omitted=one.name in omitted))
        own = self.definition.keywords
        bases: list[Item] = []
        if own is None:
            bases += [self.imports("msgspec.Struct"), ("frozen=", "True"), ("kw_only=", "True")]
        else:
            bases += [self.imports("typed_pubsub.StructEvent"), *own]
        return self.source(self.head([*bases, *config]), lines)

    def _tag(self) -> list[Item]:
        tag = self.definition.tag
        return [] if tag is None else [("tag_field=", quoted(tag[0])), ("tag=", literal(tag[1]))]

    def _config(self, keywords: Keywords) -> list[Item]:
        others = keywords.take("additionalProperties")
        if others is False:
            return [("forbid_unknown_fields=", "True")]
        if others is True:
            self.place.unsaid.append("additionalProperties: what else the object has is not kept")
        elif others is not None:
            raise keywords.error("expected additionalProperties true or false of a Struct, got a schema")
        return []

    def _omission(self, keywords: Keywords, members: list[Member], omitted: frozenset[str]) -> list[Item]:
        defaulted = {member.name for member in members if member.has_default}
        if not omitted & defaulted:
            return []
        if not omitted >= defaulted:
            raise keywords.error("expected x-may-omit to have all members with a default, or none, of a Struct")
        return [("omit_defaults=", "True")]

    def _member(self, member: Member, *, is_omitted: bool) -> str:
        if member.read_as != [member.name]:
            raise member.error(f"expected one name, as a Struct has no others, got {member.read_as!r}")
        annotation = self.types.of(member.plain, member.path)
        default: Default | None = None
        if not member.is_required:
            if is_omitted and not member.has_default:
                annotation = either([annotation, self.imports("msgspec.UnsetType")])
                default = Default(self.imports("msgspec.UNSET"))
            else:
                default = self._made_anew(self.default(member))
        annotation = self.quoted(annotation)
        value = self._value(member, annotation, default)
        return self.line(member, annotation, value)

    def _made_anew(self, default: Default) -> Default:
        value = default.value
        if default.is_factory or not isinstance(value, Group):
            return default
        if not value.items and value.head == "":
            return Default(
                self.imports("builtins.list" if value.brackets == "[]" else "builtins.dict"), is_factory=True
            )
        if not value.items:
            return Default(value.head, is_factory=True)
        return default if value.head else Default(f"lambda: {flat(value)}", is_factory=True)

    def _value(self, member: Member, annotation: Expression, default: Default | None) -> Expression | None:
        items: list[Item] = [] if default is None else [default.item]
        if member.python != member.name:
            items.append(("name=", quoted(member.name)))
        is_plain = default is not None and len(items) == 1 and not default.is_factory
        if default is not None and is_plain and fits(member.python, annotation, default.value, indent=4):
            return default.value
        return call(self.imports("msgspec.field"), *items) if items else None

    def _array(self) -> str:
        keywords = self.keywords()
        keywords.take("type")
        least, most = keywords.take("minItems", 0), keywords.take("maxItems")
        parts = keywords.take("prefixItems")
        if most not in (None, len(parts)):
            raise keywords.error(f"expected maxItems {len(parts)}, as many as there are prefixItems, got {most}")
        path = f"{self.definition.path}.prefixItems"
        members = [
            Member(f"item_{at}", f"item_{at}", schema_at(part, f"{path}[{at}]"), f"{path}[{at}]", at < least)
            for at, part in enumerate(parts)
        ]
        tag = self._tag()
        lines = self.lines(keywords, members[1:] if tag else members, lambda one: self._member(one, is_omitted=False))
        bases: list[Item] = [self.imports("msgspec.Struct"), ("frozen=", "True"), ("array_like=", "True")]
        if most is not None:
            bases.append(("forbid_unknown_fields=", "True"))
        return self.source(self.head([*bases, *tag]), lines)
