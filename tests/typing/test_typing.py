"""The type checkers' verdict on correct use (good.py: none) and on wrong use (negative.py: line by line)."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.typing import good
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.keyed import write_event
from typed_pubsub.routing import Policy, RoutingTable, Schedule

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NEGATIVE = HERE / "negative.py"
Found = dict[tuple[str, int], set[str]]

# What pyright adds on a line because the types after the first mistake are gone. On any other line they are errors.
_AFTERMATH = re.compile(r"reportUnknown\w+|reportUntypedFunctionDecorator")


def marked(checker: str) -> Found:
    """The codes that NEGATIVE promises for ``checker`` (M or P), by file and line."""
    marks = ((number, re.search(rf"# .*\b{checker}:([\w,-]+)", line)) for number, line in _lines())
    return {(NEGATIVE.name, number): set(mark[1].split(",")) for number, mark in marks if mark is not None}


def _lines() -> list[tuple[int, str]]:
    # The first line is the docstring, which explains the marks.
    return list(enumerate(NEGATIVE.read_text().splitlines(), 1))[1:]


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, f"the checker did not find errors, or could not run:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_there_are_at_least_thirty_wrong_lines_and_both_checkers_see_each() -> None:
    assert len(marked("M")) >= 30
    assert marked("M").keys() == marked("P").keys()


@pytest.mark.typing
@pytest.mark.timeout(300)
def test_mypy_finds_exactly_the_marked_errors() -> None:
    options = ["--strict", "--no-pretty", "--hide-error-context"]
    output = run(sys.executable, "-m", "mypy", *options, str(HERE / "good.py"), str(NEGATIVE))
    found: Found = defaultdict(set)
    for path, line, code in re.findall(r"^(.+?):(\d+):(?:\d+:)? error: .*\[([\w-]+)\]$", output, re.MULTILINE):
        found[Path(path).name, int(line)].add(code)
    assert found == marked("M")


@pytest.mark.typing
@pytest.mark.timeout(300)
def test_pyright_finds_exactly_the_marked_errors() -> None:
    pyright = Path(sys.executable).parent / "pyright"
    output = run(str(pyright), "--project", str(HERE), "--pythonpath", sys.executable, "--outputjson")
    wanted = marked("P")
    found: Found = defaultdict(set)
    diagnostics: list[dict[str, Any]] = json.loads(output)["generalDiagnostics"]
    for error in diagnostics:
        place = Path(error["file"]).name, error["range"]["start"]["line"] + 1
        rule: str = error.get("rule", error["message"])
        if place not in wanted or rule in wanted[place] or not _AFTERMATH.fullmatch(rule):
            found[place].add(rule)
    assert found == wanted


def test_what_the_checkers_accept_runs() -> None:
    table = RoutingTable(good.mapping, good.REGISTRY, Policy("app2"))
    match_id = UUID(int=1)
    kickoff = datetime(2026, 8, 1, tzinfo=UTC)
    published = good.MatchesPublished(match_id=match_id, competition="c", kickoff=kickoff, title="final")
    assert tasks_of(table, published) == [
        *(f"{good.__name__}.execute_script", "query.tasks.execute_script", f"{good.__name__}.store"),
        *("query.tasks.execute_script", f"{good.__name__}.store", "query.tasks.index"),
    ]
    deleted = good.MatchesDeleted(match_id=match_id)
    names = ["store", "forget", "execute_script", "execute_script", "execute_script", "forget"]
    assert tasks_of(table, deleted) == [
        *("query.tasks.execute_script", *(f"{good.__name__}.{name}" for name in names), "query.tasks.index"),
    ]
    loaded = good.TableLoaded(source="a", table="b", rows=1)
    assert tasks_of(table, loaded) == [f"{good.__name__}.count_goals", "query.tasks.execute_script"]
    assert len(tasks_of(table, good.ScoreChanged(match_id=1, home=2))) == 4
    assert len(tasks_of(table, good.PriceChanged(old=1, new=2))) == 1
    for version, body in (("1", b'{"id":1}'), ("2", b'{"match":1}'), ("3", b'{"match_id":1}')):
        scored = Delivery("goals.scored", body, "r1", "events", {"ce-schemaversion": version})
        assert tasks_in(table, scored) == [f"{good.__name__}.count_goals"]


def tasks_of(table: RoutingTable, event: Any) -> list[str]:
    key, body = write_event(event)
    return tasks_in(table, Delivery(key, body, "r1", "events"))


def tasks_in(table: RoutingTable, delivery: Delivery) -> list[str]:
    decision = table.decide(delivery)
    assert isinstance(decision, Schedule), decision
    return [made.task for made in decision.calls]
