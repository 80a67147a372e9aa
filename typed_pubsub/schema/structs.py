"""The JSON Schema of msgspec Structs, the same as that of a pydantic model with the same fields.

msgspec's own tells neither whether a datetime has an offset nor what a Struct leaves out, and has a Decimal and the
keys of a mapping in other forms.
"""

from enum import Enum, Flag
from typing import Any, cast

import msgspec
import msgspec.inspect as mi

from typed_pubsub.schema.flags import flag_schema
from typed_pubsub.schema.mapping_keys import unread_by_msgspec
from typed_pubsub.schema.models import names_of, own_code
from typed_pubsub.schema.vocabulary import (
    DEFINITIONS,
    ENGINE,
    EXACT,
    LIMITS,
    MAY_OMIT,
    NAIVE,
    PYTHON,
    STEPS,
    VALIDATORS,
)

_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_PLAIN: dict[type[mi.Type], dict[str, Any]] = {
    mi.AnyType: {},
    mi.RawType: {},
    mi.NoneType: {"type": "null"},
    mi.BoolType: {"type": "boolean"},
    mi.DateType: {"type": "string", "format": "date"},
    # Months and years, which pydantic writes, are not read.
    mi.TimeDeltaType: {"type": "string", "format": "duration", LIMITS: {"longest_unit": "day"}},
    mi.UUIDType: {"type": "string", "format": "uuid"},
    mi.DecimalType: {"anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"}]},
}
_JSON_TYPES: dict[type, str] = {str: "string", int: "integer", bool: "boolean", float: "number"}


def struct_schema(cls: Any) -> dict[str, Any]:
    """The reader's schema of a Struct, with its definitions.

    Raises:
        TypeError: a type of its fields has no JSON form.
    """
    walk = _Walk()
    reference = walk.schema(mi.type_info(cls))
    return {**reference, "$defs": walk.definitions}


class _FieldError(TypeError):
    """A field has no JSON Schema; names it."""


