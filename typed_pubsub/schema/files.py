"""Schema files: one a key and version, in a directory or in a commit of git."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from typed_pubsub.errors import DefinitionError, SchemaError
from typed_pubsub.events.keys import KeyTemplate
from typed_pubsub.events.shapes import is_mapping
from typed_pubsub.schema.vocabulary import ROUTING_KEY, VERSION

_GIT = "git:"


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """A committed contract: ``path`` is where it stands, ``text`` its bytes as they are, decoded."""

    path: str
    text: str
    template: KeyTemplate
    version: int
    schema: dict[str, Any]


def read_files(directory: Path, against: str | None = None) -> list[SchemaFile]:
    """The schema files of a directory, by key and version; it may not be there yet, then there are none.

    Args:
        directory: where they stand.
        against: read those of another directory, or with ``git:REV`` those that ``directory`` has at a revision.

    Raises:
        SchemaError: ``against`` is another directory, and not there, or git does not know the revision; a file is no
            JSON Schema of an event, or stands under another key or version than it says.
    """
    if against is not None and against.startswith(_GIT):
        return _sorted(_parsed(_of_commit(against.removeprefix(_GIT), directory)))
    other = directory if against is None else Path(against)
    if other != directory and not other.is_dir():
        raise SchemaError(str(other), f"expected a directory with schema files, or {_GIT}REVISION")
    return _sorted(map(read_file, other.rglob("*.json")))


def _sorted(files: Iterable[SchemaFile]) -> list[SchemaFile]:
    return sorted(files, key=lambda file: (file.template.text, file.version))


def read_file(path: Path) -> SchemaFile:
    """One schema file.

    Raises:
        SchemaError: as for ``read_files``.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SchemaError(str(path), f"cannot be read: {error.strerror}") from error
    return next(_parsed([(str(path), content)]))


def _of_commit(revision: str, directory: Path) -> Iterator[tuple[str, bytes]]:
    place = directory.resolve()
    around = next(path for path in (place, *place.parents) if path.is_dir())
    top = _git(around, "rev-parse", "--show-toplevel")
    commit = _git(around, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if top is None:
        raise SchemaError(f"{_GIT}{revision}", f"expected a git repository around {str(directory)!r}, there is none")
    if commit is None:
        problem = f"expected a revision of the git repository at {top.decode().strip()!r}, there is none of this name"
        raise SchemaError(f"{_GIT}{revision}", problem)
    root = Path(top.decode().strip())
    inside = place.relative_to(root.resolve()).as_posix()
    # No tree of this name: the commit is from before there were any.
    archive = _git(root, "archive", "--format=tar", f"{commit.decode().strip()}:{'' if inside == '.' else inside}")
    if archive is None:
        return
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            content = files.extractfile(member)
            if member.name.endswith(".json") and content is not None:
                yield f"{directory.as_posix()}/{member.name}", content.read()


def _git(where: Path, *arguments: str) -> bytes | None:
    command = ["git", "-C", str(where), *arguments]
    try:
        # The program is found as the user's shell finds it; the revision is one argument, whatever it says.
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise SchemaError("git", "the program is not installed") from error
    return done.stdout if done.returncode == 0 else None


def _parsed(found: Iterable[tuple[str, bytes]]) -> Iterator[SchemaFile]:
    for path, content in found:
        try:
            text = content.decode()
            schema = json.loads(text)
        except ValueError as error:
            raise SchemaError(path, f"expected JSON: {error}") from error
        yield _checked(path, text, schema)


def _checked(path: str, text: str, schema: Any) -> SchemaFile:
    if not is_mapping(schema):
        raise SchemaError(path, f"expected the JSON Schema of an event, got {type(schema).__name__}")
    key, version = schema.get(ROUTING_KEY), schema.get(VERSION)
    if not isinstance(key, str) or not isinstance(version, int) or isinstance(version, bool):
        raise SchemaError(path, f"expected {ROUTING_KEY}, a text, and {VERSION}, a whole number")
    try:
        template = KeyTemplate.parse(key)
    except DefinitionError as error:
        raise SchemaError(path, f"{error}") from error
    wanted = f"{template.text}/{version}.json"
    if PurePosixPath(path).parts[-2:] != PurePosixPath(wanted).parts:
        raise SchemaError(path, f"what it says of itself belongs to {wanted}")
    return SchemaFile(path, text, template, version, dict(schema))
