"""What the doctor says of brokers that are well, and of each that is not; it leaves nothing behind."""

import http.server
import os
import socket
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.ops.examining import TIMEOUT, declare, problems, service, told
from tests.support.rabbit import queue_state
from typed_pubsub import MisconfigurationException, Publisher, PubSubConfig, TaskMapping
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.survey import Refused, measure
from typed_pubsub.cli import main
from typed_pubsub.ops.doctor.amqp import Asked, look_at_broker
from typed_pubsub.ops.doctor.clock import look_at_clock
from typed_pubsub.ops.doctor.embedded import look_at_file
from typed_pubsub.ops.doctor.facts import look_at_version
from typed_pubsub.ops.doctor.lines import exit_code
from typed_pubsub.ops.doctor.service import examine
from typed_pubsub.testing.nodes import RabbitMQNode, RedisNode


def test_a_broker_that_is_well_is_told_line_by_line(broker_url: str) -> None:
    declare(broker_url)
    events, tasks = examine(service(broker_url), TIMEOUT)
    assert (events.what, tasks.what) == ("event broker", "Celery's broker")
    assert exit_code([events, tasks]) == 0
    said = told(events)
    assert said["login"] == "ok: accepted"
    assert said["round trip"].startswith("ok: ")
    assert said["exchange"] == "ok: events is there"
    assert said["queue"] == "ok: examined.dlq: 0 ready, 0 consuming"
    assert "celery is not there yet: the first task or worker makes it" in told(tasks)["queue"]


def test_rabbitmq_tells_what_was_agreed_and_what_the_user_may(vhost_url: str) -> None:
    declare(vhost_url)
    said = told(next(examine(service(vhost_url), TIMEOUT)))
    assert said["host"] == "ok: 127.0.0.1 is 127.0.0.1"
    assert said["broker"].startswith("ok: RabbitMQ ")
    assert said["heartbeat"] == "ok: every 30 s agreed"
    assert said["frame_max"] == "ok: 131,072 bytes"
    assert said["publishing"] == "ok: the user may write to events"
    assert said["binding"] == "ok: the user may bind examined to events"
    assert said["clock"].startswith("unknown: AMQP tells none")


def test_nothing_is_changed_at_the_broker(rabbitmq: RabbitMQNode, vhost_url: str) -> None:
    declare(vhost_url)
    vhost = vhost_url.rpartition("/")[2]

    def there() -> list[str]:
        return [rabbitmq.ctl(f"list_{what}", "--vhost", vhost) for what in ("queues", "exchanges", "bindings")]

    before = there()
    assert exit_code(examine(service(vhost_url), TIMEOUT)) == 0
    assert there() == before


def test_no_file_is_made_of_an_embedded_broker_that_is_not_there_yet(tmp_path: Path) -> None:
    events, tasks = examine(service(f"sqlite:///{tmp_path}/broker.db"), TIMEOUT)
    assert told(events)["file"].startswith(f"advice: {tmp_path}/broker.db is not there yet")
    assert exit_code([events, tasks]) == 0
    assert list(tmp_path.iterdir()) == []


def test_events_that_nobody_takes_are_a_problem(broker_url: str) -> None:
    declare(broker_url)
    with Publisher(PubSubConfig(broker_url=broker_url, exchange="events")) as publisher:
        publisher.publish_event("a.key", {})
    events, _ = examine(service(broker_url), TIMEOUT)
    assert [line.text for line in problems(events)] == ["examined: 1 ready, 0 consuming"]
    assert exit_code([events]) == 1
    assert queue_state(broker_url, "examined").message_count == 1


