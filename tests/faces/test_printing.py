"""What commands print where rich is not installed, and the spans of time that they read."""

import click
import pytest

from typed_pubsub.cli import printing
from typed_pubsub.cli.durations import duration, spell
from typed_pubsub.cli.printing import progress, show_table


@pytest.fixture
def without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "has_rich", lambda: False)


def test_a_table_is_aligned_without_rich(without_rich: None, capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("key", "count"), [("a.b", "1"), ("a.long.key", "[20]")])
    assert capsys.readouterr().out == "key         count\na.b         1\na.long.key  [20]\n"


def test_progress_is_told_in_lines_without_rich(
    without_rich: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "_TELL_EVERY", 0.0)
    with progress("replayed", 3_000) as advance:
        advance(1_500)
        advance.say("a line beside it")
    assert capsys.readouterr().err == "replayed: 1,500 of 3,000\na line beside it\n"


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5m", 90), ("2h", 7_200), ("7d", 604_800)])
def test_a_span_of_time_is_read(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["5", "", "h", "1x", "-1s", "1h30m"])
def test_a_number_without_a_unit_is_no_span_of_time(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected such as 90s, 15m, 2h or 7d"):
        duration(text)


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0s"), (59.9, "59s"), (60, "1m"), (7_199, "1h"), (86_400, "1d")])
def test_a_span_of_time_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert spell(seconds) == text
