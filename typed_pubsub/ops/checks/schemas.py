"""Findings of the committed contracts: TP5xx."""

from collections.abc import Iterator
from pathlib import Path

from typed_pubsub.errors import DefinitionError, SchemaError
from typed_pubsub.events.registry import Registry
from typed_pubsub.ops.checks.rules import Finding, finding
from typed_pubsub.schema import gate
from typed_pubsub.schema.files import read_files
from typed_pubsub.schema.ignores import Ignore, read_ignores

_WRITE = "'typed-pubsub schema write' writes it"
_FIXES: dict[gate.Kind, str] = {
    "changed": _WRITE,
    "new": _WRITE,
    "orphan": "delete the file if nobody publishes this any more; schemas of other services may have another --dir",
    "newer": "bring this service up to its schemas",
}


def reasons(directory: Path | None) -> list[Ignore]:
    """The entries of ``ignore.toml``; none where it is wrong, which is a finding of the schemas."""
    try:
        return [] if directory is None else read_ignores(directory)
    except SchemaError:
        return []


def check_schemas(registry: Registry, directory: Path, search: gate.Search) -> Iterator[Finding]:
    """What ``schema check`` says, one finding for each kind of a contract; nothing where there is no directory."""
    if not directory.is_dir():
        return
    try:
        ignores = read_ignores(directory)
        found = gate.check(list(registry), read_files(directory), ignores=ignores, search=search)
    except SchemaError as error:
        yield finding("TP503", error.path, error.problem, "mend the file, or write it anew with 'schema write'")
        return
    except DefinitionError:
        # Told of the event itself, as TP202 or TP206.
        return
    for one in found:
        where = f"{one.key} version {one.version}" if one.version else one.key
        message = f"{one.path} [{one.rule}]: {one.message}" if one.path and one.rule else one.message
        if one.kind == "incompatible":
            fix = "raise version= with an @upcast, or give the reason in ignore.toml: 'typed-pubsub schema check'"
            yield finding("TP501", where, message, fix)
        elif one.kind in _FIXES:
            yield finding("TP502", where, message, _FIXES[one.kind])
        elif one.kind in ("unproven", "unused"):
            yield finding("TP504", where, message, "'typed-pubsub schema check' says more")
