"""What the hints of fields tell: which are whole numbers, which may be none, and by which names they are read."""

from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin

import msgspec
import msgspec.inspect as mi
from pydantic import AliasChoices, AliasPath

from typed_pubsub.events.shapes import is_list


def is_number(hint: Any) -> bool:
    """Whether the JSON form of a field with this type is a whole number."""
    origin = get_origin(hint)
    if origin is Annotated:
        return is_number(get_args(hint)[0])
    if origin is Literal:
        return all(isinstance(value, int) for value in get_args(hint))
    if origin is Union or origin is UnionType:
        return all(part is type(None) or is_number(part) for part in get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return all(isinstance(member.value, int) for member in hint)
    if isinstance(hint, NewType):
        return is_number(hint.__supertype__)
    return isinstance(hint, type) and issubclass(hint, int)


def alias_names(name: str, field: Any, *, by_name: bool, by_alias: bool) -> tuple[str, ...]:
    """The names under which a field of a pydantic model is looked for; none, if it is by an AliasPath only."""
    alias = field.validation_alias if field.validation_alias is not None else field.alias
    if alias is None or not by_alias:
        return (name,)
    choices: list[Any] = list(alias.choices) if isinstance(alias, AliasChoices) else [alias]
    names = [choice for choice in choices if isinstance(choice, str)]
    if any(isinstance(choice, AliasPath) for choice in choices) and not names:
        return ()
    return (*names, name) if by_name and name not in names else tuple(names)


def undecodable(struct: Any) -> str:
    """The first field that msgspec has no decoder for, else the class."""
    told = f"{struct.__module__}.{struct.__qualname__}"
    for field in msgspec.structs.fields(struct):
        try:
            msgspec.json.Decoder(field.type)
        except TypeError:
            return f"{told}.{field.name}"
    return told


def holds_decimals(kind: mi.Type) -> bool:
    """Whether there are Decimals in it, keys or not."""
    return any(isinstance(one, mi.DecimalType) for one in _reached(kind))


def holds_float_keys(kind: mi.Type) -> bool:
    """Whether floats are names of members in it."""
    keys = [key for one in _reached(kind) if isinstance(one, mi.DictType) for key in _reached(one.key_type)]
    return any(isinstance(key, mi.FloatType) for key in keys)


def _reached(kind: Any) -> list[Any]:
    """The type and all that it is made of; a Struct may be of itself."""
    found = [kind]
    seen = {id(kind)}
    for one in found:
        values: list[Any] = [getattr(one, name) for name in one.__struct_fields__]
        parts = [part for value in values for part in (value if is_list(value) else [value])]
        new = [part for part in parts if isinstance(part, mi.Type | mi.Field) and id(part) not in seen]
        seen |= {id(part) for part in new}
        found += new
    return found
