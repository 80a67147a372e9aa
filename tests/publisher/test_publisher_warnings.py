"""What a publisher warns of: superseded and deprecated events, events that no queue takes."""

import logging

import pytest

from tests.publisher.kit import REGISTRY, Make, Scored
from tests.support.amqp import take_all
from typed_pubsub import Event, Publisher, PubSubConfig, Registry, StructEvent


def test_a_deprecated_event_is_published_with_one_warning_a_class(
    make: Make, vhost_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry()

    class Old(Event, routing_key="etl.old", registry=registry, deprecated="use Loaded instead"):
        pass

    class StructOld(StructEvent, routing_key="etl.struct", version=3, registry=registry, deprecated="use Loaded"):
        pass

    publisher = make()
    publisher.publish(Old())
    publisher.publish_many([Old(), StructOld(), Old()])
    make().publish(StructOld())
    publisher.publish(Scored())
    name = f"{__name__}.{test_a_deprecated_event_is_published_with_one_warning_a_class.__name__}.<locals>"
    assert [(record.name, record.message) for record in caplog.records if record.levelno >= logging.WARNING] == [
        (
            "typed_pubsub.publisher",
            f"publishing {name}.Old ('etl.old' version 1), which is deprecated: use Loaded instead",
        ),
        (
            "typed_pubsub.publisher",
            f"publishing {name}.StructOld ('etl.struct' version 3), which is deprecated: use Loaded",
        ),
    ]
    assert len(take_all(vhost_url, "a_queue")) == 6


def test_a_superseded_version_is_published_with_one_warning_that_names_the_newest(
    make: Make, vhost_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry()

    class First(Event, routing_key="etl.{x}", registry=registry):
        x: str

    class Second(Event, routing_key="etl.{x}", version=2, registry=registry):
        x: str

    publisher = make()
    publisher.publish_many([First(x="a"), Second(x="a"), First(x="b")])
    (warned,) = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert warned.startswith(f"publishing {__name__}.")
    assert ".First ('etl.{x}' version 1), which is superseded: use " in warned
    assert warned.endswith(".Second (version 2)")
    versions = [found.headers["ce-schemaversion"] for found in take_all(vhost_url, "a_queue")]
    assert versions == ["1", "2", "1"]


def test_publish_event_warns_of_a_deprecated_model_too(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry()

    class Gone(Event, routing_key="etl.classic", registry=registry, deprecated="use Loaded instead"):
        pass

    publisher = make(registry=registry)
    for _ in range(2):
        publisher.publish_event("etl.classic", {})
    (warned,) = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert warned.endswith("Gone ('etl.classic' version 1), which is deprecated: use Loaded instead")


def test_an_event_that_no_queue_takes_is_warned_of_once_a_key_and_minute(
    make: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = make()
    with caplog.at_level(logging.WARNING, "typed_pubsub.publisher"):
        publisher.publish_event("nobody.listens", {})
        publisher.publish_event("nobody.listens", {})
        assert [record.message for record in caplog.records] == [
            "no queue of exchange 'an_exchange' takes events of 'nobody.listens': nobody will see them"
        ]
        publisher.publish_event("nobody.else", {})
        assert len(caplog.records) == 2
        monkeypatch.setattr("typed_pubsub.publisher._WARN_EVERY", 0.0)
        publisher.publish_event("nobody.listens", {})
        assert len(caplog.records) == 3


def test_an_event_that_no_queue_takes_may_be_ignored(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    make(unroutable="ignore").publish_event("nobody.listens", {})
    assert caplog.records == []


def test_a_broker_elsewhere_in_plain_text_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    Publisher(PubSubConfig(broker_url="amqp://user:secret@rabbit.example//", exchange="e"), registry=REGISTRY)
    assert [record.message for record in caplog.records] == [
        "BROKER_URL reaches rabbit.example in plain text: use amqps://"
    ]
