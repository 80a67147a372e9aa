"""publish, tail, record and replay, as their users run them, on both brokers."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.faces.conftest import Service as Files
from tests.support.children import Child
from tests.support.rabbit import broker, eventually, get
from typed_pubsub import Event, Publisher, PublishFailed, PubSubConfig
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology, ensure_exchange
from typed_pubsub.cli.commands import main
from typed_pubsub.cli.service import Service


class OrderPlaced(Event, routing_key="streams.orders.placed"):
    order: int
    note: str = ""


KEY = "streams.orders.placed"


@pytest.fixture
def config(broker_url: str) -> PubSubConfig:
    return PubSubConfig(broker_url=broker_url, exchange="events", source="shop")


@pytest.fixture
def exchange(config: PubSubConfig) -> str:
    """The exchange, of which no queue takes anything."""
    link = EventBroker(config.broker_url).connect(10)
    ensure_exchange(link, "events")
    link.close()
    return "events"


@pytest.fixture
def queue(config: PubSubConfig) -> str:
    """A queue that takes everything."""
    link = EventBroker(config.broker_url).connect(10)
    Topology("events", "all", ("#",)).ensure(link)
    link.close()
    return "all"


@pytest.fixture
def run(config: PubSubConfig) -> Callable[..., Result]:
    def run(*args: str, **how: Any) -> Result:
        return CliRunner().invoke(main, args, obj=Service(lambda: config), **how)

    return run


@contextmanager
def beside(run: Callable[..., Result], *args: str) -> Iterator[Future[Result]]:
    """A command in a thread; it has begun when this is entered."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run, *args)


def publish_when_seen(config: PubSubConfig, event: Event) -> str:
    """Publishes once somebody is there to take it."""
    with Publisher(PubSubConfig(broker_url=config.broker_url, exchange="events", unroutable="raise")) as publisher:

        def publish() -> str | None:
            try:
                return publisher.publish(event)
            except PublishFailed:
                return None

        return str(eventually(publish, what="somebody who takes the event"))


def test_an_event_is_published_as_the_model_writes_it(
    run: Callable[..., Result], config: PubSubConfig, queue: str
) -> None:
    result = run("publish", KEY, '{"order": 7}')
    assert result.exit_code == 0, result.output
    message = get(config.broker_url, queue)
    assert message.body == b'{"order":7,"note":""}'
    assert message.headers["ce-id"] == result.stdout.strip()


def test_a_body_may_come_from_a_file_or_from_standard_input(
    run: Callable[..., Result], config: PubSubConfig, queue: str, tmp_path: Path
) -> None:
    (tmp_path / "body.json").write_text('{"order": 1}')
    assert run("publish", KEY, f"@{tmp_path}/body.json", "--id", "mine").stdout == "mine\n"
    assert run("publish", KEY, "-", input='{\n"order": 2\n}').exit_code == 0
    assert [json.loads(get(config.broker_url, queue).body)["order"] for _ in range(2)] == [1, 2]


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        ((KEY, '{"order": "x"}'), 1, "$.order"),
        ((KEY, '{"orde": 1}'), 1, "$.orde: expected only fields"),
        ((KEY, "{"), 1, "expected JSON"),
        ((KEY, "[1]"), 1, "$: expected a dict, got list"),
        ((KEY, "@/no/such/file"), 2, "cannot be read"),
        ((KEY, "{}", "--many", "--id", "x"), 2, "--id is for one event"),
        (("streams.*.#", "{}"), 2, "a routing key, not a pattern: * and # are for binding keys"),
        (("streams..placed", "{}"), 2, "a word is empty"),
        (("", "{}"), 2, "a word is empty"),
        (("a" * 256, "{}"), 2, "AMQP carries at most 255"),
    ],
)
def test_what_is_wrong_is_said(
    run: Callable[..., Result], queue: str, args: tuple[str, ...], code: int, text: str
) -> None:
    result = run("publish", *args)
    assert (result.exit_code, text in result.stderr) == (code, True), result.output


def test_many_events_are_published_up_to_the_line_that_is_wrong(
    run: Callable[..., Result], config: PubSubConfig, queue: str
) -> None:
    result = run("publish", KEY, "-", "--many", input='{"order": 1}\n\n{"order": 2}\n{"order": "x"}\n{"order": 4}\n')
    assert result.exit_code == 1
    assert "2 events were confirmed before this; this is line 4" in result.stderr
    assert [json.loads(get(config.broker_url, queue).body)["order"] for _ in range(2)] == [1, 2]
    assert run("publish", KEY, "-", "--many", input='{"order": 5}\n' * 3).stdout == "published 3 events\n"


