"""The names of generated code: what is imported, and what members and classes are called there."""

import builtins
import keyword
import re
from collections.abc import Collection, Iterable

import msgspec
from pydantic import BaseModel

from typed_pubsub.schema.source.layout import WIDTH

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: Names that a member of a model cannot have: the model has them itself, or pydantic keeps them for itself.
_OF_MODELS = frozenset(dir(BaseModel)) | {"model_config"}
_PYDANTICS = ("model_validate", "model_dump")
_OF_STRUCTS = frozenset(dir(msgspec.Struct))
_STANDARD = frozenset(
    {"base64", "collections", "datetime", "decimal", "enum", "ipaddress", "pathlib", "re", "typing", "uuid"}
)


#: Hard to tell from 1 and 0 (PEP 8): linters refuse them.
_AMBIGUOUS = frozenset({"l", "O", "I"})


class Imports:
    """The imports of a module whose own names are ``taken``: what is called so, or as a builtin, gets an underscore."""

    def __init__(self, taken: Collection[str]) -> None:
        """``taken`` are the names of all classes and members of the module: members hide what they are called like."""
        self._taken = taken
        self._used: dict[str, dict[str, str]] = {}

    def __call__(self, dotted: str) -> str:
        """The local name of ``module.name``, which is imported from now on."""
        module, _, name = dotted.rpartition(".")
        local = name
        while local in self._taken or (module != "builtins" and hasattr(builtins, local)):
            local += "_"
        if module != "builtins" or local != name:
            self._used.setdefault(module, {})[name] = local
        return local

    def lines(self) -> str:
        """The import statements: the standard library's, others', and the library's own, an empty line between."""
        rooms: list[list[str]] = [[], [], []]
        for module, names in sorted(self._used.items()):
            rooms[_room(module)].append(_import(module, names))
        return "\n\n".join("\n".join(room) for room in rooms if room)


def _room(module: str) -> int:
    if module == "typed_pubsub":
        return 2
    return 0 if module in _STANDARD or module == "builtins" else 1


def _import(module: str, names: dict[str, str]) -> str:
    told = [name if name == local else f"{name} as {local}" for name, local in sorted(names.items(), key=_as_isort)]
    line = f"from {module} import {', '.join(told)}"
    if len(line) <= WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in told) + ")"


def _as_isort(pair: tuple[str, str]) -> tuple[int, str]:
    name = pair[0]
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2), name


def is_name(text: str) -> bool:
    """Whether a class or a member can be called so."""
    return _NAME.fullmatch(text) is not None and not keyword.iskeyword(text)


def member_names(members: Iterable[str], classes: Iterable[str], *, struct: bool) -> dict[str, str]:
    """What the members of an object are called in Python, by their names in the body; never like a class."""
    members, avoided = list(members), set(classes)
    kept = {name: name for name in members if name not in avoided and _can_be_member(name, struct=struct)}
    for name in members:
        if name not in kept:
            kept[name] = unique(_member(name, avoided, struct=struct), {*members, *kept.values(), *avoided})
    return {name: kept[name] for name in members}


def unique(name: str, taken: Collection[str]) -> str:
    """The name, or the first of ``name_2``, ``name_3`` ... that is free."""
    count, found = 1, name
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    return found


def value_names(values: Iterable[object]) -> list[str]:
    """What the members of an Enum are called after their values."""
    names: list[str] = []
    for value in values:
        names.append(unique(_value_name(value), names))
    return names


def class_name(text: str) -> str:
    """What a class is called after a name that may be no name of Python."""
    if is_name(text):
        return text
    words = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")
    words = words if words[:1].isalpha() else f"Model{words}"
    return words if is_name(words) else f"{words}_"


def _can_be_member(name: str, *, struct: bool) -> bool:
    if not is_name(name) or name in _AMBIGUOUS:
        return False
    return name not in _OF_STRUCTS if struct else name not in _OF_MODELS and not name.startswith(_PYDANTICS)


def _member(name: str, avoided: Collection[str], *, struct: bool) -> str:
    words = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    words = words if words[:1].isalpha() else f"member_{words}".strip("_")
    if words.startswith(_PYDANTICS):
        words = f"member_{words}"
    return words if words not in avoided and _can_be_member(words, struct=struct) else f"{words}_"


def _value_name(value: object) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "_", str(value)).strip("_").upper()
    if isinstance(value, int | float) and value < 0:
        words = f"MINUS_{words}"
    if isinstance(value, str) and not words:
        return "EMPTY"
    return words if isinstance(value, str) and is_name(words) else f"VALUE_{words}"