@pytest.mark.parametrize(
    ("wrong", "text", "fix"),
    [
        (("guest:guest", "guest:s3cret"), "ACCESS_REFUSED", "user name or password of BROKER_URL are wrong"),
        (("/vhost-", "/nowhere-"), "NOT_ALLOWED", "the virtual host of BROKER_URL does not exist"),
    ],
)
def test_a_login_that_is_refused_says_what_is_wrong(
    vhost_url: str, wrong: tuple[str, str], text: str, fix: str
) -> None:
    events = next(examine(service(vhost_url.replace(*wrong)), TIMEOUT))
    (line,) = problems(events)
    assert line.subject == "login"
    assert text in line.text
    assert line.fix.startswith(fix)
    assert exit_code([events]) == 3
    assert "s3cret" not in str(events)


def test_celerys_broker_is_named_where_its_login_is_refused(vhost_url: str) -> None:
    _, tasks = examine(service(vhost_url, vhost_url.replace("guest:guest", "guest:s3cret")), TIMEOUT)
    (line,) = problems(tasks)
    assert line.fix == "user name or password of Celery's broker_url are wrong"


def test_a_user_without_permissions_is_told_which(rabbitmq: RabbitMQNode, vhost_url: str) -> None:
    declare(vhost_url)
    rabbitmq.ctl("add_user", "poor", "poor")
    rabbitmq.ctl("set_permissions", "--vhost", vhost_url.rpartition("/")[2], "poor", "^x$", "^x$", "^x$")
    events = next(examine(service(vhost_url.replace("guest:guest", "poor:poor")), TIMEOUT))
    assert {line.subject: line.fix for line in problems(events)} == {
        "publishing": "rabbitmqctl set_permissions: write has to match events",
        "binding": "rabbitmqctl set_permissions: write has to match examined, read events",
    }
    assert told(events)["round trip"].startswith("unknown: not measured, this user may not declare a queue of its own")
    rabbitmq.ctl("delete_user", "poor")


def test_entities_that_the_broker_does_not_tell_of_are_problems_in_its_own_words(vhost_url: str) -> None:
    declare(vhost_url)
    link = EventBroker(vhost_url).connect(TIMEOUT)
    link.channel().queue_declare("theirs", exclusive=True)
    asked = Asked(exchange="events", queues=("theirs", "examined"), consumed="theirs")
    try:
        lines = list(look_at_broker(EventBroker(vhost_url).connect, asked, TIMEOUT))
    finally:
        link.close()
    (refused,) = [line for line in lines if line.verdict == "problem"]
    assert refused.text.startswith("the broker refused to tell of queue 'theirs': RESOURCE_LOCKED")
    assert lines[-1].text == "examined: 0 ready, 0 consuming", "it went on"


def test_redis_as_celerys_broker_is_asked_what_it_does_when_it_is_full(redis_node: RedisNode, tmp_path: Path) -> None:
    _, tasks = examine(service(f"sqlite:///{tmp_path}/b.db", redis_node.url), TIMEOUT)
    said = told(tasks)
    assert said["login"].startswith("ok: Redis ")
    assert said["maxmemory-policy"] == "ok: noeviction"
    assert said["appendonly"] == "ok: yes"
    assert said["visibility_timeout"].startswith("advice: 3,600 s")
    assert exit_code([tasks]) == 0


def test_what_is_no_celery_app_is_a_wrong_setting(tmp_path: Path) -> None:
    config = PubSubConfig(TaskMapping(), lambda: None, f"sqlite:///{tmp_path}/b.db", "events", "examined")
    with pytest.raises(MisconfigurationException, match="GET_CELERY_APP: expected a Celery app, got NoneType"):
        list(examine(config, TIMEOUT))


def test_a_redis_that_throws_tasks_away_is_a_problem(tmp_path: Path) -> None:
    import redis  # noqa: PLC0415  # an extra

    with RedisNode(durable=False) as node:
        redis.Redis.from_url(node.url).config_set("maxmemory-policy", "allkeys-lru")
        _, tasks = examine(service(f"sqlite:///{tmp_path}/b.db", node.url), TIMEOUT)
    assert [line.text for line in problems(tasks)] == ["allkeys-lru: it throws tasks away when its memory is full"]
    assert told(tasks)["appendonly"].startswith("advice: no")


