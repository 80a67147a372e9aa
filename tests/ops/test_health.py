"""What a health file means, from both sides of each threshold; whatever stands in it, there is an answer."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typed_pubsub.handoff.health import State
from typed_pubsub.ops.health import MAX_AGE, MAX_SILENCE, MAX_WAITING, Health, judge, judge_file, read_state

NOW = 1_764_040_000.0
WRITTEN: dict[str, Any] = {
    "time": NOW,
    "pid": 123,
    "queue": "q",
    "consuming": True,
    "in_flight": 3,
    "waiting": 0.4,
    "last_round_trip": 0.8,
    "last_confirm": 2.5,
    "outcomes": {"scheduled": 10, "dead-lettered": 1, "faults": 0},
    "dead_letters": 1,
}
GOOD = State(**WRITTEN)
SUMMARY = "consuming 'q', 3 in flight, last round trip 0.8 s ago, 10 scheduled, 1 dead-lettered"


def test_a_subscriber_that_works_is_healthy() -> None:
    assert judge(GOOD, NOW) == Health(SUMMARY, (), GOOD)
    assert str(judge(GOOD, NOW)) == f"healthy: {SUMMARY}"


def test_an_idle_one_that_has_had_nothing_to_confirm_is_healthy_too() -> None:
    idle = replace(GOOD, in_flight=0, waiting=0.0, last_confirm=None, outcomes={}, dead_letters=0)
    assert str(judge(idle, NOW + 1.2)) == "healthy: consuming 'q', 0 in flight, last round trip 2.0 s ago"


@pytest.mark.parametrize(
    ("state", "age"),
    [
        (replace(GOOD, last_round_trip=0.0), MAX_AGE),
        (replace(GOOD, last_round_trip=MAX_SILENCE), 0.0),
        (replace(GOOD, last_round_trip=MAX_SILENCE - 4), 4.0),
        (replace(GOOD, waiting=MAX_WAITING), 0.0),
        # The clock was set back a little.
        (replace(GOOD, last_round_trip=MAX_SILENCE), -MAX_AGE),
    ],
)
def test_up_to_a_threshold_it_is_healthy(state: State, age: float) -> None:
    assert judge(state, NOW + age).ok


@pytest.mark.parametrize(
    ("state", "age", "problem"),
    [
        (GOOD, 10.6, "the health file is 11 s old (at most 10): the subscriber is gone or stands still"),
        (GOOD, -11, "the health file is from 11 s ahead: the clock was set back, and nobody has written it since"),
        (GOOD, -1e300, f"the health file is from {1e300:.0f} s ahead: the clock was set back, "),
        (replace(GOOD, last_round_trip=None), 0, "the event broker has never answered"),
        (replace(GOOD, last_round_trip=11), 0, "the event broker has not answered for 11 s (at most 10)"),
        (replace(GOOD, last_round_trip=6.5), 4.5, "the event broker has not answered for 11 s (at most 10)"),
        (replace(GOOD, consuming=False), 0, "not consuming 'q': the event broker or Celery's broker is away"),
        (replace(GOOD, waiting=75.2), 0, "in hand for 75 s: Celery's broker does not take its tasks"),
    ],
)
def test_beyond_a_threshold_it_is_not_and_says_why(state: State, age: float, problem: str) -> None:
    health = judge(state, NOW + age)
    assert not health.ok
    (told,) = health.problems
    assert told.startswith(problem)
    assert str(health) == f"unhealthy: {told}"


def test_every_problem_is_told() -> None:
    deaf = replace(GOOD, consuming=False, last_round_trip=90.0, waiting=90.0)
    assert len(judge(deaf, NOW + 100).problems) == 4


def test_a_file_is_judged_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    path.write_text(json.dumps(WRITTEN | {"of_a_later_release": [1]}))
    assert read_state(path) == GOOD
    assert judge_file(path, NOW) == judge(GOOD, NOW)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "is no health file of a subscriber: Input data was truncated"),
        ("[1]", "is no health file of a subscriber: Expected `object`, got `array`"),
        ("{}", "is no health file of a subscriber: Object missing required field"),
        (json.dumps(WRITTEN | {"consuming": 1}), "Expected `bool`, got `int` - at `$.consuming`"),
        (json.dumps(WRITTEN | {"time": None}), "Expected `float`, got `null` - at `$.time`"),
        (json.dumps(WRITTEN | {"time": float("nan")}), "JSON is malformed"),
        (json.dumps(WRITTEN | {"time": 10**400}), "Number out of range - at `$.time`"),
        (json.dumps(WRITTEN | {"outcomes": {"scheduled": "many"}}), "Expected `int`, got `str` - at `$.outcomes[...]`"),
        (json.dumps(WRITTEN | {"more": "x" * 70_000}), "is no health file of a subscriber"),
        (
            json.dumps(WRITTEN)[:-1] + ', "more": ' + "[" * 30_000 + "]" * 30_000 + "}",
            "is no health file of a subscriber",
        ),
    ],
)
def test_a_file_of_anything_else_is_a_problem(written: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    path.write_text(written)
    health = judge_file(path, NOW)
    assert health.state is None
    assert problem in str(health)
    assert "nobody else may write PUBSUB_HEALTH_FILE" in str(health)


def test_a_file_that_is_not_there_or_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    missing = f"unhealthy: there is no health file {str(path)!r}: has the subscriber started, with PUBSUB_HEALTH_FILE"
    assert str(judge_file(path, NOW)).startswith(missing)
    assert "cannot be read: [Errno 21] Is a directory" in str(judge_file(tmp_path, NOW))
    assert "cannot be read: " in str(judge_file(Path("\0"), NOW))


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from(list(WRITTEN)), VALUES), st.floats(allow_nan=False), st.binary() | st.none())
def test_there_is_an_answer_to_anything(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any], now: float, raw: bytes | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(json.dumps(WRITTEN | changes).encode() if raw is None else raw)
    health = judge_file(path, now)
    assert health.ok == (not health.problems)
    assert str(health)


def write_whole(path: Path, *, age: float = 0.0, processes: int = 2) -> Path:
    path.write_text(json.dumps({"time": NOW - age, "pid": 1, "processes": processes}))
    for number in range(1, processes + 1):
        path.with_name(f"{path.name}.{number}").write_text(json.dumps(WRITTEN))
    return path


def test_a_supervisors_file_speaks_for_those_of_all_its_processes(tmp_path: Path) -> None:
    found = judge_file(write_whole(tmp_path / "health.json"), NOW)
    assert str(found) == f"healthy: 2 processes; 1: {SUMMARY}; 2: {SUMMARY}"
    assert [one.state for one in found.processes] == [GOOD, GOOD]


def test_one_process_that_does_not_work_makes_the_whole_unhealthy(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "health.json")
    (tmp_path / "health.json.2").write_text(json.dumps({**WRITTEN, "consuming": False}))
    (tmp_path / "health.json.3").write_text("left by a third one, earlier")
    found = judge_file(path, NOW)
    assert found.problems == ("process 2: not consuming 'q': the event broker or Celery's broker is away",)


def test_a_process_that_has_written_nothing_yet_is_missed(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "health.json")
    (tmp_path / "health.json.1").unlink()
    (problem,) = judge_file(path, NOW).problems
    assert problem.startswith("process 1: there is no health file")


def test_a_supervisor_that_is_gone_is_missed_too(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "health.json", age=10.6)
    assert judge_file(path, NOW).problems == (
        "the health file is 11 s old (at most 10): the supervisor is gone or stands still",
    )


@pytest.mark.parametrize("processes", ["two", None, 2.5, -1])
def test_a_whole_of_no_number_of_processes_is_answered_all_the_same(processes: Any, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    path.write_text(json.dumps({"time": NOW, "pid": 1, "processes": processes}))
    assert not judge_file(path, NOW).ok
