"""``typed-pubsub dlq`` as its users run it, on every kind of queue."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner, Result

from tests.routing.kit import row
from tests.support.amqp import declare, linked, message, send, take_all, wait_for_count
from tests.support.dead_letters import event, leave
from tests.support.services import celery_app
from typed_pubsub import Event, PubSubConfig, TaskMapping
from typed_pubsub.brokers.letter_box import LetterBox
from typed_pubsub.brokers.letters import OF_BROKER
from typed_pubsub.brokers.letters import UNKNOWN as UNKNOWN_REASON
from typed_pubsub.cli.commands import main
from typed_pubsub.cli.dlq_options import REASONS
from typed_pubsub.cli.service import Service
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.routing import DeadLetter
from typed_pubsub.routing.decisions import Reason

KEY = "dlq.orders.placed"
UNKNOWN = DeadLetter("unknown_event", "no route or row wants this key")
Run = Callable[..., Result]


class OrderPlaced(Event, routing_key=KEY):
    number: int


def should_schedule(key: str, body: Any) -> bool:
    if body["number"] == 13:
        raise LookupError("unlucky")
    return bool(body["number"] != 14)


MAPPING = TaskMapping().add_legacy([row(KEY, "a_task", should_schedule=should_schedule)])


def order(number: Any) -> Delivery:
    body = json.dumps({"number": number}).encode()
    return event(number if isinstance(number, int) else 0, KEY, body)


@pytest.fixture(params=["embedded", *(pytest.param(kind, marks=pytest.mark.broker) for kind in ("classic", "quorum"))])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/broker.db" if kind == "embedded" else str(request.getfixturevalue("vhost_url"))


@pytest.fixture
def put(url: str, kind: str) -> Callable[..., None]:
    return lambda events, *verdict, **how: leave(url, events, *verdict, quorum=kind == "quorum", **how)


def running(url: str) -> Run:
    config = PubSubConfig(MAPPING, lambda: celery_app(url), url, "events", "q")

    def run(*args: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, ["dlq", *args], obj=Service(lambda: config), input=text)

    return run


@pytest.fixture
def run(url: str) -> Run:
    return running(url)


def ids(result: Result) -> list[str]:
    """Of a listing as JSON."""
    return [line["event_id"] for line in json.loads(result.stdout)["letters"]]


def left(url: str, queue: str = "q.dlq") -> list[int]:
    """The numbers of the orders in a queue, which are taken out."""
    return [json.loads(bytes(found.body))["number"] for found in take_all(url, queue)]


def test_there_may_be_no_dead_letter_queue(run: Run) -> None:
    for args in (("list",), ("stats",), ("replay", "--yes"), ("replay", "--dry-run"), ("drop", "--all")):
        result = run(*args)
        told = "there is no dead-letter queue 'q.dlq': no subscriber has declared it\n"
        assert (result.exit_code, result.stdout) == (0, told), args
    assert run("list", "--format", "json").stdout == "null\n"
    assert run("show", "1").exit_code == 2


def test_there_may_be_no_dead_letters(run: Run, put: Callable[..., None]) -> None:
    put([])
    assert run("list").stderr == "0 dead letters in 'q.dlq'\n"
    result = run("replay")
    assert (result.exit_code, result.stdout) == (0, "replayed 0 dead letters of queue 'q'\n")


@pytest.mark.parametrize("command", [("replay",), ("replay", "--yes"), ("replay", "--dry-run"), ("drop", "--yes")])
def test_it_is_said_that_no_dead_letter_matches(run: Run, put: Callable[..., None], command: tuple[str, ...]) -> None:
    put([order(1), order(2)])
    told = "2 dead letters in 'q.dlq', none matches what was asked for: 'dlq list' shows them\n"
    result = run(*command, "--reason", "oversize")
    assert (result.exit_code, result.stderr) == (0, told)


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
    assert [json.loads(line)["event_id"] for line in saved] == listed


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


def test_a_dry_run_tells_what_the_code_at_hand_makes_of_each_and_changes_nothing(
    run: Run, put: Callable[..., None], url: str
) -> None:
    put([order(1), order(13), order(14), order(13), order("x")])
    result = run("replay", "--dry-run")
    assert result.exit_code == 1
    first, _, unlucky, invalid = result.stdout.splitlines()
    assert first == "5 dead letters: 1 would be scheduled, 1 skipped, 3 dead letters again"
    assert unlucky.split()[:3] == ["2", "mapping_error", "event-13"]
    assert invalid.split()[:3] == ["1", "invalid_body", "event-0"]
    wait_for_count(url, "q.dlq", 5)
    assert take_all(url, "q") == []
    told = json.loads(run("replay", "--dry-run", "--id", "event-1", "--format", "json").stdout)
    assert told == {"queue": "q", "tried": 1, "scheduled": 1, "skipped": 0, "failing": [], "missing": 0, "seen": 5}


def test_a_replay_puts_them_on_their_own_queue_only(run: Run, put: Callable[..., None], url: str) -> None:
    put([order(1), order(2)])
    declare(url, "another", events=KEY)
    result = run("replay", "--yes")
    assert (result.exit_code, result.stdout) == (0, "replayed 2 dead letters of queue 'q'\n")
    first, second = take_all(url, "q")
    assert (first.delivery_info["exchange"], first.delivery_info["routing_key"]) == ("", "q")
    assert first.headers["x-pubsub-routing-key"] == KEY
    assert (first.headers["ce-id"], second.headers["ce-id"]) == ("event-1", "event-2")
    assert take_all(url, "another") == []
    assert left(url) == []


def test_it_asks_and_without_anybody_to_ask_wants_to_be_told(run: Run, put: Callable[..., None], url: str) -> None:
    put([order(1)])
    result = run("replay")
    assert result.exit_code == 2
    assert "replay 1 dead letter to queue 'q'? Nobody can be asked here: say --yes." in result.stderr
    result = run("drop", "--all")
    assert result.exit_code == 2
    assert "drop 1 dead letter of queue 'q' for good?" in result.stderr
    assert left(url) == [1]


def test_only_those_that_pass_may_be_replayed_and_the_others_stay_in_order(
    run: Run, put: Callable[..., None], url: str
) -> None:
    put([order(number) for number in (13, 1, 13, 2, 14, 13)])
    result = run("replay", "--yes", "--only-passing")
    assert result.exit_code == 1
    assert "replayed 3 dead letters of queue 'q'" in result.stdout
    assert "3 left, they would be dead letters again" in result.stderr
    assert left(url, "q") == [1, 2, 14]
    assert left(url) == [13, 13, 13]


def test_what_came_after_the_start_is_not_replayed(run: Run, put: Callable[..., None], url: str) -> None:
    put([order(1)], age=-3600)
    put([order(2)])
    result = run("replay", "--yes")
    assert result.exit_code == 1
    assert "1 dead letter left, dead since a moment after the start" in result.stderr
    assert (left(url, "q"), left(url)) == ([2], [1])


def test_without_the_queue_nothing_is_lost(run: Run, put: Callable[..., None], url: str) -> None:
    put([order(1), order(2)])
    with linked(url) as link:
        link.channel().queue_delete("q")
    result = run("replay", "--yes")
    assert result.exit_code == 1
    assert "ended here, the rest is left: no queue takes it" in result.stderr
    assert left(url) == [1, 2]


def test_a_queue_that_is_full_loses_nothing(run: Run, url: str) -> None:
    declare(url, "q", {"x-max-length": 1, "x-overflow": "reject-publish"})
    leave(url, [order(1), order(2), order(3)])
    result = run("replay", "--yes")
    assert result.exit_code == 1
    assert "queue 'q' refuses it: is it full?" in result.stderr
    assert sorted([*left(url, "q"), *left(url)]) == [1, 2, 3]


def test_a_rate_is_kept(run: Run, put: Callable[..., None]) -> None:
    put([order(number) for number in range(5)])
    begun = time.monotonic()
    assert run("replay", "--yes", "--rate", "10").exit_code == 0
    assert time.monotonic() - begun >= 0.4


def test_dropped_they_are_gone_and_saved_first(run: Run, put: Callable[..., None], url: str, tmp_path: Path) -> None:
    put([order(1), order(2), event(3, "a.key", b"\xff")])
    saved = tmp_path / "saved.ndjson"
    saved.write_text("what stood there\n")
    result = run("drop", "--yes", "--key", KEY, "--save", str(saved))
    assert (result.exit_code, result.stdout) == (0, "dropped 2 dead letters of queue 'q'\n")
    before, first, second = saved.read_text().splitlines()
    assert before == "what stood there"
    assert json.loads(first)["body"] == '{"number": 1}'
    assert json.loads(second)["original"]["headers"]["ce-id"] == "event-2"
    (found,) = take_all(url, "q.dlq")
    assert bytes(found.body) == b"\xff"


def test_what_cannot_be_saved_is_not_dropped(run: Run, put: Callable[..., None], url: str, tmp_path: Path) -> None:
    put([order(1)])
    for path in (tmp_path / "there" / "is" / "none", Path("/dev/full")):
        result = run("drop", "--yes", "--all", "--save", str(path))
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {str(path)!r} cannot be written: No s")
    wait_for_count(url, "q.dlq", 1)


def test_to_drop_everything_has_to_be_said(run: Run, put: Callable[..., None], url: str) -> None:
    put([order(1)])
    assert run("drop", "--yes").exit_code == 2
    assert run("drop", "--yes", "--all").exit_code == 0
    assert left(url) == []


def test_those_in_somebody_elses_hands_are_told(run: Run, put: Callable[..., None], url: str) -> None:
    put([order(1), order(2)])
    with linked(url) as link:
        box = LetterBox(link, "q", 2)
        assert len(list(box)) == 2
        result = run("list")
        assert result.exit_code == 0
        box.close()
    told = "somebody else is reading this queue, and may hold more"
    assert result.stderr.splitlines() == ["0 dead letters in 'q.dlq'", told]
    assert told not in run("list").stderr


def test_anything_in_the_queue_is_listed_shown_and_replayed(run: Run, put: Callable[..., None], url: str) -> None:
    put([])
    for odd in (
        message(b"\xff", {"x-death": [{"reason": 5}, "x"], "x-pubsub-original": "{"}),
        message(b"", {"x-pubsub-reason": "made up", "x-pubsub-time": "never", "x-pubsub-event-id": ["x"]}),
        message(b"[1]", {"x-death": [{"reason": "delivery_limit", "queue": "q", "exchange": "", "routing-keys": []}]}),
    ):
        send(url, "", "q.dlq", odd)
    lines = [line.split()[:3] for line in run("list").stdout.splitlines()[1:]]
    assert lines == [["1", "?", "unknown"], ["2", "?", "made"], ["3", "?", "delivery_limit"]]
    for number in ("1", "2", "3"):
        assert run("show", number).exit_code == 0
    assert run("replay", "--dry-run").exit_code == 1
    assert run("replay", "--yes").exit_code == 0
    assert [bytes(found.body or b"") for found in take_all(url, "q")] == [b"\xff", b"", b"[1]"]


@pytest.mark.parametrize(
    "args",
    [
        ("list", "--limit", "0"),
        ("list", "--older-than", "soon"),
        ("list", "--reason", "none"),
        ("replay", "--rate", "0"),
    ],
)
def test_2_for_wrong_usage(args: tuple[str, ...]) -> None:
    assert running("amqp://127.0.0.1:1//")(*args).exit_code == 2


def test_3_for_a_broker_that_is_not_there() -> None:
    for args in (("list",), ("stats",), ("show", "1"), ("replay", "--yes"), ("drop", "--all", "--yes")):
        result = running("amqp://127.0.0.1:1//")(*args)
        assert result.exit_code == 3, args
        assert result.stderr.startswith("Error: no connection to amqp://127.0.0.1:1//")


def test_a_service_without_a_queue_has_no_dead_letters() -> None:
    config = PubSubConfig(broker_url="amqp://127.0.0.1:1//", exchange="events")
    result = CliRunner().invoke(main, ["dlq", "list"], obj=Service(lambda: config))
    assert (result.exit_code, result.stderr) == (2, "Error: dead letters are those of a queue: set QUEUE_NAME\n")
