"""From schema files to code: the event classes that accept and write what the schemas say.

Not datamodel-code-generator: it makes a RootModel, which mypy refuses, of a text that is both nullable and limited.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from typed_pubsub.schema.source.annotations import Place
from typed_pubsub.schema.source.classes import Definition
from typed_pubsub.schema.source.model_classes import ModelWriter
from typed_pubsub.schema.source.model_types import ModelTypes
from typed_pubsub.schema.source.names import Imports, member_names
from typed_pubsub.schema.source.plan import planned
from typed_pubsub.schema.source.problems import each, told_of
from typed_pubsub.schema.source.struct_classes import StructWriter
from typed_pubsub.schema.source.struct_types import StructTypes

_TEXT = "Events, as their schemas tell them: made by ``typed-pubsub schema generate``, which makes the same again."
# What pyright, if strict, says of lines that pydantic and msgspec have no other words for.
_PYRIGHT = {
    r"\n    __pydantic_extra__: ": "reportIncompatibleVariableOverride",
    r"\bdefault_factory=\w+[,)]": "reportUnknownVariableType",
}


def generate(schemas: Sequence[Mapping[str, Any]], *, struct: bool = False) -> str:
    """The source of one module with an event class for each schema, and the classes that these need.

    The classes are models (``Event``), or with ``struct=True`` Structs (``StructEvent``). The schema of a class
    (``schema_of``) is the one that it was generated from, notes that no class can carry aside. Of two versions of one
    event the newest has the title as its name, the others the title and ``V1``; a definition whose name another event
    uses for something else gets the event's name in front. What changes nothing about what is accepted and cannot be
    said, or is code of the publisher's own (``x-validators``, ``x-writes``), is told as ``# not generated: ...``; a
    ``$comment`` of a member stands beside it.

    The text is formatted as ``ruff format`` does at 120 columns, and the same for the same schemas.

    Raises:
        SchemaError: a schema is none of the vocabulary's, or no class of this kind accepts and writes just what it
            says; named by its ``$.path``, with the event's routing key and version. ``others`` of it are more of them.
    """
    return source(schemas, struct=struct)


def source(
    schemas: Sequence[Mapping[str, Any]],
    *,
    struct: bool = False,
    text: str = _TEXT,
) -> str:
    """As ``generate``, with the module's docstring."""
    definitions = planned(schemas, struct=struct)
    imports = Imports(_taken(definitions, struct=struct))
    ready: set[str] = set()
    incomplete: set[str] = set()

    def write(definition: Definition) -> str:
        place = Place(definition.definitions, definition.classes, ready, incomplete, definition.hashable)
        with told_of(definition.origin):
            found = _class(definition, imports, place, struct=struct)
        ready.add(definition.name)
        if incomplete & set(definition.needs):
            incomplete.add(definition.name)
        return found

    parts = "\n\n\n".join(each(write, definitions))
    return f'"""{text}"""\n\n{_for_pyright(parts)}{imports.lines()}\n\n\n{parts}\n'


def _for_pyright(classes: str) -> str:
    rules = [f"{rule}=false" for line, rule in _PYRIGHT.items() if re.search(line, classes) is not None]
    return f"# pyright: {', '.join(rules)}\n\n" if rules else ""


def _class(definition: Definition, imports: Imports, place: Place, *, struct: bool) -> str:
    if struct:
        return StructWriter(definition, StructTypes(imports, place), struct=True).write()
    return ModelWriter(definition, ModelTypes(imports, place), struct=False).write()


def _taken(definitions: Iterable[Definition], *, struct: bool) -> set[str]:
    """Every name that a class or a member of one has: it hides what is imported under it."""
    taken: set[str] = set()
    for definition in definitions:
        members = definition.schema.get("properties", {})
        taken |= {definition.name, *member_names(members, definition.classes.values(), struct=struct).values()}
    return taken
