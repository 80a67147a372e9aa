"""The source of classes: what models and Structs have in common."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typed_pubsub.errors import SchemaError
from typed_pubsub.schema.source.annotations import Place, Types, forward
from typed_pubsub.schema.source.defaults import Defaults
from typed_pubsub.schema.source.keywords import Keywords, bare, references, schema_at, told
from typed_pubsub.schema.source.layout import (
    WIDTH,
    Expression,
    Group,
    Item,
    assigned,
    call,
    flat,
    laid_out,
    literal,
    width,
)
from typed_pubsub.schema.source.names import Imports, member_names, value_names
from typed_pubsub.schema.source.problems import Problems, each
from typed_pubsub.schema.vocabulary import MAY_OMIT, READ_AS

_SAID = frozenset({"title", "description", "default", "deprecated", "$comment"})


@dataclass(frozen=True, slots=True)
class Definition:
    """A class to be: its name, its schema, and what the references in it lead to."""

    name: str
    schema: Mapping[str, Any]
    #: Where the schema stands.
    path: str
    definitions: Mapping[str, Mapping[str, Any]]
    #: The names of the classes by definition.
    classes: Mapping[str, str]
    #: Which event's schema it is from, for errors.
    origin: str
    #: The class keywords of an event; None for any other class.
    keywords: tuple[Item, ...] | None = None
    #: What is said beside its members, and a class cannot say.
    unsaid: tuple[str, ...] = ()
    #: Of a Struct in a tagged union: the member that tells it from others, and its value there.
    tag: tuple[str, str | int] | None = None
    #: Whether its values are in a set.
    hashable: bool = False

    @property
    def needs(self) -> list[str]:
        """The names of the classes that it names, in their order."""
        return [self.classes[ref] for ref in dict.fromkeys(references(self.schema)) if ref in self.classes]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object: its name in the body and in Python, and its schema."""

    name: str
    python: str
    schema: Mapping[str, Any]
    path: str
    is_required: bool

    @property
    def has_default(self) -> bool:
        """Whether a value stands for it where it is missing."""
        return not self.is_required and "default" in self.schema

    @property
    def read_as(self) -> list[Any]:
        """The names that it is read under, the one that it is filed under among them."""
        return list(self.schema.get(READ_AS, [self.name]))

    @property
    def plain(self) -> dict[str, Any]:
        """The schema of its values."""
        return {name: value for name, value in self.schema.items() if name != READ_AS}

    def error(self, problem: str) -> SchemaError:
        """The error that this member is."""
        return SchemaError(self.path, problem)


@dataclass(frozen=True, slots=True)
class Default:
    """The default of a member: its source, and whether it must be made anew for each object."""

    value: Expression
    is_factory: bool = False

    @property
    def item(self) -> Item:
        """It as an argument of ``Field`` or ``field``."""
        return ("default_factory=" if self.is_factory else "default=", self.value)


