"""``typed-pubsub health``: what a probe sees; as a process of its own where that is the point."""

import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.faces.conftest import Service
from tests.support.children import run
from tests.support.commands import command
from tests.support.rabbit import broker
from typed_pubsub.cli import main

STATE: dict[str, Any] = {
    "pid": 123,
    "queue": "a-queue",
    "consuming": True,
    "in_flight": 3,
    "waiting": 0.4,
    "last_round_trip": 0.8,
    "last_confirm": None,
    "outcomes": {"scheduled": 10, "dead-lettered": 1, "faults": 0},
    "dead_letters": 1,
}
HEALTH = ("-m", "typed_pubsub.cli", "health")
KNOWN_ONLY = "that is all the broker knows, set PUBSUB_HEALTH_FILE to know more"


def write(path: Path, *, age: float = 0.0, **changes: Any) -> Path:
    path.write_text(json.dumps({"time": time.time() - age, **STATE, **changes}))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The health file of a subscriber that works."""
    return write(tmp_path / "health.json")


def probe(*options: str, cwd: Path, **env: str) -> tuple[int, str]:
    """Exit code and the only line."""
    code, (line,) = command("health", *options, cwd=cwd, **env)
    return code, line


def ask(service: Service, url: str, *options: str, **settings: Any) -> tuple[int, str]:
    """Exit code and last line of a probe that asks with the service's settings."""
    env = service.variables(url, settings)
    code, lines = command("health", "-A", "service:Settings", *options, cwd=service.directory, **env)
    return code, lines[-1]


def test_0_for_a_subscriber_that_works(file: Path) -> None:
    code, line = probe("--file", str(file), cwd=file.parent)
    assert code == 0
    assert line.startswith("healthy: consuming 'a-queue', 3 in flight, last round trip ")
    assert line.endswith(" s ago, 10 scheduled, 1 dead-lettered")


def test_a_process_ends_with_the_code_and_says_its_line_on_stdout(file: Path) -> None:
    done = run(*HEALTH, "--file", str(write(file, waiting=75.0)), cwd=file.parent)
    assert (done.wait(), done.stderr) == (1, [])
    assert done.stdout == ["unhealthy: in hand for 75 s: Celery's broker does not take its tasks"]
    mistaken = run(*HEALTH, "--timeout", "0", cwd=file.parent)
    assert (mistaken.wait(), mistaken.stdout) == (2, [])
    assert "Traceback" not in mistaken.output


def test_1_for_one_that_does_not_and_the_line_says_why(file: Path) -> None:
    write(file, waiting=75.0)
    told = "unhealthy: in hand for 75 s: Celery's broker does not take its tasks"
    assert probe("--file", str(file), cwd=file.parent) == (1, told)


def test_1_for_a_file_that_nobody_writes_any_more_or_that_is_not_there(file: Path) -> None:
    write(file, age=60)
    code, line = probe("--file", str(file), cwd=file.parent)
    assert code == 1
    assert re.match(r"unhealthy: the health file is 6\d s ", line)
    file.unlink()
    code, line = probe("--file", str(file), cwd=file.parent)
    assert (code, line[:38]) == (1, "unhealthy: there is no health file '" + str(file)[:2])


def test_the_same_as_json_with_all_that_the_file_says(file: Path) -> None:
    code, line = probe("--file", str(file), "--format", "json", cwd=file.parent)
    told = json.loads(line)
    assert (code, told["healthy"], told["problems"]) == (0, True, [])
    assert told["summary"].startswith("consuming 'a-queue', ")
    assert told["state"] == json.loads(file.read_text())
    file.write_text("{}")
    code, line = probe("--file", str(file), "--format", "json", cwd=file.parent)
    told = json.loads(line)
    assert (code, told["healthy"], told["state"]) == (1, False, None)
    assert "is no health file of a subscriber" in told["problems"][0]
    assert told["summary"] == told["problems"][0]


def test_the_summary_of_an_unhealthy_service_is_the_sentence_of_the_text(file: Path) -> None:
    write(file, consuming=False, waiting=75.0)
    code, line = probe("--file", str(file), cwd=file.parent)
    told = json.loads(probe("--file", str(file), "--format", "json", cwd=file.parent)[1])
    assert (code, len(told["problems"])) == (1, 2)
    assert line == f"unhealthy: {told['summary']}"


def test_options_may_come_from_the_environment_and_a_file_keeps_the_service_unread(file: Path) -> None:
    code, line = probe(
        cwd=file.parent,
        TYPED_PUBSUB_APP="there.is.no.such:thing",
        TYPED_PUBSUB_HEALTH_FILE=str(file),
        TYPED_PUBSUB_FORMAT="json",
    )
    assert (code, json.loads(line)["healthy"]) == (0, True)


