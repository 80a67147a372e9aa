"""What the methods of a publisher send, and what they raise."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.publisher.kit import REGISTRY, Loaded, Make, Scored
from tests.support.amqp import declare, take_all
from tests.support.rabbit import broker
from typed_pubsub import DefinitionError, EventError, Publisher, PublishFailed, PubSubConfig, Registry, StructEvent
from typed_pubsub.testing.nodes import RabbitMQNode

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_an_event_is_in_the_queue_when_publish_returns(make: Make, vhost_url: str) -> None:
    before = datetime.now(UTC)
    event_id = make(source="a-service").publish(Loaded(source="crm", rows=3), traceparent=TRACE)
    (found,) = take_all(vhost_url, "a_queue")
    assert found.delivery_info["routing_key"] == "etl.crm.loaded"
    assert json.loads(found.body) == {"source": "crm", "rows": 3}
    sent = datetime.fromisoformat(found.headers.pop("ce-time"))
    assert before <= sent <= datetime.now(UTC)
    assert UUID(event_id).version == 4
    assert found.headers == {
        "ce-specversion": "1.0",
        "ce-id": event_id,
        "ce-source": "a-service",
        "ce-type": "etl.{source}.loaded",
        "ce-correlationid": event_id,
        "ce-dataschema": "urn:typed-pubsub:etl.%7Bsource%7D.loaded:2",
        "ce-schemaversion": "2",
        "traceparent": TRACE,
    }
    properties = {name: value for name, value in found.properties.items() if name != "application_headers"}
    assert timedelta(0) <= sent - datetime.fromtimestamp(properties.pop("timestamp"), UTC) < timedelta(seconds=1)
    assert properties == {
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "delivery_mode": 2,
        "message_id": event_id,
        "type": "etl.{source}.loaded",
        "app_id": "a-service",
        "correlation_id": event_id,
    }


def test_correlation_and_causation_are_what_the_caller_says(make: Make, vhost_url: str) -> None:
    publisher, event_id = make(), uuid4()
    assert publisher.publish(Scored(), event_id=event_id, correlation_id="talk", causation_id="cause") == str(event_id)
    assert publisher.publish_many([Scored(), Scored()], correlation_id="talk", causation_id="cause") == 2
    found = take_all(vhost_url, "a_queue")
    assert {one.headers["ce-correlationid"] for one in found} == {"talk"}
    assert {one.headers["ce-causationid"] for one in found} == {"cause"}
    assert {one.properties["correlation_id"] for one in found} == {"talk"}
    assert not any("traceparent" in one.headers for one in found)


def test_each_publication_has_its_own_id_unless_one_is_repeated(make: Make, vhost_url: str) -> None:
    publisher, event = make(), Scored(home=1)
    first = publisher.publish(event)
    assert publisher.publish(event) != first
    assert publisher.publish(event, event_id=first) == first
    publisher.publish_many([event] * 3)
    ids = [found.headers["ce-id"] for found in take_all(vhost_url, "a_queue")]
    assert ids.count(first) == 2
    assert len(set(ids)) == 5


def test_the_classic_form_of_a_bound_key_sends_what_the_model_would(make: Make, vhost_url: str) -> None:
    publisher, event_id = make(), str(uuid4())
    publisher.publish(Loaded(source="crm", rows=3), event_id=event_id)
    assert publisher.publish_event("etl.crm.loaded", {"rows": 3}, event_id=event_id) == event_id
    typed, classic = take_all(vhost_url, "a_queue")
    for found in (typed, classic):
        found.headers.pop("ce-time")
        found.properties.pop("timestamp")
    assert (classic.body, classic.headers, classic.properties) == (typed.body, typed.headers, typed.properties)


@pytest.mark.parametrize(
    ("key", "body", "problem"),
    [
        ("etl.crm.loaded", {"rows": "many"}, r"\$\.rows"),
        ("etl.crm.loaded", {"rows": 1, "extra": 2}, r"\$\.extra: expected only fields"),
        ("etl.crm.loaded", {"source": "erp"}, r"\$\.source: expected the word of the routing key"),
        ("etl.free", {"value": float("nan")}, "JSON form"),
        ("etl.free", {"value": object()}, "JSON form"),
        ("etl.free", ["a list"], r"expected a dict, got list"),
        ("etl.crm.loaded", ["a list"], r"expected a dict, got list"),
        ("etl.crm.loaded", None, r"expected a dict, got NoneType"),
        ("k" * 256, {}, "255"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_before_anything_is_sent(
    make: Make, vhost_url: str, key: str, body: Any, problem: str
) -> None:
    with pytest.raises(EventError, match=problem):
        make().publish_event(key, body)
    assert take_all(vhost_url, "a_queue") == []


def test_a_key_without_a_model_is_sent_as_plain_json_unless_models_are_required(make: Make, vhost_url: str) -> None:
    make().publish_event("etl.free", {"when": datetime(2024, 2, 29, tzinfo=UTC)})
    (found,) = take_all(vhost_url, "a_queue")
    assert json.loads(found.body) == {"when": "2024-02-29T00:00:00Z"}
    assert found.headers["ce-type"] == "etl.free"
    with pytest.raises(EventError, match="REQUIRE_MODELS"):
        make(require_models=True).publish_event("etl.free", {})
    with pytest.raises(DefinitionError):
        make().publish({"no": "event"})  # type: ignore[arg-type]


def test_a_body_over_the_limit_is_refused(make: Make, vhost_url: str) -> None:
    publisher = make(max_body_bytes=100)
    publisher.publish(Loaded(source="a" * 50))
    for refused in (
        lambda: publisher.publish(Loaded(source="a" * 100)),
        lambda: publisher.publish_many([Loaded(source="a" * 100)]),
        lambda: publisher.publish_event("etl.free", {"a": "a" * 100}),
    ):
        with pytest.raises(EventError, match="MAX_BODY_BYTES"):
            refused()
    assert len(take_all(vhost_url, "a_queue")) == 1


@pytest.mark.parametrize("event_id", ["", "i" * 256, "line\nbreak", "\ud800"])
def test_an_id_that_could_not_be_read_back_is_refused(make: Make, event_id: str) -> None:
    with pytest.raises(EventError, match="ce-id"):
        make().publish(Scored(), event_id=event_id)


def test_an_event_that_no_queue_takes_may_be_an_error_that_names_it(make: Make, vhost_url: str) -> None:
    class Unheard(StructEvent, routing_key="nobody.listens", registry=Registry()):
        pass

    publisher = make(unroutable="raise")
    with pytest.raises(PublishFailed, match="no queue takes the event") as raised:
        publisher.publish(Unheard(), event_id="the-id")
    assert raised.value.unroutable == [(0, "the-id")]
    assert raised.value.confirmed == 0
    with pytest.raises(PublishFailed) as raised:
        publisher.publish_many([Scored(), Unheard(), Scored()])
    assert [index for index, _ in raised.value.unroutable] == [1]
    assert raised.value.confirmed == len(take_all(vhost_url, "a_queue"))
    assert raised.value.unknown == raised.value.unsent == []
    assert publisher.publish(Scored()), "the publisher goes on"


def test_an_exchange_that_was_deleted_is_declared_again(make: Make, vhost_url: str) -> None:
    publisher = make()
    publisher.publish(Scored())
    with broker(vhost_url) as connection:
        connection.default_channel.exchange_delete("an_exchange")
    publisher.publish(Scored())
    declare(vhost_url, "a_queue", an_exchange="app.scored")
    publisher.publish(Scored())
    assert len(take_all(vhost_url, "a_queue")) == 2, "the second went to an exchange without bindings"


def test_an_exchange_that_may_not_be_declared_fails_the_publication(rabbitmq: RabbitMQNode, vhost_url: str) -> None:
    with Publisher(PubSubConfig(broker_url=vhost_url, exchange="amq.mine"), registry=REGISTRY) as publisher:
        with pytest.raises(PublishFailed, match=r"refused exchange 'amq\.mine'") as raised:
            publisher.publish_many([Scored(), Scored()])
        assert len(raised.value.unsent) == 1, "the second was not read"


def test_closing_a_publisher_closes_its_connections_and_is_a_context_managers_end(make: Make, vhost_url: str) -> None:
    with make() as publisher:
        publisher.publish(Scored())
        assert len(publisher._pool._idle) == 1
    assert publisher._pool._idle == []
    publisher.publish(Scored())
    assert publisher._pool._idle == [], "after close() a connection lives as long as its publication"
    assert len(take_all(vhost_url, "a_queue")) == 2
