import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.schema import test_export as exported
from tests.schema.contracts_of_models import MODELS
from tests.schema.contracts_of_structs import STRUCTS
from tests.schema.generated import event_of, imported
from typed_pubsub.demo import events as demo
from typed_pubsub.events import StructEvent
from typed_pubsub.schema import canonical, schema_of
from typed_pubsub.schema.closed import without_notes
from typed_pubsub.schema.generate import generate

ROOT = Path(__file__).parents[2]
EVENTS: list[Any] = [
    *(exported.Paid, exported.StructPaid, exported.Node, exported.StructNode),
    *(demo.MatchesPublished, demo.MatchesDeleted, demo.TableLoaded, demo.ScoreChanged),
    *MODELS,
    *STRUCTS,
]


def filed(event: Any) -> dict[str, Any]:
    """The schema as it is read from its file."""
    schema: dict[str, Any] = json.loads(canonical(schema_of(event)))
    return schema


def is_struct(event: Any) -> bool:
    return issubclass(event, StructEvent)


def schema_again(source: str, schema: dict[str, Any]) -> dict[str, Any]:
    with imported(source) as module:
        return schema_of(event_of(module, schema))


@pytest.mark.parametrize("event", EVENTS)
def test_a_generated_class_has_the_schema_that_it_was_generated_from(event: Any) -> None:
    schema = filed(event)
    again = schema_again(generate([schema], struct=is_struct(event)), schema)
    assert without_notes(again) == without_notes(schema)
    assert again["x-fingerprint"] == schema["x-fingerprint"]


@pytest.mark.parametrize("event", EVENTS)
def test_notes_come_back_too(event: Any) -> None:
    schema = filed(event)
    assert canonical(schema_again(generate([schema], struct=is_struct(event)), schema)) == canonical(schema)


@pytest.mark.parametrize("struct", [False, True])
def test_one_module_has_all_events_and_shares_their_classes(struct: bool) -> None:
    schemas = [filed(event) for event in (STRUCTS if struct else MODELS)]
    source = generate(schemas, struct=struct)
    with imported(source) as module:
        for schema in schemas:
            assert without_notes(schema_of(event_of(module, schema))) == without_notes(schema)
    assert source.count("\nclass StructLeaf(" if struct else "\nclass Leaf(") == 1


def test_generating_twice_gives_one_text() -> None:
    schemas = [filed(event) for event in MODELS]
    assert generate(schemas) == generate(json.loads(json.dumps(schemas)))


def written(tmp_path: Path) -> None:
    for number, event in enumerate(EVENTS):
        (tmp_path / f"event_{number}.py").write_text(
            generate([filed(event)], struct=is_struct(event)), encoding="utf-8"
        )
    (tmp_path / "models.py").write_text(generate([filed(event) for event in MODELS]), encoding="utf-8")
    (tmp_path / "structs.py").write_text(generate([filed(event) for event in STRUCTS], struct=True), encoding="utf-8")
    (tmp_path / "__init__.py").write_text('"""Generated."""\n', encoding="utf-8")


@pytest.mark.typing
@pytest.mark.parametrize(
    "tool",
    [
        ["ruff", "check", "--no-cache", "--config", f"{ROOT}/pyproject.toml"],
        ["ruff", "format", "--no-cache", "--diff", "--config", f"{ROOT}/pyproject.toml"],
        ["mypy", "--strict", "--config-file", f"{ROOT}/mypy.ini"],
    ],
    ids=lambda tool: " ".join(tool[:2]),
)
def test_generated_modules_are_clean(tool: list[str], tmp_path: Path) -> None:
    package = tmp_path / "generated_events"
    package.mkdir()
    written(package)
    found = subprocess.run(
        [sys.executable, "-m", *tool, str(package)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
