from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typed_pubsub.errors import EventError
from typed_pubsub.events import Event, Registry
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.events.message import Context, compose
from typed_pubsub.events.registry import data_schema, meta_of

NOW = datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)


class Loaded(Event, routing_key="etl.{source}.loaded", version=2, registry=Registry()):
    source: str


def test_a_message_of_a_bound_event_says_all_that_the_wire_format_asks_for() -> None:
    message = compose(meta_of(Loaded), "etl.crm.loaded", b"{}", "e1", Context("app1", NOW, "c1", "e0", "00-1-2-01"))
    assert (message.event_id, message.routing_key, message.body) == ("e1", "etl.crm.loaded", b"{}")
    assert message.headers == {
        "ce-specversion": "1.0",
        "ce-id": "e1",
        "ce-source": "app1",
        "ce-type": "etl.{source}.loaded",
        "ce-time": "2026-03-01T12:30:15.250000+00:00",
        "ce-correlationid": "c1",
        "ce-dataschema": "urn:typed-pubsub:etl.%7Bsource%7D.loaded:2",
        "ce-schemaversion": "2",
        "ce-causationid": "e0",
        "traceparent": "00-1-2-01",
    }
    assert message.properties == {
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "delivery_mode": 2,
        "message_id": "e1",
        "timestamp": 1_772_368_215,
        "type": "etl.{source}.loaded",
        "app_id": "app1",
        "correlation_id": "c1",
    }


def test_a_message_without_a_model_has_no_schema_and_no_version() -> None:
    message = compose(None, "any.key", b"{}", "e1", Context("app1", NOW))
    assert message.headers == {
        "ce-specversion": "1.0",
        "ce-id": "e1",
        "ce-source": "app1",
        "ce-type": "any.key",
        "ce-time": "2026-03-01T12:30:15.250000+00:00",
        "ce-correlationid": "e1",
    }
    assert message.properties["type"] == "any.key"


def test_an_event_that_belongs_to_none_starts_a_conversation() -> None:
    message = compose(None, "k", b"{}", "e1", Context("app1", NOW))
    assert message.headers["ce-correlationid"] == message.properties["correlation_id"] == "e1"


def test_the_time_keeps_its_zone_and_the_timestamp_is_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5)))
    message = compose(None, "k", b"{}", "e1", Context("app1", there))
    assert message.headers["ce-time"] == "2026-03-01T17:30:15.250000+05:00"
    assert message.properties["timestamp"] == 1_772_368_215


def test_every_header_is_a_text() -> None:
    message = compose(meta_of(Loaded), "etl.crm.loaded", b"{}", "e1", Context("app1", NOW, "c1", "e0", "00-1-2-01"))
    assert {type(value) for value in message.headers.values()} == {str}


@pytest.mark.parametrize("bad", ["", "a\nb", "x" * 256, "é" * 128, "\x00", "\ud800"])
@pytest.mark.parametrize("place", ["ce-id", "ce-source", "ce-correlationid", "ce-causationid", "traceparent"])
def test_an_id_that_a_subscriber_could_not_read_is_not_written(place: str, bad: str) -> None:
    given: dict[str, Any] = {"ce-id": "e1", "ce-source": "app1", "ce-correlationid": "c1", "ce-causationid": None}
    given |= {"traceparent": None, place: bad}
    context = Context(given["ce-source"], NOW, given["ce-correlationid"], given["ce-causationid"], given["traceparent"])
    with pytest.raises(EventError, match=rf"^k: {place}: expected a printable text of 1 to 255 bytes, got '"):
        compose(None, "k", b"{}", given["ce-id"], context)


@given(st.text(max_size=40))
def test_whatever_key_a_row_uses_the_message_can_be_read_back(routing_key: str) -> None:
    message = compose(None, routing_key, b"{}", "e1", Context("app1", NOW))
    delivery = Delivery(routing_key, b"{}", "r1", "events", message.headers, message.properties)
    said = read_metadata(delivery)
    assert said.problem is None
    assert (said.routing_key, said.event_id, said.source, said.correlation_id) == (routing_key, "e1", "app1", "e1")


@given(st.text(), st.integers(1))
def test_the_uri_of_a_contract_gives_key_and_version_back(template: str, version: int) -> None:
    uri = data_schema(template, version)
    assert uri.isascii()
    scheme, kind, key, number = uri.split(":")
    assert (scheme, kind, unquote(key), number) == ("urn", "typed-pubsub", template, str(version))