class _Walk:
    """From types, as msgspec tells them, to schemas; classes become definitions."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self._names: dict[Any, str] = {}

    def schema(self, kind: mi.Type) -> dict[str, Any]:  # noqa: PLR0911  # a case each
        plain = _PLAIN.get(type(kind))
        if plain is not None:
            return dict(plain)
        match kind:
            case mi.Metadata():
                extra: dict[str, Any] | None = cast("Any", kind).extra_json_schema
                return {**self.schema(kind.type), **(extra or {})}
            case mi.IntType() | mi.FloatType():
                return _number(kind)
            case mi.StrType():
                lengths = {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"}
                engine = {LIMITS: {ENGINE: PYTHON}} if kind.pattern is not None else {}
                return {"type": "string"} | _given(kind, lengths) | engine
            case mi.BytesType() | mi.ByteArrayType() | mi.MemoryViewType():
                limits = _given(kind, {"min_length": "min_bytes", "max_length": "max_bytes"})
                return {"type": "string", "format": "base64"} | ({LIMITS: limits} if limits else {})
            case mi.DateTimeType() | mi.TimeType():
                found = {"type": "string", "format": "time" if isinstance(kind, mi.TimeType) else "date-time"}
                return found if kind.tz else {**found, NAIVE: True if kind.tz is None else "only"}
            case mi.LiteralType():
                return _values(kind.values)
            case mi.UnionType():
                return self._union(kind)
            case _:
                return self._holder(kind)

    def _holder(self, kind: mi.Type) -> dict[str, Any]:
        lengths = {"min_length": "minItems", "max_length": "maxItems"}
        match kind:
            case mi.ListType() | mi.VarTupleType():
                return {"type": "array", **self._items(kind.item_type)} | _given(kind, lengths)
            case mi.SetType() | mi.FrozenSetType():
                items = self._items(kind.item_type)
                return {"type": "array", "uniqueItems": True, **items} | _given(kind, lengths)
            case mi.TupleType():
                count = len(kind.item_types)
                items = {"prefixItems": [self.schema(item) for item in kind.item_types]} if count else {}
                return {"type": "array", "minItems": count, "maxItems": count, **items}
            case mi.DictType():
                return self._mapping(kind)
            case mi.EnumType() | mi.StructType() | mi.TypedDictType() | mi.DataclassType() | mi.NamedTupleType():
                return {"$ref": f"{DEFINITIONS}{self._define(kind)}"}
            case _:
                told = getattr(getattr(kind, "cls", None), "__qualname__", type(kind).__name__)
                raise TypeError(f"{told} has no JSON Schema")

    def _items(self, kind: mi.Type) -> dict[str, Any]:
        return {"items": self.schema(kind)}

    def _mapping(self, kind: mi.DictType) -> dict[str, Any]:
        if (unread := unread_by_msgspec(kind.key_type)) is not None:
            raise TypeError(f"msgspec reads no key of an object as {unread}: make it str, or the class an Event")
        found: dict[str, Any] = {"type": "object", "additionalProperties": self.schema(kind.value_type) or True}
        return (
            found
            | names_of(self.schema(kind.key_type))
            | _given(kind, {"min_length": "minProperties", "max_length": "maxProperties"})
        )

    def _union(self, kind: mi.UnionType) -> dict[str, Any]:
        tagged = [part for part in kind.types if isinstance(part, mi.StructType) and part.tag is not None]
        if len(tagged) < 2:  # noqa: PLR2004  # one of a kind needs no telling apart
            return {"anyOf": [self.schema(part) for part in kind.types]}
        refs = {str(part.tag): self.schema(part) for part in tagged}
        mapping = {tag: ref["$ref"] for tag, ref in refs.items()}
        one = {"oneOf": [*refs.values()], "discriminator": {"propertyName": tagged[0].tag_field, "mapping": mapping}}
        others = [self.schema(part) for part in kind.types if part not in tagged]
        return {"anyOf": [one, *others]} if others else one

    def _define(self, kind: Any) -> str:
        cls = kind.cls
        if cls in self._names:
            return self._names[cls]
        name = "".join(char if char.isalnum() or char in "_-." else "_" for char in cls.__name__)
        if name in self._names.values():
            name = f"{cls.__module__}.{cls.__qualname__}".replace("<locals>.", "")
        self._names[cls] = name
        self.definitions[name] = {}
        self.definitions[name].update(_members(cls) if issubclass(cls, Enum) else self._class(kind))
        if cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}("):
            self.definitions[name]["description"] = cls.__doc__.strip()
        return name

    def _class(self, kind: Any) -> dict[str, Any]:
        members = {field.encode_name: self._named(kind, field) for field in kind.fields}
        required = [field.encode_name for field in kind.fields if field.required]
        own = own_code(function) if (function := getattr(kind.cls, "__post_init__", None)) is not None else None
        checked = {VALIDATORS: [own]} if own is not None else {}
        tag = [_values([kind.tag])] if getattr(kind, "tag", None) is not None else []
        if isinstance(kind, mi.NamedTupleType) or getattr(kind, "array_like", False):
            return {**_row(kind, [*tag, *members.values()], len(tag) + len(required)), **checked}
        if tag:
            # Always written; a reader takes it for given where it tells no parts of a union apart.
            members = {kind.tag_field: {**tag[0], "default": kind.tag}, **members}
        found: dict[str, Any] = {"type": "object", "properties": members, **checked}
        if required:
            found["required"] = required
        if getattr(kind, "forbid_unknown_fields", False):
            found["additionalProperties"] = False
        omitted = sorted(field.encode_name for field in kind.fields if _may_be_omitted(kind, field))
        return {**found, MAY_OMIT: omitted} if omitted else found

    def _named(self, kind: Any, field: mi.Field) -> dict[str, Any]:
        try:
            return self._member(field)
        except _FieldError:
            raise
        except TypeError as error:
            raise _FieldError(f"{kind.cls.__qualname__}.{field.name}: {error}") from error

    def _member(self, field: mi.Field) -> dict[str, Any]:
        found = self.schema(field.type)
        if field.default is not msgspec.NODEFAULT:
            return {**found, "default": msgspec.to_builtins(field.default, order="sorted")}
        if field.default_factory in (list, dict, set, frozenset, tuple):
            return {**found, "default": {} if field.default_factory is dict else []}
        return found


def _number(kind: mi.IntType | mi.FloatType) -> dict[str, Any]:
    if isinstance(kind, mi.IntType):
        return {"type": "integer"} | _given(kind, _BOUNDS)
    steps = {LIMITS: {STEPS: EXACT}} if kind.multiple_of is not None else {}
    return {"type": "number"} | _given(kind, _BOUNDS) | steps


def _row(kind: Any, items: list[Any], least: int) -> dict[str, Any]:
    """Of an object that is an array in JSON; a NamedTuple and a closed Struct take no more than they know."""
    found = {"type": "array", "minItems": least} | ({"prefixItems": items} if items else {})
    closed = isinstance(kind, mi.NamedTupleType) or kind.forbid_unknown_fields
    return {**found, "maxItems": len(items)} if closed else found


def _may_be_omitted(kind: Any, field: mi.Field) -> bool:
    if field.required:
        return False
    if isinstance(kind, mi.TypedDictType):
        return True
    if isinstance(kind, mi.DataclassType) and field.default is not msgspec.NODEFAULT:
        # msgspec leaves such a default to the class when it reads, and writes what the instance itself has.
        return not hasattr(kind.cls, "__slots__")
    # A field that is not required and has no default is UNSET.
    is_unset = field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
    return is_unset or bool(getattr(getattr(kind.cls, "__struct_config__", None), "omit_defaults", False))


def _given(kind: Any, names: dict[str, str]) -> dict[str, Any]:
    return {to: value for name, to in names.items() if (value := getattr(kind, name)) is not None}


def _members(cls: type[Enum]) -> dict[str, Any]:
    return flag_schema(cls) if issubclass(cls, Flag) else _enum([member.value for member in cls])


def _values(values: Any) -> dict[str, Any]:
    """Of a Literal, as pydantic has it: one value is a const."""
    found = _enum(list(values))
    if len(found["enum"]) == 1:
        found["const"] = found.pop("enum")[0]
    return found


def _enum(values: list[Any]) -> dict[str, Any]:
    """With the type that all share."""
    for kind, name in _JSON_TYPES.items():
        if all(type(value) is kind for value in values):
            return {"enum": values, "type": name}
    return {"enum": values}