def test_tail_shows_what_passes_and_takes_nothing(run: Callable[..., Result], config: PubSubConfig, queue: str) -> None:
    count = 0
    with (
        beside(run, "tail", "--key", "streams.#", "--decode", "--limit", "2", "--for", "60s") as tail,
        Publisher(config) as publisher,
    ):
        # Whatever passes before tail is there is not shown.
        while not tail.done():
            publisher.publish(OrderPlaced(order=count, note="[bold]"))
            count += 1
    result = tail.result()
    assert result.exit_code == 0, result.output
    heads = [line for line in result.stdout.splitlines() if line[:1].isdigit()]
    assert len(heads) == 2
    assert all(f"  {KEY}  " in head and "  shop  " in head for head in heads)
    assert "OrderPlaced" in result.stdout
    assert '"note": "[bold]"' in result.stdout
    assert [json.loads(get(config.broker_url, queue).body)["order"] for _ in range(count)] == [*range(count)]


def test_without_decode_no_body_is_shown(run: Callable[..., Result], config: PubSubConfig, exchange: str) -> None:
    with beside(run, "tail", "--limit", "1") as tail:
        publish_when_seen(config, OrderPlaced(order=1, note="s3cret"))
    assert "21 B" not in tail.result().stdout
    assert "s3cret" not in tail.result().output
    assert KEY in tail.result().stdout


@pytest.mark.parametrize("args", [("tail",), ("record", "FILE"), ("replay", "/dev/null")])
def test_a_pattern_that_amqp_cannot_carry_is_refused(run: Callable[..., Result], args: tuple[str, ...]) -> None:
    result = run(*args, "--key", "ö" * 128)
    assert result.exit_code == 2
    assert "takes 256 bytes, and AMQP carries at most 255" in result.stderr


