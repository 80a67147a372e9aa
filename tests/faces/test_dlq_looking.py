"""``typed-pubsub dlq list``, ``show`` and ``stats`` as their users run them, on every kind of queue."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from tests.faces.dead_letters import KEY, UNKNOWN, Run, ids, order, running
from tests.support.amqp import wait_for_count
from tests.support.dead_letters import event, leave
from typed_pubsub.brokers.letters import OF_BROKER
from typed_pubsub.brokers.letters import UNKNOWN as UNKNOWN_REASON
from typed_pubsub.cli.dlq_options import REASONS
from typed_pubsub.routing.decisions import Reason


def test_a_list_tells_number_age_reason_key_id_and_detail_and_takes_none_away(
    run: Run, put: Callable[..., None], url: str
) -> None:
    put([order(1)], age=3 * 3600 + 5)
    put([event(2, "a.key")], UNKNOWN, age=70)
    result = run("list")
    assert [line.split(maxsplit=5) for line in result.stdout.splitlines()[1:]] == [
        ["1", "3h", "mapping_error", KEY, "event-1", "route r: KeyError at m:1 in f"],
        ["2", "1m", "unknown_event", "a.key", "event-2", "no route or row wants this key"],
    ]
    wait_for_count(url, "q.dlq", 2)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), [1, 2, 3, 4]),
        (("--reason", "unknown_event"), [2, 4]),
        (("--reason", "unknown_event", "--reason", "mapping_error"), [1, 2, 3, 4]),
        (("--reason", "oversize"), []),
        (("--key", "dlq.*.placed"), [1, 2]),
        (("--key", "other.#", "--key", KEY), [1, 2, 3, 4]),
        (("--key", "dlq.*"), []),
        (("--older-than", "1h"), [1, 3]),
        (("--newer-than", "1h"), [2, 4]),
        (("--older-than", "30s", "--newer-than", "1h", "--key", "dlq.#"), [2]),
        (("--id", "event-3", "--id", "event-1"), [1, 3]),
        (("--limit", "3"), [1, 2, 3]),
        (("--limit", "1", "--key", "other.#"), [3]),
    ],
)
def test_filters_say_which(tmp_path: Path, options: tuple[str, ...], found: list[int]) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    leave(url, [order(1)], age=7200)
    leave(url, [order(2)], UNKNOWN)
    leave(url, [event(3, "other.key")], age=7200)
    leave(url, [event(4, "other.key.longer")], UNKNOWN)
    listed = ids(running(url)("list", "--format", "json", *options))
    assert listed == [f"event-{number}" for number in found]
    # The same letters are meant when they are taken out.
    dropped = running(url)("drop", "--all", "--yes", "--save", f"{tmp_path}/saved", *options)
    assert dropped.exit_code == 0
    saved = (tmp_path / "saved").read_text().splitlines()
    assert [json.loads(line)["dead_letter"]["event_id"] for line in saved] == listed


def test_every_reason_can_be_asked_for() -> None:
    assert (*get_args(Reason), *OF_BROKER, UNKNOWN_REASON) == REASONS


def test_a_long_list_is_cut_and_says_so(run: Run, put: Callable[..., None]) -> None:
    put([order(number) for number in range(120)])
    result = run("list")
    assert len(result.stdout.splitlines()) == 101
    assert result.stderr == "120 dead letters in 'q.dlq', 100 shown: --limit shows more\n"
    assert len(ids(run("list", "--limit", "110", "--format", "json"))) == 110


def test_one_is_shown_by_its_number_or_its_event_id_with_its_body(run: Run, put: Callable[..., None]) -> None:
    put([order(1), order(2), event(3, KEY, b"\xff\x00abc"), event(4, KEY, b"x\x1b[31m" + b"y" * 5000)])
    for which in ("2", "event-2"):
        shown = run("show", which).stdout
        assert "reason      mapping_error\n" in shown
        assert "  ce-source: shop\n" in shown
        assert shown.endswith('body, 13 bytes\n{\n  "number": 2\n}\n')
    assert "000000  ff 00 61 62 63                                   ..abc" in run("show", "3").stdout
    cut = run("show", "4").stdout
    assert "\x1b" not in cut
    assert cut.endswith("\n... 910 more: --full\n")
    assert "more: --full" not in run("show", "4", "--full").stdout
    told = json.loads(run("show", "3", "--format", "json").stdout)
    assert (told["position"], told["body_base64"], told["original"]["headers"]["ce-id"]) == (3, "/wBhYmM=", "event-3")
    missing = run("show", "9")
    assert missing.exit_code == 2
    assert "no dead letter '9' of queue 'q'" in missing.stderr


def test_stats_count_by_reason_and_key(run: Run, put: Callable[..., None]) -> None:
    put([order(1)], age=7200)
    put([order(2), order(3)], age=70)
    put([event(4, "a.key")], UNKNOWN)
    result = run("stats")
    assert [line.split() for line in result.stdout.splitlines()[1:]] == [
        ["3", "mapping_error", KEY, "2h", "1m"],
        ["1", "unknown_event", "a.key", "1m", "1m"],
    ]
    told = json.loads(run("stats", "--key", "a.*", "--format", "json").stdout)
    assert (told["count"], told["meant"], len(told["groups"])) == (4, 1, 1)
