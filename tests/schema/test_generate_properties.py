import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.schema.generated import IGNORED, event_of, imported
from tests.schema.random_schemas import event_schemas
from typed_pubsub.errors import SchemaError
from typed_pubsub.schema import schema_of
from typed_pubsub.schema.closed import without_notes
from typed_pubsub.schema.generate import generate

pytestmark = pytest.mark.once

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


ANYTHING = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1.5, 10**400, float("inf"), "", "a", "\ud800", [], [[]], {}, {"a": {}}]),
    st.sampled_from([{"$ref": "#/$defs/Colour"}, {"type": "object", "properties": {}}, {"type": []}, {"enum": [None]}]),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every mapping and list in a value with each of its keys."""
    if isinstance(value, dict | list):
        for key, part in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from places(part)


@settings(max_examples=100)
@given(schema=event_schemas(struct=False), data=st.data(), struct=st.booleans())
def test_of_a_schema_that_is_spoilt_comes_source_or_a_schema_error(
    schema: dict[str, Any], data: st.DataObject, struct: bool
) -> None:
    spoilt = json.loads(json.dumps(schema))
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(list(places(spoilt))))
        holder[key] = json.loads(json.dumps(data.draw(ANYTHING)))
    with suppress(SchemaError):
        compile(generate([spoilt], struct=struct).encode(errors="replace"), "made.py", "exec")


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
    @settings(max_examples=10)
    @given(schema=event_schemas(struct=struct))
    def check(schema: dict[str, Any]) -> None:
        source = generate([schema], struct=struct)
        assert ruff("format", "--diff", source=source) == ""
        assert ruff("check", "--ignore", IGNORED, source=source) == ""

    check()