class ClassWriter:
    """Writes the classes of one definition."""

    def __init__(self, definition: Definition, types: Types, *, struct: bool) -> None:
        """``types`` writes the types of the members."""
        self.definition = definition
        self.types = types
        self.struct = struct
        self._defaults = Defaults(types, definition.definitions, struct=struct)

    @property
    def imports(self) -> Imports:
        """The names of others."""
        return self.types.imports

    @property
    def place(self) -> Place:
        """Where the class is written."""
        return self.types.place

    def keywords(self) -> Keywords:
        """The keywords of the schema, to be read."""
        found = Keywords(bare(self.definition.schema), self.definition.path)
        self.types.skip_validators(found)
        return found

    def members(self, keywords: Keywords) -> tuple[list[Member], frozenset[str]]:
        """The members of an object, those that must be there first, and the names of those that need not be written."""
        keywords.take("type")
        properties = keywords.take("properties", {})
        required = list(dict.fromkeys(keywords.take("required", ())))
        for name in required:
            if name not in properties:
                raise keywords.error(f"expected {name!r} under properties, as it is required, got none")
        order = [*required, *(name for name in properties if name not in required)]
        names = member_names(order, self.definition.classes.values(), struct=self.struct)
        path = f"{self.definition.path}.properties"
        found = [
            Member(name, names[name], schema_at(properties[name], f"{path}.{name}"), f"{path}.{name}", name in required)
            for name in order
        ]
        omitted = frozenset(keywords.take(MAY_OMIT, ()))
        if not omitted <= properties.keys():
            raise keywords.error(f"expected names under properties in {MAY_OMIT}, got {sorted(omitted)}")
        return found, omitted

    def quoted(self, annotation: Expression) -> Expression:
        """The annotation just made, as a text if it names a class further down."""
        is_forward, self.place.is_forward = self.place.is_forward, False
        if is_forward:
            self.place.incomplete.add(self.definition.name)
        return forward(annotation, is_forward=is_forward)

    def default(self, member: Member) -> Default:
        """What stands for a member that is missing. Raises SchemaError if the schema does not tell."""
        if "default" not in member.schema:
            return self._empty(member)
        value = member.schema["default"]
        self._defaults.is_later = False
        try:
            found = self._defaults.of(bare(member.plain), value, hashable=self.place.hashable)
        except (ValueError, KeyError) as error:
            raise SchemaError(f"{member.path}.default", f"expected a value of its member, got {value!r}") from error
        return Default(f"lambda: {flat(found)}", is_factory=True) if self._defaults.is_later else Default(found)

    def _empty(self, member: Member) -> Default:
        schema = member.schema
        kind = schema.get("type")
        if not bare(schema) or kind == "null" or {"type": "null"} in schema.get("anyOf", ()):
            return Default("None")
        if kind == "array" and not schema.get("minItems") and "prefixItems" not in schema:
            names = ("tuple", "frozenset") if self.place.hashable else ("list", "set")
            return Default(self.imports(f"builtins.{names[bool(schema.get('uniqueItems'))]}"), is_factory=True)
        if kind == "object" and not schema.get("minProperties"):
            return Default(self.imports("builtins.dict"), is_factory=True)
        raise member.error("expected a default, or its name under required: what stands for it is not told")

    def lines(self, keywords: Keywords, members: Sequence[Member], write: Callable[[Member], str]) -> list[str]:
        """What ``write`` makes of each member. Raises SchemaError for all of them, and for keywords that are left."""
        problems, found = Problems(), list[str]()
        with problems.kept():
            keywords.done()
        with problems.kept():
            found = each(write, members)
        problems.end()
        return found

    def line(self, member: Member, annotation: Expression, value: Expression | None) -> str:
        """The member, and what its schema comments: beside it where there is room, else above."""
        found = "    " + assigned(member.python, annotation, value, indent=4)
        comment = _remark(str(member.schema.get("$comment", "")))
        if not comment:
            return found
        if "\n" not in found and width(f"{found}  # {comment}") <= WIDTH:
            return f"{found}  # {comment}"
        return f"    # {comment}\n{found}"

    def head(self, bases: Sequence[Item]) -> str:
        """``class Name(bases):``."""
        return laid_out(Group(f"class {self.definition.name}", tuple(bases)), indent=0, after=":")

    def source(self, head: str, members: list[str]) -> str:
        """The class."""
        unsaid = [f"    # not generated: {_remark(line)}" for line in (*self.definition.unsaid, *self.place.unsaid)]
        return f"{head}\n{_body(docstring(self.definition.schema.get('description')), unsaid, members)}"


def foreign_to_classes(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What the schema of an object tells that a class has neither a name, a docstring nor a keyword for."""
    return {name: value for name, value in told(schema).items() if name not in _SAID}


def enum_source(writer: ClassWriter) -> str:
    """An Enum of the values of a schema."""
    keywords = writer.keywords()
    keywords.take("type")
    values = keywords.take("enum")
    keywords.done()
    if writer.struct and {type(value) for value in values} not in ({str}, {int}):
        raise keywords.error("expected values that are all texts or all whole numbers, of an Enum in a Struct")
    members = [_value_line(name, flat(literal(value))) for name, value in zip(value_names(values), values, strict=True)]
    return writer.source(writer.head([writer.imports("enum.Enum")]), members)


def _value_line(name: str, value: str) -> str:
    line = f"    {name} = {value}"
    inner = f"        {value}"
    return line if width(line) <= WIDTH or width(inner) > WIDTH else f"    {name} = (\n{inner}\n    )"


def alias_source(writer: ClassWriter) -> str:
    """A type with a name, for definitions that are no objects."""
    found = writer.types.of(writer.definition.schema, writer.definition.path)
    name = writer.definition.name
    if writer.struct:
        if writer.place.is_forward:
            raise SchemaError(writer.definition.path, "expected a definition that does not lead to itself")
        return laid_out(found, indent=0, before=f"{name} = ")
    kind = call(writer.imports("typing_extensions.TypeAliasType"), literal(name), writer.quoted(found))
    return laid_out(kind, indent=0, before=f"{name} = ")


def _body(text: str, unsaid: list[str], members: list[str]) -> str:
    lines = [*unsaid, *members]
    if not members and not text:
        lines.append("    pass")
    return "\n\n".join(part for part in (text, "\n".join(lines)) if part)


def docstring(description: Any) -> str:
    """A description between quotes, indented as in a class; empty if there is none."""
    said = inspect.cleandoc(description).rstrip() if isinstance(description, str) else ""
    if not said:
        return ""
    # Neither three quotes in a row, nor one before the last three.
    escaped = re.sub(r'"(?=""|\Z)', r"\"", "".join(map(_kept, said)))
    first, *others = (line.rstrip() for line in escaped.split("\n"))
    start = " " if first.startswith('"') else ""
    if not others:
        return f'    """{start}{first}"""'
    body = "\n".join(f"    {line}" if line else "" for line in others)
    return f'    """{start}{first}\n{body}\n    """'


def _remark(text: str) -> str:
    """The text on one line, whatever is in it: schemas come from others."""
    return "".join(map(_kept, " ".join(text.split())))


def _kept(char: str) -> str:
    if char == "\\":
        return "\\\\"
    return char if char.isprintable() or char == "\n" else repr(char)[1:-1]