@pytest.mark.parametrize("options", [(), ("--file",), ("--file", "x", "--format", "xml"), ("--timeout", "0")])
def test_2_for_wrong_usage(options: tuple[str, ...], tmp_path: Path) -> None:
    code, lines = command("health", *options, cwd=tmp_path)
    assert code == 2
    assert lines[-1].startswith("Error: ")


def test_2_for_settings_that_are_wrong_or_missing(service: Service) -> None:
    for settings, told in (
        ({"prefetch": 0}, "PREFETCH: expected"),
        ({"queue_name": None}, "health needs QUEUE_NAME, or HEALTH_FILE"),
        ({"broker_url": "amqp://u:s3cret@h:port//"}, "BROKER_URL cannot be read as a URL: amqp://u:**@h:port//"),
    ):
        code, line = ask(service, "amqp://127.0.0.1//", **settings)
        assert code == 2, line
        assert told in line


IMPORTED = """
import sys
from typed_pubsub.cli import main

main(["health", "--file", sys.argv[1]], standalone_mode=False)
"""


def test_a_probe_of_the_file_imports_neither_celery_nor_pydantic_nor_a_connection(file: Path) -> None:
    program = "import atexit, sys; atexit.register(lambda: print(*sys.modules))"
    child = run("-c", program + IMPORTED, str(file), cwd=file.parent)
    assert child.wait() == 0, child.output
    assert {"celery", "kombu.connection", "pydantic", "typed_pubsub.config"}.isdisjoint(child.lines[-1].split())


def test_the_settings_name_the_file(service: Service, file: Path) -> None:
    code, line = ask(service, "amqp://127.0.0.1//", health_file=str(file))
    assert code == 0, line
    assert line.startswith("healthy: consuming 'a-queue', 3 in flight")
    write(file, consuming=False)
    code, line = ask(service, "amqp://127.0.0.1//", health_file=str(file))
    assert code == 1
    assert line.startswith("unhealthy: not consuming 'a-queue'")


@pytest.mark.once
def test_without_a_file_the_broker_is_asked_for_a_consumer(service: Service, broker_url: str) -> None:
    assert ask(service, broker_url) == (1, "unhealthy: there is no queue 'a-queue': no subscriber has declared it")
    with broker(broker_url) as connection:
        connection.default_channel.queue_declare("a-queue", durable=True, auto_delete=False)
    assert ask(service, broker_url) == (1, "unhealthy: nobody consumes 'a-queue'")
    with service.start(broker_url) as child:
        child.wait_for("consuming queue 'a-queue'")
        assert ask(service, broker_url) == (0, f"healthy: 1 consuming 'a-queue'; {KNOWN_ONLY}")
        code, line = ask(service, broker_url, "--format", "json")
        told = {"healthy": True, "summary": f"1 consuming 'a-queue'; {KNOWN_ONLY}", "problems": [], "state": None}
        assert (code, json.loads(line)) == (0, told)


def test_1_when_the_broker_cannot_be_reached_and_no_password_is_told(service: Service, nobody_there: str) -> None:
    code, line = ask(service, nobody_there)
    assert code == 1
    assert line.startswith("unhealthy: no answer from the event broker amqp://guest:**@127.0.0.1:")
    assert "Connection refused" in line


def test_1_when_the_broker_does_not_answer_in_time(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, line = ask(service, f"amqp://127.0.0.1:{silent.getsockname()[1]}//", "--timeout", "1")
    assert code == 1
    assert "timed out" in line.lower()


def test_1_when_the_user_may_not_ask(service: Service, vhost_url: str) -> None:
    with broker(vhost_url) as connection:
        connection.default_channel.queue_declare("a-queue", exclusive=True)
        code, line = ask(service, vhost_url)
    assert code == 1
    assert "the broker refused to tell of queue 'a-queue': RESOURCE_LOCKED" in line


def test_the_next_host_is_asked_where_the_first_is_away(service: Service, nobody_there: str, vhost_url: str) -> None:
    url = f"{nobody_there};{vhost_url}"
    assert ask(service, url) == (1, "unhealthy: there is no queue 'a-queue': no subscriber has declared it")


def test_of_several_processes_the_json_has_a_judgement_each(file: Path) -> None:
    for number, consuming in ((1, True), (2, False)):
        write(Path(f"{file}.{number}"), consuming=consuming)
    file.write_text(json.dumps({"time": time.time(), "pid": 1, "processes": 2}))
    done = CliRunner().invoke(main, ["health", "--file", str(file), "--format", "json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["healthy"], told["state"]["processes"]) == (1, False, 2)
    assert [one["healthy"] for one in told["processes"]] == [True, False]
    assert told["problems"] == [f"process 2: {problem}" for problem in told["processes"][1]["problems"]]
