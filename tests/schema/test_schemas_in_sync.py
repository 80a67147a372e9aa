"""The files under schemas/ are what the demo's events say today."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from examples.write_schemas import ROOT, demo_events
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import canonical, path_of, schema_of

REMEDY = "differs from the events: run 'python -m examples.write_schemas' and commit what it writes"


def drift(root: Path, wanted: dict[str, str]) -> list[str]:
    """The schema files under ``root`` that are missing, other than wanted, or of no event any more."""
    there = {str(path.relative_to(root)) for path in (root / "schemas").rglob("*.json")}

    def differs(path: str) -> bool:
        return path not in there or (root / path).read_text(encoding="utf-8") != wanted[path]

    return sorted([path for path in wanted if differs(path)] + list(there - wanted.keys()))


def _wanted() -> dict[str, str]:
    return {"schemas/" + path_of(meta_of(event)): canonical(schema_of(event)) for event in demo_events()}


def test_the_schemas_in_the_repository_are_those_of_the_demo_events() -> None:
    assert len(demo_events()) >= 4
    for path in drift(ROOT, _wanted()):
        pytest.fail(f"{path} {REMEDY}")


def _write(root: Path, files: Iterable[tuple[str, str]]) -> None:
    for path, text in files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def test_a_changed_a_missing_and_a_left_over_file_are_drift(tmp_path: Path) -> None:
    wanted = _wanted()
    changed, missing, *rest = wanted
    _write(tmp_path, [(changed, wanted[changed] + " "), ("schemas/old/1.json", "{}")])
    _write(tmp_path, [(path, wanted[path]) for path in rest])
    assert drift(tmp_path, wanted) == sorted([changed, missing, "schemas/old/1.json"])
