"""What a broker says of what it has: by AMQP alone, by the management API, and from the embedded broker's file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.ops.conftest import Managed
from tests.support.amqp import declare, linked, message, of_dead_letters, send
from tests.support.rabbit import broker, queue_state
from typed_pubsub import MisconfigurationException
from typed_pubsub.brokers.queues import exchange_differs, how_made
from typed_pubsub.brokers.topology import Topology, queue_arguments
from typed_pubsub.ops.topology.look import look
from typed_pubsub.ops.topology.plan import plan
from typed_pubsub.ops.topology.values import Binding, Declared, Exchange, Queue
from typed_pubsub.testing.nodes import RabbitMQNode

QUORUM = queue_arguments("q", quorum=True, limits_deliveries=False)
DECLARED = Declared(Exchange("events"), (Queue("q.dlq"), Queue("q")), ("a.b", "c.*"))
BOUND = {Binding("events", "q", "a.b").key, "c.*"}


def ensure(url: str, *, quorum: bool = False) -> None:
    with linked(url) as link:
        Topology("events", "q", ("a.b", "c.*"), quorum=quorum).ensure(link)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        QUORUM,
        {"x-max-length": 5, "x-message-ttl": 60_000},
        {"x-dead-letter-exchange": "it's", "x-single-active-consumer": True, "x-max-priority": 3},
        {"x-overflow": "drop-head", "x-queue-mode": "lazy", "x-expires": 9_000_000},
    ],
    ids=["none", "quorum", "numbers", "texts", "more"],
)
def test_how_a_queue_was_made_is_known_by_amqp_alone(vhost_url: str, arguments: dict[str, Any]) -> None:
    declare(vhost_url, "q", arguments)
    with linked(vhost_url) as link:
        assert how_made(link, "q").arguments == arguments


def test_whether_a_queue_is_durable_is_known_by_amqp_alone(vhost_url: str) -> None:
    with broker(vhost_url) as connection, linked(vhost_url) as link:
        connection.default_channel.queue_declare("q", durable=False, auto_delete=True)
        made = how_made(link, "q")
    assert (made.durable, made.auto_delete) == (False, True)


@pytest.mark.parametrize(("kind", "told"), [("topic", None), ("fanout", ("type", "fanout"))])
def test_of_what_type_an_exchange_is_is_known_by_amqp_alone(
    broker_url: str, kind: str, told: tuple[str, str] | None
) -> None:
    with broker(broker_url) as connection, linked(broker_url) as link:
        connection.default_channel.exchange_declare("events", kind, durable=True, auto_delete=False)
        assert exchange_differs(link, "events") == told


def test_the_embedded_broker_tells_how_a_queue_was_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    declare(url, "q", {"x-max-length": 5})
    with linked(url) as link:
        assert how_made(link, "q").arguments == {"x-max-length": 5}


def test_looking_changes_nothing_on_an_empty_broker(broker_url: str) -> None:
    found = look(broker_url, DECLARED)
    assert (found.exchange, dict(found.queues)) == (None, {})
    assert queue_state(broker_url, "q") is None
    assert queue_state(broker_url, "q.dlq") is None


def test_a_file_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    found = look(f"sqlite:///{tmp_path}/broker.db", DECLARED)
    assert found.unknown == ("there is no such file yet: the embedded broker makes it when it is first used",)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("quorum", [False, True])
def test_what_a_subscriber_has_declared_is_what_is_declared(broker_url: str, quorum: bool) -> None:
    limits = broker_url.startswith("sqlite")
    ensure(broker_url, quorum=quorum)
    dead = of_dead_letters(broker_url, quorum=quorum)
    arguments = queue_arguments("q", quorum=quorum, limits_deliveries=limits)
    declared = replace(DECLARED, queues=(Queue("q.dlq", dead), Queue("q", arguments)))
    assert plan(declared, look(broker_url, declared)).nothing_to_do


def test_the_embedded_brokers_file_tells_of_bindings_and_what_is_under_way(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    ensure(url)
    declare(url, "q.dlq", events="dead")
    for _ in range(3):
        send(url, "events", "a.b", message(b"{}"))
    with broker(url) as connection:
        connection.default_channel.basic_get("q")
        found = look(url, DECLARED)
    queue = found.queues["q"]
    assert (queue.ready, queue.unacked, found.unknown) == (2, 1, ())
    assert {(b.queue, b.key) for b in found.bindings or ()} == {("q", "a.b"), ("q", "c.*"), ("q.dlq", "dead")}


def test_the_management_api_tells_of_bindings_with_their_arguments(managed: Managed, managed_url: str) -> None:
    ensure(managed_url)
    with broker(managed_url) as connection:
        channel = connection.default_channel
        channel.exchange_declare("with / in it", "headers", durable=True, auto_delete=False)
        channel.queue_bind("q", "with / in it", routing_key="é#/", arguments={"n": 1, "x-match": "any"})
    found = look(managed_url, DECLARED, managed.api)
    assert found.unknown == ()
    assert {b.key for b in found.bindings or ()} == {"a.b", "c.*", "é#/"}
    assert Binding("with / in it", "q", "é#/", {"n": 1, "x-match": "any"}) in (found.bindings or ())


def test_of_a_transient_fanout_exchange_the_management_api_tells_all(managed: Managed, managed_url: str) -> None:
    with broker(managed_url) as connection:
        connection.default_channel.exchange_declare("events", "fanout", durable=False, auto_delete=False)
    found = look(managed_url, DECLARED, managed.api)
    assert found.exchange is not None
    assert found.exchange.made == Exchange("events", "fanout", durable=False)


def test_without_the_management_api_it_is_said_what_is_not_known_and_why(vhost_url: str, nobody_listens: str) -> None:
    ensure(vhost_url)
    found = look(vhost_url, DECLARED, nobody_listens)
    assert found.bindings is None
    assert found.queues["q"].unacked is None
    (told,) = found.unknown
    assert told.startswith(f"the management API at {nobody_listens} does not answer: ")
    assert "bindings cannot be listed" in told
    assert plan(DECLARED, found).nothing_to_do


def test_a_user_who_may_not_configure_is_told_what_he_cannot_know(rabbitmq: RabbitMQNode, vhost_url: str) -> None:
    ensure(vhost_url, quorum=True)
    rabbitmq.ctl("add_user", "looker", "pw")
    rabbitmq.ctl("set_permissions", "--vhost", vhost_url.rpartition("/")[2], "looker", "^$", ".*", ".*")
    found = look(vhost_url.replace("guest:guest", "looker:pw"), DECLARED)
    assert [queue.made for queue in found.queues.values()] == [None, None]
    assert any("how queue 'q' was made (the user lacks a permission)" in told for told in found.unknown)


def test_the_management_api_of_another_broker_is_not_believed(managed: Managed, vhost_url: str) -> None:
    ensure(vhost_url)
    found = look(vhost_url, DECLARED, managed.api)
    assert found.bindings is None
    assert "is of another cluster" in found.unknown[0]


def test_a_wrong_password_of_the_api_is_told_and_not_shown(managed: Managed, managed_url: str) -> None:
    found = look(managed_url, DECLARED, managed.api.replace("://", "://guest:s3cret@"))
    assert "answers 401: user name or password are wrong" in found.unknown[0]
    assert "s3cret" not in found.unknown[0]


@pytest.mark.parametrize("given", ["ftp://h", "localhost:15672", "http://", "http://h?x=s3cret", "http://h:port"])
def test_a_url_that_is_none_of_an_api_is_refused_and_not_repeated(vhost_url: str, given: str) -> None:
    with pytest.raises(MisconfigurationException, match="--management: expected http://HOST:PORT") as refused:
        look(vhost_url, DECLARED, given)
    assert "s3cret" not in str(refused.value)