def test_without_an_exchange_there_is_nothing_to_watch(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("tail")
    assert result.exit_code == 10
    assert "there is no exchange 'events': no publisher or subscriber has declared it" in result.stderr


def test_what_is_recorded_can_be_replayed_under_the_same_ids(
    run: Callable[..., Result], config: PubSubConfig, queue: str, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    command = ("record", str(file), "--key", "streams.#", "--limit", "3")
    with beside(run, *command) as record, Publisher(config) as publisher:
        while not record.done():
            publisher.publish(OrderPlaced(order=1))
    assert record.result().stdout == f"recorded 3 events to {file}\n"
    recorded = [json.loads(line) for line in file.read_text().splitlines()]
    ids = [one["headers"]["ce-id"] for one in recorded]
    assert [one["body"] for one in recorded] == [{"order": 1, "note": ""}] * 3
    while get_now(config.broker_url, queue) is not None:
        pass

    assert run("replay", str(file), "--key", "other.#", "--yes").stdout == "replayed 0 of 0 events\n"
    result = run("replay", str(file), "--yes", "--rate", "100", "--format", "json")
    assert json.loads(result.stdout) == {"replayed": 3, "of": 3}
    assert [get(config.broker_url, queue).headers["ce-id"] for _ in range(3)] == ids
    assert run("replay", str(file), "--yes", "--new-ids").exit_code == 0
    assert not {get(config.broker_url, queue).headers["ce-id"] for _ in range(3)} & {*ids}


def test_a_recording_has_more_than_the_broker_sends_ahead(
    run: Callable[..., Result], config: PubSubConfig, exchange: str, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    with beside(run, "record", str(file), "--limit", "1300") as record, Publisher(config) as publisher:
        publish_when_seen(config, OrderPlaced(order=0))
        publisher.publish_many([OrderPlaced(order=number) for number in range(1, 1300)])
    assert record.result().exit_code == 0, record.result().output
    assert [json.loads(line)["body"]["order"] for line in file.read_text().splitlines()] == [*range(1300)]


def get_now(url: str, queue: str) -> Any:
    with broker(url) as connection:
        return connection.default_channel.basic_get(queue, no_ack=True)


def test_replay_asks_first(run: Callable[..., Result], queue: str, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text('{"routing_key":"a.key","exchange":"e","received":"2026-03-01T12:30:15Z","body":{}}\n')
    result = run("replay", str(file))
    assert result.exit_code == 2
    assert "Publish 1 events to exchange 'events'" in result.stderr
    assert "say --yes" in result.stderr


def test_a_file_that_is_there_is_not_overwritten(run: Callable[..., Result], queue: str, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("precious")
    result = run("record", str(file))
    assert result.exit_code == 2
    assert "--append" in result.stderr
    assert file.read_text() == "precious"


def test_a_recording_that_cannot_begin_leaves_no_file(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    assert run("record", str(file)).exit_code == 10
    assert not file.exists()


def test_a_full_disk_is_told(run: Callable[..., Result], config: PubSubConfig, exchange: str) -> None:
    with beside(run, "record", "/dev/full", "--append", "--for", "60s") as record:
        publish_when_seen(config, OrderPlaced(order=1))
    assert record.result().exit_code == 1
    assert "Error: /dev/full: No space left on device" in record.result().stderr


def end_of(service: Files, url: str, args: tuple[str, ...], stdout: Any) -> tuple[int, str]:
    """Exit code and errors of tail or record as a process; of a pipe one line is read, and then nothing more."""
    config = PubSubConfig(broker_url=url, exchange="events")
    with Publisher(config) as publisher:
        publisher.publish_event("a.key", {"n": 0})
        command = [sys.executable, "-m", "typed_pubsub.cli", *args, "-A", "service:Settings"]
        with subprocess.Popen(
            command, cwd=service.directory, env=service.environment(url, {}, {}), stdout=stdout,
            stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stderr is not None
            assert process.stderr.readline().endswith("Ctrl-C ends it\n")
            publisher.publish_event("a.key", {"n": 1})
            if process.stdout is not None:
                assert "a.key" in process.stdout.readline()
                process.stdout.close()
            while process.poll() is None:
                publisher.publish_event("a.key", {"n": 2})
            return process.returncode, process.stderr.read()


@pytest.mark.parametrize("args", [("tail",), ("record", "-")], ids=" ".join)
def test_what_shows_events_ends_when_they_cannot_be_written(
    service: Files, tmp_path: Path, args: tuple[str, ...]
) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    assert end_of(service, url, args, subprocess.PIPE) == (141, ""), "quietly, when nobody reads any more"
    with Path("/dev/full").open("w") as full:
        code, told = end_of(service, url, args, full)
    assert (code, told) == (1, "Error: standard output: No space left on device\n")


def test_a_recording_may_go_to_standard_output_and_come_from_standard_input(
    run: Callable[..., Result], config: PubSubConfig, queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with beside(run, "record", "-", "--key", "streams.#", "--limit", "2") as record, Publisher(config) as publisher:
        while not record.done():
            publisher.publish(OrderPlaced(order=1))
    lines = record.result().stdout
    assert [json.loads(line)["body"] for line in lines.splitlines()] == [{"order": 1, "note": ""}] * 2
    assert record.result().stderr.endswith("recorded 2 events to standard output\n")
    assert not [*tmp_path.glob("-")]
    while get_now(config.broker_url, queue) is not None:
        pass
    assert run("replay", "-", "--yes", input=lines).stdout == "replayed 2 of 2 events\n"
    assert json.loads(get(config.broker_url, queue).body) == {"order": 1, "note": ""}
    assert "Error: standard input, line 3: expected" in run("replay", "-", "--yes", input=f"{lines}x").stderr


def test_a_recording_may_come_through_a_pipe(run: Callable[..., Result], queue: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with beside(run, "replay", str(pipe), "--yes") as replay:
        pipe.write_text('{"routing_key":"a.key","exchange":"e","received":"2026-03-01T12:30:15Z","body":{}}\n')
    assert replay.result().stdout == "replayed 1 of 1 events\n"


def test_ctrl_c_ends_a_recording_with_what_it_has(service: Files, vhost_url: str, tmp_path: Path) -> None:
    config = PubSubConfig(broker_url=vhost_url, exchange="events")
    with Publisher(config) as publisher:
        publisher.publish_event("a.key", {"n": 0})
    file = tmp_path / "events.ndjson"
    command = ("-m", "typed_pubsub.cli", "record", "-A", "service:Settings", str(file))
    with Child(*command, cwd=service.directory, env=service.environment(vhost_url, {}, {})) as child:
        child.wait_for("recording")
        publish_when_seen(config, OrderPlaced(order=1))
        eventually(file.read_text, what="the event in the file")
        child.signal(signal.SIGINT)
        assert child.wait() == 0, child.output
    assert child.stdout == [f"recorded 1 event to {file}"]
