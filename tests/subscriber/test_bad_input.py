"""Whatever comes, it is one dead letter with the reason, and nothing else changes: the neighbours are scheduled, the
subscriber lives, no other queue grows, and no log tells of the body."""

import bz2
import json
import logging
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from kombu.utils.json import loads as kombu_loads

from tests.support.amqp import (
    CONTENT_TYPE,
    HEADERS,
    RawMessage,
    declare,
    message,
    nested,
    properties,
    send,
    short,
    table,
    take_all,
    timestamp,
    wait_for_count,
)
from tests.support.children import Child
from tests.support.rabbit import eventually
from tests.support.services import celery_app, running
from typed_pubsub import (
    Event,
    PubSubConfig,
    Registry,
    StructEvent,
    Subscriber,
    TaskCall,
    TaskMapping,
    call,
    remote_task,
)
from typed_pubsub.testing.nodes import RabbitMQNode

EXCHANGE, QUEUE = "an_exchange", "a_queue"
SECRET = "5ecret-w0rds"
MAX_BODY = 400_000
DEEP = b'{"text": ' + b"[" * 100_000 + SECRET.encode() + b"]" * 100_000 + b"}"


class Typed(Event, routing_key="typed.event", registry=(REGISTRY := Registry())):
    number: int
    text: str = ""


class Struck(StructEvent, routing_key="struct.event", registry=REGISTRY):
    number: int
    text: str = ""


class Fragile(Event, routing_key="fragile.{how}", registry=REGISTRY):
    how: str
    text: str = ""


@remote_task("a.task")
def a_task(number: object) -> None: ...


mapping = TaskMapping()


@mapping.on(Typed, Struck)
def on_typed(event: Typed | Struck) -> TaskCall:
    return call(a_task, event.number)


@mapping.on(Fragile, name="first")
def first(event: Fragile) -> TaskCall:
    if event.how == "raises":
        raise ValueError(event.text)
    if event.how == "exits":
        raise SystemExit(event.text)
    return call(a_task, event.text)


@mapping.on(Fragile, name="second")
def second(event: Fragile) -> Iterator[TaskCall]:
    yield call(a_task, event.text)
    if event.how == "second":
        raise RuntimeError(event.text)
    # No serializer takes a set within an object of one's own.
    yield call(a_task, object())


mapping.add_legacy(
    [
        {
            "routing_key": "row.event",
            "task": "a.task",
            "should_schedule": lambda key, body: True,
            "get_args": lambda key, body: ([body["number"]], {}),
        }
    ]
)


class Evil:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@dataclass(frozen=True)
class Bad:
    key: str
    reason: str
    body: bytes = json.dumps({"number": SECRET, "text": SECRET}).encode()
    headers: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None

    def message(self) -> Any:
        if self.raw is not None:
            return RawMessage(self.body, self.raw)
        return message(self.body, self.headers, **self.properties)


VALID = json.dumps({"number": 7, "text": SECRET, "how": "well"}).encode()
#: Of a version with headers of ours, so that nothing is undone as kombu's.
OURS = {"ce-specversion": "1.0", "ce-id": "an-id", "ce-schemaversion": "1"}

