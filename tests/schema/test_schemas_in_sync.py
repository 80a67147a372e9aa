"""The files under schemas/ are what the demo's events say today."""

from tests.support.children import ROOT, run
from typed_pubsub.demo import events
from typed_pubsub.schema.files import read_files

SCHEMA = ("-m", "typed_pubsub.cli", "schema")


def test_the_schemas_in_the_repository_are_those_of_the_demo_events() -> None:
    child = run(*SCHEMA, "check", "--in-sync", "--events", events.__name__, cwd=ROOT)
    assert child.lines == ["4 contracts: as committed"]
    assert child.wait() == 0
    assert len(read_files(ROOT / "schemas")) == 4
