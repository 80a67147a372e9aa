"""Everything that can be wrong with a message or with what handles it, and the models and routes that it meets."""

import bz2
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.amqp import CONTENT_TYPE, HEADERS, RawMessage, message, nested, properties, short, table, timestamp
from typed_pubsub import Event, Registry, StructEvent, TaskCall, TaskMapping, call, remote_task

#: In every body, and in no line of a log.
SECRET = "5ecret-w0rds"
MAX_BODY = 400_000
REGISTRY = Registry()


class Typed(Event, routing_key="typed.event", registry=REGISTRY):
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

DEEP = b'{"text": ' + b"[" * 100_000 + SECRET.encode() + b"]" * 100_000 + b"}"

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
    "plain JSON that is said to be compressed": Bad("typed.event", "undecodable", VALID, {"compression": "gzip"}),
    "the content type of YAML": Bad(
        "typed.event", "undecodable", b"number: 5ecret-w0rds", {}, {"content_type": "application/x-yaml"}
    ),
    "another encoding": Bad(
        "typed.event", "undecodable", VALID.decode().encode("utf-16"), {}, {"content_encoding": "utf-16"}
    ),
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
