import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.schema.generated import event_of, imported
from tests.schema.random_schemas import event_schemas
from typed_pubsub.schema import schema_of
from typed_pubsub.schema.closed import without_notes
from typed_pubsub.schema.generate import generate

ROOT = Path(__file__).parents[2]


def said(schema: dict[str, Any]) -> dict[str, Any]:
    """What a schema says of bodies; whether the writer's own follows from it is not the generator's to tell."""
    return {name: value for name, value in without_notes(schema).items() if name != "x-writes"}


@settings(max_examples=60)
@given(schema=event_schemas(struct=False))
def test_a_model_has_the_schema_that_it_was_generated_from(schema: dict[str, Any]) -> None:
    with imported(generate([schema])) as module:
        assert said(schema_of(event_of(module, schema))) == said(schema)


@settings(max_examples=60)
@given(schema=event_schemas(struct=True))
def test_a_struct_has_the_schema_that_it_was_generated_from(schema: dict[str, Any]) -> None:
    with imported(generate([schema], struct=True)) as module:
        assert said(schema_of(event_of(module, schema))) == said(schema)


def ruff(*command: str, source: str) -> str:
    run = [
        sys.executable,
        "-m",
        "ruff",
        *command,
        "--config",
        f"{ROOT}/pyproject.toml",
        "--stdin-filename",
        "x/made.py",
        "-",
    ]
    done = subprocess.run(run, cwd=ROOT, input=source, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode != 0 else ""


@pytest.mark.parametrize("struct", [False, True])
def test_what_is_generated_is_formatted_and_clean(struct: bool) -> None:
    @settings(max_examples=25)
    @given(schema=event_schemas(struct=struct))
    def check(schema: dict[str, Any]) -> None:
        source = generate([schema], struct=struct)
        assert ruff("format", "--diff", source=source) == ""
        assert ruff("check", "--ignore", "INP001", source=source) == ""

    check()
