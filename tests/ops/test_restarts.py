"""What a supervisor does about a process that has ended."""

from dataclasses import replace

import pytest

from typed_pubsub.ops.restarts import AfterChange, Again, Ended, GiveUp, exit_code, judge

CRASHED = Ended(code=1, lived=0.5, is_first=True, has_read_settings=False, failures=0)


def test_the_pauses_double_up_to_half_a_minute() -> None:
    pauses: list[float] = []
    failures = 0
    for _ in range(9):
        verdict = judge(replace(CRASHED, is_first=not pauses, failures=failures), reload=False)
        assert isinstance(verdict, Again)
        failures = verdict.failures
        pauses.append(verdict.pause)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_however_often_it_fails_the_pause_is_a_number() -> None:
    assert judge(replace(CRASHED, failures=100_000), reload=False) == Again(30, 100_001)


def test_after_a_minute_of_life_what_went_wrong_before_is_forgotten() -> None:
    assert judge(replace(CRASHED, failures=5, lived=59.9), reload=False) == Again(16, 6)
    assert judge(replace(CRASHED, failures=5, lived=60.0), reload=False) == Again(0.5, 1)


@pytest.mark.parametrize("code", [-9, 0, 1, 4, 137])
def test_whatever_else_it_ends_with_it_is_started_again(code: int) -> None:
    assert judge(replace(CRASHED, code=code), reload=False) == Again(0.5, 1)


@pytest.mark.parametrize("code", [2, 10])
@pytest.mark.parametrize("is_first", [True, False])
def test_wrong_settings_and_a_refused_queue_end_the_whole(code: int, is_first: bool) -> None:
    assert judge(replace(CRASHED, code=code, is_first=is_first), reload=False) == GiveUp(code)


def test_no_connection_ends_the_whole_only_at_the_first_start() -> None:
    assert judge(replace(CRASHED, code=3), reload=False) == GiveUp(3)
    assert judge(replace(CRASHED, code=3, is_first=False), reload=False) == Again(0.5, 1)


@pytest.mark.parametrize("code", [1, 2])
def test_who_works_on_the_code_is_waited_for(code: int) -> None:
    assert judge(replace(CRASHED, code=code), reload=True) == AfterChange()


def test_with_reload_too_a_process_that_was_killed_is_started_again_and_wrong_settings_are_not() -> None:
    assert judge(replace(CRASHED, code=-9, has_read_settings=True), reload=True) == Again(0.5, 1)
    assert judge(replace(CRASHED, code=2, has_read_settings=True), reload=True) == AfterChange()


@pytest.mark.parametrize(("codes", "whole"), [([], 0), ([0, 0], 0), ([0, 4, 1], 4), ([0, -9], 137)])
def test_the_whole_ends_well_if_all_did(codes: list[int], whole: int) -> None:
    assert exit_code(codes) == whole