BODIES: dict[str, tuple[bytes, str]] = {
    "truncated JSON": (VALID[:-1], "undecodable"),
    "invalid UTF-8": (b'{"number": 7, "text": "5ecret-w0rds \xff"}', "undecodable"),
    "100,000-deep nesting": (DEEP, "undecodable"),
    "NaN": (b'{"number": NaN, "text": "5ecret-w0rds"}', "undecodable"),
    "an empty body": (b"", "undecodable"),
    "a JSON list": (b'["5ecret-w0rds"]', "invalid_body"),
    "oversize": (b'{"number": 7, "text": "' + SECRET.encode() + b"x" * MAX_BODY + b'"}', "oversize"),
}
KINDS: dict[str, Bad] = {
    **{
        f"{name}, {key}, {form}": Bad(f"{key}.event", reason, body, headers)
        for name, (body, reason) in BODIES.items()
        for key in ("typed", "struct", "row")
        for form, headers in (("ours", OURS), ("foreign", {}))
    },
    "wrong types, typed": Bad("typed.event", "invalid_body"),
    "wrong types, struct": Bad("struct.event", "invalid_body"),
    "a tag that is none of kombu's": Bad(
        "typed.event", "invalid_body", b'{"number": {"__type__": "5ecret-w0rds", "__value__": 1}}'
    ),
    "tags nested deep": Bad("row.event", "undecodable", b'{"__type__": ' + b"[" * 900 + b"]" * 900 + b"}"),
    "an unknown key": Bad("unknown.event", "unknown_event", VALID),
    "an unknown key and no JSON": Bad("unknown.event", "unknown_event", b"\xff"),
    "a newer version": Bad("typed.event", "newer_version", VALID, {**OURS, "ce-schemaversion": "2"}),
    "a version that is none": Bad("typed.event", "undecodable", VALID, {**OURS, "ce-schemaversion": "new"}),
    "an id that is no text": Bad("typed.event", "undecodable", VALID, {**OURS, "ce-id": 7}),
    "key and body disagree": Bad("fragile.otherwise", "invalid_body", VALID),
    "a compressed body": Bad(
        "typed.event", "undecodable", bz2.compress(bytes(1_000_000)), {"compression": "application/x-bz2"}
    ),
    "the content type of YAML": Bad(
        "typed.event", "undecodable", b"number: 5ecret-w0rds", {}, {"content_type": "application/x-yaml"}
    ),
    "another encoding": Bad("typed.event", "undecodable", VALID.decode().encode("utf-16"), {}, {"content_encoding": "utf-16"}),
    "a header timestamp in milliseconds": Bad(
        "typed.event",
        "undecodable",
        VALID,
        raw=properties(HEADERS, table((b"sent", b"T" + timestamp(1_700_000_000_000)))),
    ),
    "headers nested deep": Bad("typed.event", "undecodable", VALID, raw=properties(HEADERS, nested(3_000))),
    "a content type that is not UTF-8": Bad(
        "typed.event", "undecodable", VALID, raw=properties(CONTENT_TYPE, short(b"5ecret-w0rds\xff"))
    ),
    "a content type with a surrogate": Bad(
        "typed.event", "undecodable", VALID, raw=properties(CONTENT_TYPE, short(b"text/\xed\xa0\x80"))
    ),
    "100 KB of headers": Bad("typed.event", "invalid_body", headers={f"h{n}": "x" * 100 for n in range(1_000)}),
    "CC and BCC": Bad("typed.event", "invalid_body", headers={"CC": ["other"], "BCC": ["other"]}),
    "an expiration": Bad("typed.event", "invalid_body", properties={"expiration": "60000"}),
    "a reply-to and a priority": Bad("typed.event", "invalid_body", properties={"reply_to": "other", "priority": 9}),
    "a handler that raises": Bad("fragile.raises", "mapping_error", b'{"text": "5ecret-w0rds"}'),
    "a handler that raises SystemExit": Bad("fragile.exits", "mapping_error", b'{"text": "5ecret-w0rds"}'),
    "a second route that raises": Bad("fragile.second", "mapping_error", b'{"text": "5ecret-w0rds"}'),
    "arguments without a form": Bad("fragile.well", "mapping_error", b'{"text": "5ecret-w0rds"}'),
    "a row that raises": Bad("row.event", "mapping_error", b'{"text": "5ecret-w0rds"}'),
}  # fmt: skip


@dataclass(frozen=True)
class Service:
    url: str
    subscriber: Subscriber


@pytest.fixture(scope="module")
def service(rabbitmq: RabbitMQNode) -> Iterator[Service]:
    """One subscriber for all of it: each kind finds it alive after the ones before."""
    url = rabbitmq.vhost()
    declare(url, "other")
    declare(url, QUEUE, an_exchange="unknown.*")
    app = celery_app(url)
    config = PubSubConfig(mapping, lambda: app, url, EXCHANGE, QUEUE, max_body_bytes=MAX_BODY)
    with running(config, REGISTRY) as subscriber:
        yield Service(url, subscriber)
    wait_for_count(url, QUEUE, 0)
    assert subscriber.outcomes.get("requeued", 0) == 0, "every delivery was acknowledged"


