"""Which field has no JSON Schema: pydantic and msgspec name a type only, not where it stands."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec.inspect as mi
from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from typed_pubsub.events.registry import name_of
from typed_pubsub.events.shapes import is_items, is_list, is_mapping

_MODES: tuple[JsonSchemaMode, ...] = get_args(JsonSchemaMode)
_CLASSES = frozenset({"model", "dataclass", "typed-dict", "definition-ref"})
_PROBLEM = "its type has no JSON Schema: give it one that JSON has"
_OF_MODELS = f"{_PROBLEM}, or say what stands in the body by Annotated[..., WithJsonSchema({{...}})]"


def unsayable(event: Any) -> str | None:
    """The field of an event, or of a class in it, that has no JSON Schema, and the remedy; None if it is no field."""
    if issubclass(event, BaseModel):
        found, problem = _of_model(event.__pydantic_core_schema__), _OF_MODELS
    else:
        found, problem = _of_struct(mi.type_info(event), event, "", set()), _PROBLEM
    for cls, field in found:
        within = f" (in {name_of(event)})" if cls is not event else ""
        return f"{name_of(cls)}.{field}{within}: {problem}"
    return None


def _of_model(core: Any) -> Iterator[tuple[Any, str]]:
    for mode in _MODES:
        yield from ((cls, name) for cls, name, field in _fields(core) if not _has_schema(_bare(field), mode))


def _fields(core: Any, cls: Any = None, name: str = "") -> Iterator[tuple[Any, str, Any]]:
    """Class, name and core schema of each field."""
    if is_list(core):
        for part in core:
            yield from _fields(part, cls)
    if is_mapping(core):
        if str(core.get("type")).endswith("-field"):
            # A computed one has other words for both.
            named, field = (
                core.get("name", core.get("property_name", name)),
                core.get("schema") or core["return_schema"],
            )
            yield cls, named, field
        for key, part in core.items():
            yield from _fields(part, core.get("cls", cls), str(key))


def _bare(core: Any) -> Any:
    """The schema without the classes in it, which have fields of their own."""
    if is_list(core):
        return [_bare(part) for part in core]
    if not is_mapping(core):
        return core
    return {"type": "any"} if core.get("type") in _CLASSES else {key: _bare(part) for key, part in core.items()}


def _has_schema(core: Any, mode: JsonSchemaMode) -> bool:
    try:
        GenerateJsonSchema().generate(core, mode)
    except PydanticInvalidForJsonSchema:
        return False
    return True


def _of_struct(kind: Any, cls: Any, name: str, seen: set[Any]) -> Iterator[tuple[Any, str]]:
    """As for models, of a type as msgspec tells it, in the field ``name`` of ``cls``."""
    if is_items(kind):
        for part in kind:
            yield from _of_struct(part, cls, name, seen)
    elif isinstance(kind, mi.CustomType | mi.ExtType):
        yield cls, name
    elif hasattr(kind, "fields"):
        fields = kind.fields if kind.cls not in seen else ()
        seen.add(kind.cls)
        for field in fields:
            yield from _of_struct(field.type, kind.cls, field.name, seen)
    elif isinstance(kind, mi.Type):
        yield from _of_struct([getattr(kind, part) for part in kind.__struct_fields__], cls, name, seen)
