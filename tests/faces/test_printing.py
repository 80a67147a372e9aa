"""What commands print, also where rich is not installed, and the spans of time that they read."""

import click
import pytest

from typed_pubsub.cli import printing
from typed_pubsub.cli.durations import duration, spell
from typed_pubsub.cli.printing import progress
from typed_pubsub.cli.tables import show_table, table_lines


@pytest.fixture
def without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "has_rich", lambda: False)


KEY = "warehouse.shipments.international.dispatched"
COLUMNS = ("#", "key", "detail")
ROWS = [("1", "a.b", ""), ("2", KEY, "$.order.number: Input should be a valid integer, got str")]


def test_a_table_without_a_terminal_has_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("key", "count"), [("a.b", "1"), ("a.long.key", "[20]")])
    assert capsys.readouterr().out == "key         count\na.b         1\na.long.key  [20]\n"


def test_a_column_is_folded_between_words_where_the_terminal_is_narrow() -> None:
    assert [*map(click.unstyle, table_lines(COLUMNS, ROWS, 80))] == [
        f"#  {'key':44}  detail",
        "1  a.b",
        f"2  {KEY}  $.order.number: Input should be",
        f"{'':49}a valid integer, got str",
    ]


def test_a_long_word_of_a_detail_is_broken_rather_than_the_table() -> None:
    rows = [("1", KEY, "my_service.pubsub.mapping.raise_invoice failed")]
    assert [*map(click.unstyle, table_lines(COLUMNS, rows, 74))] == [
        f"#  {'key':44}  detail",
        f"1  {KEY}  my_service.pubsub.mapping",
        f"{'':49}.raise_invoice failed",
    ]


def test_where_words_do_not_fit_beside_one_another_each_row_is_a_block() -> None:
    assert [*table_lines(COLUMNS, ROWS, 60)] == [
        "#       1",
        "key     a.b",
        "",
        "#       2",
        f"key     {KEY}",
        "detail  $.order.number: Input should be a valid integer, got",
        "        str",
    ]


@pytest.mark.parametrize("width", [1, 20, 40, 60, 61, 62, 63, 64, 65, 79, 80, 110, 1_000])
def test_no_width_breaks_a_word(width: int) -> None:
    lines = [*map(click.unstyle, table_lines(COLUMNS, ROWS, width))]
    words = {word for line in lines for word in line.split()}
    assert words == {word for row in (COLUMNS, *ROWS) for cell in row for word in cell.split()}
    if width >= len("detail  ") + len(KEY):
        assert max(map(len, lines)) <= width


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
