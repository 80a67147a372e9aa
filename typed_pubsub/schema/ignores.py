"""Incompatibilities, and warnings, that a team has decided to live with: ``ignore.toml`` beside the schema files.

::

    [[ignore]]
    event = "app1.matches.published"    # the routing key as in x-routing-key
    version = 1                         # optional: of the file that is held against
    rule = "required"
    path = "$.title"                    # optional
    reason = "the only reader was shut down on 2026-11-01"
"""

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typed_pubsub.errors import SchemaError
from typed_pubsub.events.shapes import is_list
from typed_pubsub.schema.rules import RULES

_KINDS: dict[str, type] = {"event": str, "version": int, "rule": str, "path": str, "reason": str}
_NEEDED = ("event", "rule", "reason")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One entry; None is any version, any path."""

    event: str
    rule: str
    reason: str
    version: int | None = None
    path: str | None = None

    def covers(self, event: str, version: int, rule: str, path: str) -> bool:
        """Whether it is meant for this problem."""
        return (
            (self.event, self.rule) == (event, rule) and self.version in (None, version) and self.path in (None, path)
        )


def read_ignores(directory: Path) -> list[Ignore]:
    """The entries of ``ignore.toml``, none where there is no such file.

    Raises:
        SchemaError: the file is no TOML, or an entry lacks its event, rule or reason.
    """
    path = directory / "ignore.toml"
    if not path.exists():
        return []
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SchemaError(str(path), f"{error}") from error
    entries: Any = found.pop("ignore", [])
    if found or not is_list(entries):
        raise SchemaError(str(path), f"expected only entries [[ignore]], got {', '.join(found) or repr(entries)}")
    return [_entry(f"{path}, entry {number}", entry) for number, entry in enumerate(entries, start=1)]


def _entry(where: str, entry: Any) -> Ignore:
    for name in _NEEDED:
        if not entry.get(name):
            raise SchemaError(where, f"{name!r} is missing")
    for name, value in entry.items():
        if name not in _KINDS:
            raise SchemaError(where, f"{name!r} is not known: expected {', '.join(_KINDS)}")
        if type(value) is not _KINDS[name]:
            raise SchemaError(where, f"{name!r}: expected {_KINDS[name].__name__}, got {value!r}")
    if entry["rule"] not in RULES:
        nearest = difflib.get_close_matches(str(entry["rule"]), RULES, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"expected {', '.join(sorted(RULES))}"
        raise SchemaError(where, f"there is no rule {entry['rule']!r}: {hint}")
    return Ignore(**entry)
