"""Dead letters read back, and what puts them on their queue again."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typed_pubsub.brokers.dead_letters import compose_dead_letter
from typed_pubsub.brokers.letters import Letter, as_replayed, read_letter, replay_message
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.routing.decisions import DeadLetter

NOW = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
GOLDEN = Path(__file__).parents[1] / "wire" / "golden"

#: Headers and properties that act on whoever carries them.
ACTING: dict[str, Any] = {
    "headers": {"CC": ["other"], "BCC": ["another"], "x-delay": 1000, "x-death": [{"queue": "q"}], "compression": "x"},
    "properties": {"user_id": "somebody", "expiration": "1", "reply_to": "other", "priority": 9, "delivery_mode": 1},
}


def in_dead_letter_queue(message: ReadyMessage) -> Delivery:
    """What a reader of the dead-letter queue gets."""
    properties = dict(message.properties)
    headers = properties.pop("application_headers")
    return Delivery("q.dlq", message.body, "another random id", "", headers, properties, tag=7)


def dead(came: Delivery, verdict: DeadLetter | None = None) -> Letter:
    said = read_metadata(came)
    verdict = verdict if verdict is not None else DeadLetter("mapping_error", "route r: KeyError", "its text")
    return read_letter(in_dead_letter_queue(compose_dead_letter(came, said, verdict, attempts=2, now=NOW)))


def came(**given_: Any) -> Delivery:
    return Delivery(**{"routing_key": "a.key", "body": b"{}", "random_id": "r-1", "exchange": "events", **given_})


def test_a_dead_letter_is_read_back_as_it_was_written() -> None:
    letter = dead(came(body=b"\xff{", headers={"ce-id": "the-id"}, properties={"app_id": "x"}))
    assert (letter.reason, letter.detail) == ("mapping_error", "route r: KeyError: its text")
    assert (letter.routing_key, letter.exchange, letter.event_id) == ("a.key", "events", "the-id")
    assert (letter.attempts, letter.time, letter.body, letter.tag) == (2, NOW, b"\xff{", 7)
    assert (letter.original.headers, letter.original.properties) == ({"ce-id": "the-id"}, {"app_id": "x"})
    assert not letter.original.cut


def test_replayed_it_is_the_golden_message() -> None:
    golden = json.loads((GOLDEN / "replayed.json").read_text())["message"]
    headers = dict(golden["headers"])
    key = headers.pop("x-pubsub-routing-key")
    original = came(routing_key=key, body=golden["body"].encode(), headers=headers, properties=golden["properties"])
    message = replay_message(dead(original))
    written = dict(message.properties)
    # The order of the headers is a part of the bytes.
    assert list(written.pop("application_headers").items()) == list(golden["headers"].items())
    assert written == golden["properties"]
    assert message.body == golden["body"].encode()


def test_nothing_of_the_original_acts_on_the_copy() -> None:
    letter = dead(came(headers={**ACTING["headers"], "ce-id": "i"}, properties=ACTING["properties"]))
    properties = dict(replay_message(letter).properties)
    assert properties.pop("application_headers") == {"ce-id": "i", "x-pubsub-routing-key": "a.key"}
    assert properties == {"delivery_mode": 2}


def test_an_event_without_an_id_of_its_own_gets_the_one_it_had_when_it_died() -> None:
    replayed = read_metadata(as_replayed(dead(came(properties={"content_type": "application/json"})), "q"))
    assert (replayed.event_id, replayed.has_id, replayed.ours) == ("r-1", True, False)


def test_what_the_broker_moved_has_the_brokers_reason_and_is_its_own_original() -> None:
    death = {
        "count": 51,
        "reason": "delivery_limit",
        "queue": "q",
        "exchange": "events",
        "routing-keys": ["a.key"],
        "time": datetime(2024, 2, 29, 12, 30),  # noqa: DTZ001  # as py-amqp reads it
    }
    headers = {"ce-id": "the-id", "x-death": [death], "x-first-death-queue": "q", "x-delivery-count": 3}
    letter = read_letter(came(routing_key="q.dlq", exchange="", headers=headers, properties={"app_id": "x"}))
    assert (letter.reason, letter.routing_key, letter.event_id) == ("delivery_limit", "a.key", "the-id")
    assert (letter.time, letter.attempts) == (NOW, None)
    assert letter.detail == "the broker moved it here from queue 'q'"
    assert read_metadata(as_replayed(letter, "q")).routing_key == "a.key"
    assert replay_message(letter).properties["application_headers"].keys() == {"ce-id", "x-pubsub-routing-key"}


def test_what_anybody_put_there_is_of_an_unknown_reason() -> None:
    letter = read_letter(came(routing_key="q.dlq", exchange="", body=b"\x00"))
    assert (letter.reason, letter.detail, letter.event_id, letter.time) == ("unknown", "", "", None)
    assert "message_id" not in replay_message(letter).properties


def test_an_original_that_cannot_be_read_is_as_good_as_cut() -> None:
    for told in ("{", "[]", '{"headers": 5}', 7, None):
        letter = read_letter(
            came(
                exchange="",
                headers={"x-pubsub-reason": "oversize", "x-pubsub-original": told, "x-pubsub-event-id": "i"},
            )
        )
        assert letter.original.cut
        assert read_metadata(as_replayed(letter, "q")).event_id == "i"


anything = st.text(max_size=20) | st.text(st.characters(categories=["Cs", "Cc", "Lo"]), max_size=20)
plain = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40)
wild = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | anything
    | st.binary(max_size=20) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
CE = ("ce-id", "ce-source", "ce-type", "ce-schemaversion", "ce-correlationid", "ce-specversion", "traceparent")


@given(
    headers=st.dictionaries(st.sampled_from([*CE, "CC", "ce-time", "x-odd"]), plain | st.integers(0, 9), max_size=7),
    properties=st.dictionaries(st.sampled_from(["message_id", "correlation_id", "type", "user_id"]), plain),
    body=st.binary(max_size=50),
    key=plain.filter(bool),
)
def test_whatever_the_event_was_it_is_again_when_replayed(
    headers: dict[str, Any], properties: dict[str, Any], body: bytes, key: str
) -> None:
    original = came(headers=headers, properties=properties, body=body, routing_key=key)
    letter = dead(original)
    assert not letter.original.cut
    before, after = read_metadata(original), read_metadata(as_replayed(letter, "q"))
    assert as_replayed(letter, "q").body == body
    for what in ("routing_key", "event_id", "source", "type", "version", "correlation_id", "traceparent", "ours"):
        assert getattr(after, what) == getattr(before, what), what
    assert (after.problem is None) == (before.problem is None)


@given(
    headers=st.dictionaries(
        anything
        | st.sampled_from([
            "x-pubsub-reason", "x-pubsub-detail", "x-pubsub-routing-key", "x-pubsub-event-id", "x-pubsub-attempts",
            "x-pubsub-time", "x-pubsub-original", "x-death", *CE,
        ]),
        wild | st.builds(lambda value: json.dumps({"headers": {"ce-id": value}}), st.integers() | st.lists(st.none())),
        max_size=8,
    ),
    properties=st.dictionaries(st.sampled_from(["message_id", "content_type", "timestamp", "type"]), wild),
    body=st.binary(max_size=50),
    key=anything,
)  # fmt: skip
def test_any_message_at_all_is_a_letter_that_can_be_replayed(
    headers: dict[str, Any], properties: dict[str, Any], body: bytes, key: str
) -> None:
    letter = read_letter(Delivery(key, body, "r", "", headers, properties))
    assert letter.reason
    assert replay_message(letter).body == body
    assert as_replayed(letter, "q").exchange == ""


@pytest.mark.parametrize(
    ("time", "read"),
    [
        ("yesterday", None),
        ("9999-99-99", None),
        (10**30, None),
        ([], None),
        ("2024-02-29T12:30:00", NOW),
        ("2024-02-29T13:30:00+01:00", NOW),
        (1709209800, NOW),
    ],
    ids=repr,
)
def test_a_time_that_is_none_is_none_and_one_without_a_zone_is_utc(time: Any, read: datetime | None) -> None:
    letter = read_letter(came(exchange="", headers={"x-pubsub-reason": "oversize", "x-pubsub-time": time}))
    assert letter.time == read
