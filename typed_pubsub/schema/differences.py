"""What differs between the schemas of events and their files, as text; what it means is the gate's to tell."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from typed_pubsub.events.registry import EventClass, meta_of
from typed_pubsub.schema.export import canonical, path_of, schema_of
from typed_pubsub.schema.files import SchemaFile


@dataclass(frozen=True, slots=True)
class Difference:
    """A schema that is not its file's: ``path`` is that of the file, ``diff`` a unified diff of it."""

    kind: Literal["new", "changed"]
    key: str
    version: int
    path: str
    diff: str


def differences(events: Iterable[EventClass], files: Iterable[SchemaFile], directory: str) -> Iterator[Difference]:
    """The differences, in the order of the events; ``directory`` is what paths begin with.

    Raises:
        DefinitionError: an event has no schema.
    """
    held = {(file.template.text, file.version): file.text for file in files}
    for event in events:
        meta = meta_of(event)
        before, after = held.get((meta.key.text, meta.version)), canonical(schema_of(event))
        if before != after:
            path = f"{directory}/{path_of(meta)}"
            kind: Literal["new", "changed"] = "new" if before is None else "changed"
            yield Difference(kind, meta.key.text, meta.version, path, _diff(before, after, path))


def _diff(before: str | None, after: str, path: str) -> str:
    old, new = (before or "").splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, path if before is not None else "/dev/null", path))