def becomes_a_dead_letter(service: Service, bad: Bad) -> Any:
    """Publishes ``bad`` between two good events, and looks at everything that it must have done, and must not."""
    before = service.subscriber.outcomes
    send(service.url, EXCHANGE, "typed.event", message(b'{"number": 1}'))
    send(service.url, EXCHANGE, bad.key, bad.message())
    send(service.url, EXCHANGE, "typed.event", message(b'{"number": 2}'))
    eventually(lambda: sum(service.subscriber.outcomes.values()) == sum(before.values()) + 3)
    after = service.subscriber.outcomes
    assert after["scheduled"] - before.get("scheduled", 0) == 2
    assert after["dead-lettered"] - before.get("dead-lettered", 0) == 1
    assert [kombu_loads(task.body)[0] for task in take_all(service.url, "celery")] == [[1], [2]]
    (dead,) = take_all(service.url, f"{QUEUE}.dlq")
    assert dead.headers["x-pubsub-reason"] == bad.reason
    assert dead.headers["x-pubsub-routing-key"] == bad.key
    assert dead.body == bad.body or (not dead.body and not bad.body)
    assert set(dead.properties) <= {"application_headers", "content_type", "delivery_mode", "message_id"}
    assert dead.properties["delivery_mode"] == 2
    assert {name for name in dead.headers if not name.startswith("x-pubsub-")} == set()
    json.loads(dead.headers["x-pubsub-original"])
    wait_for_count(service.url, QUEUE, 0)
    wait_for_count(service.url, "other", 0)
    return dead


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_one_dead_letter_and_its_neighbours_are_scheduled(
    service: Service, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        becomes_a_dead_letter(service, KINDS[kind])
    told = "\n".join(f"{record.getMessage()} {record.exc_text} {vars(record)}" for record in caplog.records)
    assert SECRET not in told
    assert "dead-lettered" in told


def test_a_pickle_is_never_loaded(service: Service, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    body = pickle.dumps(Evil(touched))
    for kind in ("application/x-python-serialize", "application/json"):
        becomes_a_dead_letter(service, Bad("typed.event", "undecodable", body, properties={"content_type": kind}))
    assert not touched.exists()


def test_a_user_id_of_somebody_else_does_not_stop_the_dead_letter(service: Service, rabbitmq: RabbitMQNode) -> None:
    vhost = service.url.rpartition("/")[2]
    rabbitmq.ctl("add_user", "somebody", "pw")
    rabbitmq.ctl("set_permissions", "--vhost", vhost, "somebody", ".*", ".*", ".*")
    before = sum(service.subscriber.outcomes.values())
    bad = message(b"[", user_id="somebody")
    send(service.url.replace("guest:guest", "somebody:pw"), EXCHANGE, "typed.event", bad)
    eventually(lambda: sum(service.subscriber.outcomes.values()) == before + 1)
    (dead,) = take_all(service.url, f"{QUEUE}.dlq")
    assert "user_id" not in dead.properties
    assert json.loads(dead.headers["x-pubsub-original"])["properties"]["user_id"] == "somebody"


def test_headers_of_a_good_event_do_not_reach_its_task(service: Service) -> None:
    foreign = {"CC": ["celery"], "timelimit": [1, 1], "task": "evil.task", "queue": "other", "x-delay": 9, "id": "mine"}
    before = sum(service.subscriber.outcomes.values())
    send(service.url, EXCHANGE, "typed.event", message(b'{"number": 1}', foreign, reply_to="other", priority=9))
    eventually(lambda: sum(service.subscriber.outcomes.values()) == before + 1)
    (task,) = take_all(service.url, "celery")
    assert task.headers["task"] == "a.task"
    assert task.headers["timelimit"] == [None, None]
    assert not {"CC", "queue", "x-delay"} & set(task.headers)
    assert task.properties["priority"] == 0
    assert task.properties["reply_to"] != "other"
    assert sent_at(task) is None


def sent_at(task: Any) -> datetime | None:
    eta = task.headers["eta"]
    return None if eta is None else datetime.fromisoformat(eta)


BOMBED = """
import resource, sys
from celery import Celery
from typed_pubsub import PubSubConfig, Subscriber

row = {"routing_key": "#", "task": "t", "should_schedule": lambda k, b: True, "get_args": lambda k, b: ([], {})}
config = PubSubConfig([row], lambda: Celery(broker=sys.argv[1]), sys.argv[1], "an_exchange", "a_queue")
subscriber = Subscriber(config)
import logging; logging.basicConfig(level="INFO", stream=sys.stdout)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
subscriber.start()
print("grown by", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, "MB")
"""


def test_a_compression_bomb_leaves_the_memory_flat(vhost_url: str, tmp_path: Path) -> None:
    bomb = bz2.compress(bytes(400_000_000))
    assert len(bomb) < 1_000
    (tmp_path / "bombed.py").write_text(BOMBED)
    with Child("bombed.py", vhost_url, cwd=tmp_path) as child:
        child.wait_for("consuming")
        for kind in ("application/x-bz2", "bzip2"):
            send(vhost_url, EXCHANGE, "a.key", message(bomb, {"compression": kind}))
        child.wait_for("dead-lettered", count=2)
        assert child.terminate() == 0
    assert int(child.stdout[-1].split()[2]) < 50
    assert [dead.body for dead in take_all(vhost_url, f"{QUEUE}.dlq")] == [bomb, bomb]
