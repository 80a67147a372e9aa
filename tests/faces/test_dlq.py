"""``typed-pubsub dlq`` as its users run it, on every kind of queue."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.faces.dead_letters import KEY, Run, left, order, running
from tests.routing.kit import row
from tests.support.amqp import declare, linked, message, send, take_all, wait_for_count
from tests.support.dead_letters import event, leave
from tests.support.services import celery_app
from typed_pubsub import PubSubConfig, TaskMapping
from typed_pubsub.brokers.letter_box import LetterBox
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.cli.commands import main
from typed_pubsub.cli.service import Service
from typed_pubsub.events.delivery import Delivery


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


def test_a_dry_run_tells_of_tasks_that_do_not_take_their_arguments_and_only_passing_leaves_their_letters(
    url: str, put: Callable[..., None]
) -> None:
    def a_task(number: int) -> None: ...

    app = celery_app(url)
    app.task(name="a_task", shared=False)(a_task)
    args: Any = lambda key, body: ([0] * body["number"], {})  # noqa: E731  # as rows are written
    run = running(url, TaskMapping().add_legacy([row(KEY, "a_task", get_args=args)]), app)
    put([order(1), order(2), order("x")])
    result = run("replay", "--dry-run")
    assert result.exit_code == 1
    first, _, *failing = result.stdout.splitlines()
    assert first == "3 dead letters: 1 would be scheduled, 0 skipped, 1 dead letters again, 1 scheduled in vain"
    assert "the task does not take these arguments" in next(line for line in failing if "event-2" in line)
    result = run("replay", "--yes", "--only-passing")
    assert result.exit_code == 1
    assert "1 left, they would be scheduled in vain" in result.stderr
    assert left(url, "q") == [1]
    assert run("replay", "--yes").exit_code == 0
    assert left(url, "q") == [2, "x"]


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
    assert json.loads(first)["body"] == {"number": 1}
    assert json.loads(first)["dead_letter"]["reason"] == "mapping_error"
    assert json.loads(second)["headers"]["ce-id"] == "event-2"
    (found,) = take_all(url, "q.dlq")
    assert bytes(found.body) == b"\xff"


def test_what_was_dropped_and_saved_can_be_published_again_to_every_queue(
    run: Run, put: Callable[..., None], url: str, tmp_path: Path
) -> None:
    put([order(1), Delivery(KEY, b"\xff", "event-2", "events")])
    saved = tmp_path / "saved.ndjson"
    assert run("drop", "--yes", "--all", "--save", str(saved)).exit_code == 0
    config = PubSubConfig(broker_url=url, exchange="events")
    with linked(url) as link:
        Topology("events", "another", ("#",)).ensure(link)

    def replay(*args: str) -> Result:
        return CliRunner().invoke(main, ["replay", str(saved), *args], obj=Service(lambda: config))

    assert "2 of these were dead letters of one queue; all queues get them. Publish 2 events to" in replay().stderr
    assert replay("--yes").stdout == "replayed 2 of 2 events\n"
    first, second = take_all(url, "another")
    assert (bytes(first.body), first.headers["ce-id"]) == (b'{"number": 1}', "event-1")
    assert first.delivery_info["routing_key"] == second.delivery_info["routing_key"] == KEY
    assert (bytes(second.body), second.properties["message_id"]) == (b"\xff", "event-2")
    assert not [name for name in (*first.headers, *second.headers) if name.startswith("x-")]


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
