"""The benchmark's own logic: what it concludes from what it measured, and what it counts on a queue."""

from pathlib import Path

import pytest

from benchmarks import grown
from benchmarks.aims import judge
from benchmarks.broker import EVENTS, Bench
from benchmarks.check import instructions, ratios
from benchmarks.contenders import CONSUMERS, HAND_OFF, PUBLISHERS, SUBSCRIBERS
from benchmarks.drain import Drain
from benchmarks.events import BODY_BYTES, SIZES, make
from benchmarks.grown import Growth, Point
from benchmarks.report import markdown, written
from benchmarks.results import Line, Results, Waits, percentile
from typed_pubsub.events.keyed import write_event

OURS, OTHER = "Subscriber, Event", "hand-written, unconfirmed"
SETTING = {"command": "x", "cores": 2, "cpu": "a", "system": "b", "rounds": 3, "versions": {"Python": "3"}}


def results(ours: float, other: float) -> Results:
    lines = [
        Line(HAND_OFF, OURS, BODY_BYTES, ours=True, rates=[1.0, ours, 1e9], cpu=[30.0], rss=[50.0]),
        Line(HAND_OFF, OTHER, BODY_BYTES, rates=[other], cpu=[100.0], rss=[50.0]),
        Line(HAND_OFF, "C client", BODY_BYTES, missing="no C compiler"),
    ]
    return Results(dict(SETTING), lines, [Waits("publish() to task", OURS, load=0.5, p50=[0.01], p99=[0.049])])


@pytest.mark.parametrize("kind", ["Event", "StructEvent"])
@pytest.mark.parametrize("size", SIZES)
def test_events_of_all_kinds_have_the_same_bytes(kind: str, size: int) -> None:
    (event,) = make(kind, 1, size, first=7)
    (other,) = make("Event", 1, size, first=7)
    assert write_event(event)[1] == write_event(other)[1]
    assert len(write_event(event)[1]) == size


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [50.0, 99.0, 100.0]
    assert percentile([3.0], 0.99) == 3.0


def test_aims_are_judged_by_medians_and_only_where_both_were_measured() -> None:
    verdicts = {verdict.aim: verdict.met for verdict in judge(results(2_500, 1_000))}
    assert verdicts == {
        "hand-off: Subscriber, Event >= 2.5x hand-written, unconfirmed": True,
        "hand-off, CPU an event: <= 0.33x hand-written, unconfirmed": True,
        "p99 from publish() to the task at half load: < 50 ms": True,
    }
    assert not next(iter(judge(results(2_400, 1_000)))).met


def test_two_processes_are_judged_only_where_there_is_a_core_to_spare() -> None:
    points = [Point("processes", "1", rates=[10.0], busy=[1.9]), Point("processes", "2", rates=[11.0], busy=[2.0])]
    (busy,) = grown.judge(Growth({"cores": 2}, points))
    (spare,) = grown.judge(Growth({"cores": 8}, points))
    assert (busy.met, busy.word) == (None, "no core to spare: one process and its broker use 1.9 of 2")
    assert (spare.met, spare.word) == (False, "**missed**")


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    results(2, 1).write(tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json") == results(2, 1)


def test_the_check_finds_what_became_slower() -> None:
    limits = {"ratios": {f"hand-off: {OURS} / {OTHER}": 1.5}, "cpu": {f"hand-off: {OURS} / {OTHER}": 0.2}}
    assert [finding.good for finding in ratios(results(1_600, 1_000), limits)] == [True, False]
    found = instructions({"a": 109, "b": 111, "new": 1}, {"a": 100, "b": 100, "gone": 1}, 0.1)
    assert {finding.name: finding.good for finding in found} == {"a": True, "b": False, "new": False, "gone": False}


def test_a_report_goes_between_the_markers_and_names_who_is_missing() -> None:
    page = "before\n<!-- benchmarks: how -->\nold\n<!-- /benchmarks -->\nafter\n"
    new = written(page, "\n".join(markdown(results(2, 1), None)))
    assert new.startswith("before\n<!-- benchmarks: how -->\n\n`x`")
    assert new.endswith("<!-- /benchmarks -->\nafter\n")
    assert "| C client | no C compiler |" in new
    assert "old" not in new
    with pytest.raises(ValueError, match="no markers"):
        written("nothing", "new")


def test_names_of_contenders_are_told_apart() -> None:
    everybody = [(one.work, one.name) for one in (*PUBLISHERS, *SUBSCRIBERS, *CONSUMERS)]
    assert len(set(everybody)) == len(everybody)


@pytest.mark.parametrize("size", SIZES)
def test_the_drain_counts_every_message_and_every_id_once(vhost_url: str, size: int) -> None:
    with Bench(vhost_url) as bench:
        bench.fill(1_500, size=size)
        bench.fill(10, size=size)
        drain = Drain(vhost_url, EVENTS)
        drain.wait(1_510, 30)
        drain.close()
    assert (drain.count, len(drain.ids)) == (1_510, 1_500)
