"""What differs between schemas and files, as text."""

from pathlib import Path

from tests.schema.test_gate import Listed, committed, listed
from typed_pubsub.schema import canonical, schema_of
from typed_pubsub.schema.differences import differences


def test_what_is_the_same_has_no_difference(tmp_path: Path) -> None:
    assert list(differences([Listed], committed(tmp_path, Listed), "schemas")) == []


def test_a_changed_schema_is_a_unified_diff_of_its_file(tmp_path: Path) -> None:
    (found,) = differences([listed(price=str)], committed(tmp_path, Listed), "schemas")
    assert (found.kind, found.key, found.version) == ("changed", "shop.{shop}.listed", 1)
    assert found.path == "schemas/shop.{shop}.listed/1.json"
    assert found.diff.startswith(f"--- {found.path}\n+++ {found.path}\n@@ ")
    assert '-      "type": "integer"\n+      "type": "string"\n' in found.diff


def test_a_new_schema_comes_from_nowhere(tmp_path: Path) -> None:
    newer = listed(version=2)
    (found,) = differences([newer], committed(tmp_path, Listed), "schemas")
    assert (found.kind, found.version) == ("new", 2)
    assert found.diff.startswith("--- /dev/null\n+++ schemas/shop.{shop}.listed/2.json\n")
    assert found.diff.count("\n+") == len(canonical(schema_of(newer)).splitlines()) + 1