def test_a_redis_that_is_away_is_no_connection(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"redis://:s3cret@127.0.0.1:{taken.getsockname()[1]}/0"
        _, tasks = examine(service(f"sqlite:///{tmp_path}/b.db", url), TIMEOUT)
    assert exit_code([tasks]) == 3
    assert "s3cret" not in str(tasks)


def test_a_damaged_file_is_a_problem(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    declare(url)
    file = tmp_path / "broker.db"
    content = bytearray(file.read_bytes())
    content[8192:12288] = os.urandom(4096)
    file.write_bytes(content)
    events, _ = examine(service(url), TIMEOUT)
    assert "integrity" in {line.subject for line in problems(events)}


def test_a_directory_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (line,) = look_at_file(str(tmp_path / "nowhere" / "b.db"))
    assert (line.verdict, line.text) == ("problem", f"there is no directory {tmp_path}/nowhere")


class Dated(http.server.BaseHTTPRequestHandler):
    ahead = 0.0

    def do_HEAD(self) -> None:
        self.send_response_only(200)
        self.send_header("Date", formatdate(time.time() + self.ahead, usegmt=True))
        self.end_headers()


@pytest.mark.parametrize(("ahead", "verdict"), [(0.0, "ok"), (10.0, "advice"), (-300.0, "problem")])
def test_the_management_apis_date_tells_the_clock(ahead: float, verdict: str) -> None:
    handler: Any = type("Handler", (Dated,), {"ahead": ahead})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        line = look_at_clock(f"http://127.0.0.1:{server.server_port}", TIMEOUT)
        thread.join(TIMEOUT)
    assert line.verdict == verdict, line


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("3.10.8", ["consumer_timeout", "max_message_size", "version"]),
        ("3.7.28", ["max_message_size", "version"]),
        ("4.0.2", ["consumer_timeout", "max_message_size", "delivery limit", "mirroring", "deprecated"]),
        ("4.3.1", ["consumer_timeout", "max_message_size", "delivery limit", "mirroring", "deprecated"]),
        ("main", ["defaults"]),
    ],
)
def test_defaults_are_told_by_version(version: str, said: list[str]) -> None:
    lines = list(look_at_version(version, 1_000_000))
    assert [line.subject for line in lines] == said
    assert not any(line.verdict == "problem" for line in lines)


def test_bodies_larger_than_the_broker_takes_are_a_problem() -> None:
    found = {
        version: {line.subject: line.verdict for line in look_at_version(version, 100_000_000)}
        for version in ("3.13.7", "4.1.0")
    }
    assert [said["max_message_size"] for said in found.values()] == ["ok", "problem"]


def test_a_round_trip_that_does_not_come_back_in_time_ends(broker_url: str) -> None:
    link = EventBroker(broker_url).connect(TIMEOUT)
    with pytest.raises(TimeoutError, match="did not come back within 0 s"):
        measure(link, 0.0)
    link.close()


def test_a_round_trip_is_confirmed_and_its_queue_is_gone_afterwards(broker_url: str) -> None:
    link = EventBroker(broker_url).connect(TIMEOUT)
    found = measure(link, TIMEOUT)
    link.close()
    assert not isinstance(found, Refused)
    assert 0 < found.median <= found.worst < TIMEOUT


def test_the_command_tells_both_brokers_and_ends_with_the_verdict(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "examined_service.py").write_text(
        f"PUBSUB_BROKER_URL = 'sqlite:///{tmp_path}/b.db'\nPUBSUB_EXCHANGE = 'events'\n"
    )
    text = CliRunner().invoke(main, ["doctor", "-A", "examined_service"])
    assert text.exit_code == 0, text.output
    lines = text.stdout.splitlines()
    assert lines[0] == f"event broker sqlite:///{tmp_path}/b.db"
    assert lines[2].startswith(f"  advice   file: {tmp_path}/b.db is not there yet")
    document = CliRunner().invoke(main, ["doctor", "-A", "examined_service", "--format", "json"])
    assert '"verdict": "advice"' in document.stdout
