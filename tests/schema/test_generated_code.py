"""Generated modules as linters and type checkers see them."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.schema.contracts_of_names import MODELS
from tests.schema.contracts_of_structs import STRUCTS
from tests.schema.corpus import EVENTS, OF_STRUCTS, TEXTS_OF_BYTES, filed, is_struct, made
from tests.schema.generated import IGNORED
from typed_pubsub.schema.generate import generate
from typed_pubsub.schema.infer import infer

ROOT = Path(__file__).parents[2]
BODIES: list[dict[str, Any]] = [
    {"id": 1, "at": "2026-08-01T12:00:00Z", "lines": [{"sku": "a", "tags": []}], "extra": None, "by": {}},
    {"id": 2.5, "at": "2026-08-01T12:00:00Z", "lines": [], "extra": {"a": [1, "b"]}, "by": {"x": [1]}},
]


def modules() -> dict[str, str]:
    """The source of a package of generated events, by file."""
    alone = {
        f"event_{number}.py": generate([filed(event)], struct=is_struct(event)) for number, event in enumerate(EVENTS)
    }
    members = {f"m{number}": member for number, member in enumerate(TEXTS_OF_BYTES)}
    of_structs = {f"s{number}": member for number, member in enumerate(OF_STRUCTS)}
    return {
        **alone,
        "models.py": generate([filed(event) for event in MODELS]),
        "structs.py": generate([filed(event) for event in STRUCTS], struct=True),
        "bytes.py": generate([made(members, required=[])]),
        "struct_bytes.py": generate([made({**members, **of_structs}, required=[])], struct=True),
        "draft.py": infer(BODIES, key="shop.{shop}.sold"),
        "__init__.py": '"""Generated."""\n',
    }


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Its directory."""
    found = tmp_path / "generated_events"
    found.mkdir()
    for name, source in modules().items():
        (found / name).write_text(source, encoding="utf-8")
    return found


def run(*command: str) -> tuple[int, str]:
    """Exit code and output."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.typing
@pytest.mark.parametrize(
    "tool",
    [
        ["ruff", "check", "--no-cache", "--config", f"{ROOT}/pyproject.toml", "--ignore", IGNORED],
        ["ruff", "check", "--no-cache", "--isolated", "--ignore", "I001,PYI061"],
        ["ruff", "format", "--no-cache", "--diff", "--config", f"{ROOT}/pyproject.toml"],
        ["mypy", "--strict", "--config-file", f"{ROOT}/mypy.ini"],
    ],
    ids=["ruff of this repository", "ruff as it comes", "ruff format", "mypy --strict"],
)
def test_generated_modules_are_clean(tool: list[str], package: Path) -> None:
    code, output = run(sys.executable, "-m", *tool, str(package))
    assert code == 0, output


@pytest.mark.typing
@pytest.mark.timeout(300)
def test_generated_modules_are_clean_for_a_strict_pyright(package: Path) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]
    assert settings["typeCheckingMode"] == "strict"
    others = {name: value for name, value in settings.items() if name not in ("venv", "venvPath")}
    config = package.parent / "pyrightconfig.json"
    config.write_text(json.dumps({**others, "include": [package.name], "extraPaths": [str(ROOT)]}))
    pyright = str(Path(sys.executable).parent / "pyright")
    code, output = run(pyright, "--project", str(config), "--pythonpath", sys.executable)
    assert code == 0, output


def test_pyright_is_told_only_what_it_would_misread() -> None:
    sources = modules()
    told = {
        name: source.split("# pyright: ")[1].splitlines()[0] for name, source in sources.items() if "pyright" in source
    }
    assert told["structs.py"] == "reportUnknownVariableType=false"
    assert told["models.py"] == "reportIncompatibleVariableOverride=false, reportUnknownVariableType=false"
    assert not {"bytes.py", "draft.py", "event_4.py"} & told.keys()
