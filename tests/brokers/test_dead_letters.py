"""A dead letter holds the body as it came and tells of the rest; nothing of the original acts any more."""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.amqp import declare, linked, take_all
from typed_pubsub.brokers.confirms import ConfirmChannel, Taken
from typed_pubsub.brokers.dead_letters import MAX_ORIGINAL, compose_dead_letter, describe_original
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.routing.decisions import DeadLetter

NOW = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
VERDICT = DeadLetter("invalid_body", "$.a: expected an int, got a str", "private words")
#: RabbitMQ ends a connection over a header frame beyond this.
FRAME = 131_072 - 4_096

#: Headers and properties that act on whoever carries them.
ACTING: dict[str, Any] = {
    "headers": {"CC": ["other"], "BCC": ["another"], "x-delay": 1000, "compression": "application/x-bz2"},
    "properties": {"user_id": "somebody", "expiration": "1", "reply_to": "other", "priority": 9, "delivery_mode": 1},
}


def delivery(**given: Any) -> Delivery:
    return Delivery(**{"routing_key": "a.key", "body": b"{", "random_id": "an-id", "exchange": "an_exchange", **given})


def composed(came: Delivery, verdict: DeadLetter = VERDICT) -> ReadyMessage:
    return compose_dead_letter(came, read_metadata(came), verdict, attempts=3, now=NOW)


def sent_and_read(url: str, came: Delivery, verdict: DeadLetter = VERDICT) -> Any:
    declare(url, "a_queue.dlq")
    with linked(url) as link:
        confirming: ConfirmChannel[int] = ConfirmChannel(link)
        confirming.put(1, composed(came, verdict), "", "a_queue.dlq")
        confirming.flush(30, lambda: None)
        assert confirming.take_outcomes() == {1: Taken()}
    (found,) = take_all(url, "a_queue.dlq")
    return found


def test_a_dead_letter_tells_why_and_holds_the_body_as_it_came(broker_url: str) -> None:
    came = delivery(
        body=b"\x00\xff{", headers={"ce-id": "the-id"}, properties={"content_type": "text/odd", "app_id": "x"}
    )
    found = sent_and_read(broker_url, came)
    original = json.loads(found.headers.pop("x-pubsub-original"))
    assert found.body == b"\x00\xff{"
    assert found.headers == {
        "x-pubsub-reason": "invalid_body",
        "x-pubsub-detail": "$.a: expected an int, got a str: private words",
        "x-pubsub-routing-key": "a.key",
        "x-pubsub-exchange": "an_exchange",
        "x-pubsub-event-id": "the-id",
        "x-pubsub-attempts": 3,
        "x-pubsub-time": "2024-02-29T12:30:00+00:00",
    }
    assert original == {
        "headers": {"ce-id": "the-id"},
        "properties": {"content_type": "text/odd", "app_id": "x"},
    }
    properties = {name: value for name, value in found.properties.items() if name != "application_headers"}
    assert properties == {"content_type": "text/odd", "delivery_mode": 2, "message_id": "the-id"}


def test_nothing_of_the_original_is_live(broker_url: str) -> None:
    declare(broker_url, "other")
    declare(broker_url, "another")
    found = sent_and_read(broker_url, delivery(**ACTING))
    assert not set(found.headers) & set(ACTING["headers"])
    assert set(found.properties) == {"application_headers", "delivery_mode", "message_id"}
    assert json.loads(found.headers["x-pubsub-original"]) == ACTING
    assert take_all(broker_url, "other") == take_all(broker_url, "another") == []


HUGE = {
    "one header of 100 KB": {"big": "x" * 100_000, "small": "kept"},
    "5,000 headers": {f"name-{number}": "v" * 10 for number in range(5_000)},
    "control characters": {"\x00" * 200 + str(number): "\x01" * 250 for number in range(40)},
    "nested": {"deep": {"er": ["x" * 50_000, {"est": b"\xff" * 40_000}]}, "small": "kept"},
}


@pytest.mark.parametrize("kind", HUGE)
def test_the_original_is_cut_at_8_kb_and_stays_json(broker_url: str, kind: str) -> None:
    found = sent_and_read(broker_url, delivery(headers=HUGE[kind], properties={"app_id": "kept"}))
    text = found.headers["x-pubsub-original"]
    original = json.loads(text)
    assert len(text.encode()) <= MAX_ORIGINAL
    assert original["cut"] is True
    assert original["properties"] == {"app_id": "kept"}
    assert original["headers"].get("small", "kept") == "kept"
    assert original["headers"], "the first of them fit"


def test_raw_properties_that_could_not_be_read_are_kept_as_far_as_they_fit() -> None:
    short = describe_original(delivery(raw_properties=b"\x00\xff", wire_error="x"))
    assert json.loads(short) == {"headers": {}, "properties": {}, "raw": "AP8="}
    long = describe_original(delivery(raw_properties=b"\xff" * 100_000, wire_error="x"))
    assert len(long) <= MAX_ORIGINAL
    assert base64.urlsafe_b64decode(json.loads(long)["raw"]).strip(b"\xff") == b""


@pytest.mark.parametrize(
    "value",
    [
        NOW.replace(tzinfo=None),
        Decimal("1.50"),
        float("nan"),
        b"\xff",
        "\ud800",
        2**62,
        None,
        [{"a": [b"\x00"]}],
        pytest.param(object(), id="object"),
    ],
    ids=repr,
)
def test_any_header_value_has_a_json_form(value: Any) -> None:
    assert "name" in json.loads(describe_original(delivery(headers={"name": value})))["headers"]


def test_headers_nested_as_deep_as_py_amqp_reads_them_are_told_of_somehow() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50_000):
        deep = {"n": deep}
    assert json.loads(describe_original(delivery(headers={"name": deep})))["headers"]["name"]


def test_words_without_end_leave_the_dead_letter_small_enough_for_one_frame() -> None:
    came = delivery(
        exchange="",
        headers={"x-pubsub-routing-key": "k" * 120_000, "ce-id": "i" * 200_000},
        properties={"message_id": "\ud800" * 80, "content_type": "\ud800" * 85},
    )
    letter = composed(came, DeadLetter("mapping_error", "d" * 100_000, "\ud800" * 100_000))
    assert len(letter.written_properties) < FRAME
    assert letter.properties["application_headers"]["x-pubsub-routing-key"] == "a.key"


texts = st.text(max_size=40) | st.text(st.characters(categories=["Cs", "Cc", "Lo"]), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | texts | st.binary(max_size=40)
    | st.decimals(allow_nan=False, allow_infinity=False) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | st.binary(max_size=9), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.once
@given(
    headers=st.dictionaries(texts | st.sampled_from(["ce-id", "x-death", "x-pubsub-routing-key"]), values, max_size=6),
    properties=st.dictionaries(st.sampled_from(["message_id", "content_type", "correlation_id", "type"]), texts),
    body=st.binary(max_size=50),
    key=texts,
    detail=texts,
)
def test_every_delivery_has_a_dead_letter(
    headers: dict[str, Any], properties: dict[str, Any], body: bytes, key: str, detail: str
) -> None:
    came = delivery(headers=headers, properties=properties, body=body, routing_key=key, exchange="")
    letter = composed(came, DeadLetter("undecodable", detail, detail))
    assert letter.body == body
    assert len(letter.written_properties) < FRAME
    assert len(letter.properties["application_headers"]["x-pubsub-original"].encode()) <= MAX_ORIGINAL
