"""Every golden message is read as its file says, and ours are written so today: see README.md beside this file."""

import base64
import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import kombu.utils.json as kombu_json
import msgspec
import pytest
from pydantic import BaseModel, Field

from typed_pubsub.demo.events import MatchesDeleted, MatchesPublished, ScoreChanged, TableLoaded
from typed_pubsub.events import Event, EventClass, Registry, tagged
from typed_pubsub.events.codec import BodyError, read_json
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.message import Context, Message, compose
from typed_pubsub.events.registry import EventMeta, meta_of

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
READERS = Registry()


class Player(BaseModel):
    id: int
    name: str


class PlayerMoved(Event, routing_key="app1.players.moved", version=2, registry=READERS):
    """Today's model of an event of which version 1 messages are still about."""

    player: Player
    origin: str = Field(alias="from")
    target: str = Field(alias="to")
    fee: int | None = None


DEMO: list[EventClass] = [MatchesPublished, MatchesDeleted, TableLoaded, ScoreChanged]
for _event in DEMO:
    READERS.add(_event, meta_of(_event))


@dataclasses.dataclass
class Golden:
    delivery: Delivery
    composed_from: dict[str, Any] | None
    expected: dict[str, Any]


def load(path: Path) -> Golden:
    content = json.loads(path.read_text(encoding="utf-8"))
    message = content["message"]
    body = message["body"].encode() if "body" in message else base64.b64decode(message["body_base64"])
    delivery = Delivery(
        message["routing_key"], body, "random", message["exchange"], message["headers"], message["properties"]
    )
    return Golden(delivery, content.get("composed_from"), content["expected"])


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def golden(request: pytest.FixtureRequest) -> Golden:
    return load(request.param)


def model_of(golden: Golden) -> EventMeta | None:
    model = READERS.find(golden.expected["metadata"]["routing_key"])
    return None if model is None else meta_of(model)


def read(golden: Golden) -> Any:
    """The event of a bound key, as the subscriber reads it."""
    said = read_metadata(golden.delivery)
    meta = model_of(golden)
    assert meta is not None
    body = golden.delivery.body if said.ours else tagged.plain(golden.delivery.body)
    return read_event(meta, said.routing_key, body)


def test_there_is_a_golden_message_of_every_demo_event_and_of_every_other_kind() -> None:
    assert {path.stem for path in GOLDEN} >= {
        "matches_published",
        "matches_deleted",
        "table_loaded",
        "score_changed",
        "unbound_publish_event",
        "replaced_library_bound",
        "replaced_library_every_tag",
        "replayed",
        "dead_lettered_and_shovelled",
        "older_version",
        "not_json",
        "pickle",
    }


def test_its_metadata_is_read_as_ever(golden: Golden) -> None:
    assert msgspec.structs.asdict(read_metadata(golden.delivery)) == golden.expected["metadata"]


def test_its_body_is_read_as_ever(golden: Golden) -> None:
    if "event" in golden.expected:
        event = read(golden)
        assert type(event).__name__ == golden.expected["event"]["model"]
        fields = event.model_dump(mode="json") if isinstance(event, BaseModel) else msgspec.to_builtins(event)
        assert fields == golden.expected["event"]["fields"]
    if "row" in golden.expected:
        body = golden.delivery.body
        row = read_json(body) if golden.expected["metadata"]["ours"] else tagged.revive(body)
        assert row == kombu_json.loads(json.dumps(golden.expected["row"]))
    if "error" in golden.expected:
        with pytest.raises(BodyError, match=f"^{golden.expected['error']}"):
            read(golden)
    assert golden.expected.keys() & {"event", "row", "error"} or golden.expected["metadata"]["problem"]


def composed_today(golden: Golden) -> Message:
    given: dict[str, Any] = dict(golden.composed_from or {})
    event_id, time = given.pop("event_id"), datetime.fromisoformat(given.pop("time"))
    meta = model_of(golden)
    if meta is None:
        return compose(None, golden.delivery.routing_key, golden.delivery.body, event_id, Context(time=time, **given))
    routing_key, body = write_event(read(golden))
    return compose(meta, routing_key, body, event_id, Context(time=time, **given))


@pytest.mark.parametrize("path", [path for path in GOLDEN if load(path).composed_from], ids=lambda path: path.stem)
def test_a_message_of_ours_is_written_as_ever(path: Path) -> None:
    then = load(path).delivery
    today = composed_today(load(path))
    assert today.body == then.body
    assert today.routing_key == then.routing_key
    # The order of the headers is a part of the bytes.
    assert list(today.headers.items()) == list(then.headers.items())
    assert list(today.properties.items()) == list(then.properties.items())
