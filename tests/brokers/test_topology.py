"""Topology is declared where it is missing, used as found where it is not, and never taken away."""

from typing import Any

import pytest
from amqp.exceptions import PreconditionFailed

from tests.support.amqp import declare, linked, message, of_dead_letters, send, take_all
from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub import TopologyRefused
from typed_pubsub.brokers.queues import has_delivery_limit
from typed_pubsub.brokers.topology import Topology, dead_letter_queue
from typed_pubsub.testing.nodes import RabbitMQNode

TOPOLOGY = Topology("an_exchange", "a_queue", ("a.*", "b.#"))


def ensure(url: str, topology: Topology) -> None:
    with linked(url) as link:
        topology.ensure(link)


def same_queue(url: str, name: str, arguments: dict[str, Any]) -> bool:
    """Whether declaring it with these arguments is no conflict: the broker compares them all."""
    with broker(url) as connection, connection.channel() as channel:
        try:
            channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
        except PreconditionFailed:
            return False
        return True


def reaches(url: str, key: str, exchange: str = "an_exchange") -> int:
    send(url, exchange, key, message(b"{}"))
    return len(take_all(url, "a_queue"))


def test_a_fresh_queue_is_classic_and_has_no_arguments(vhost_url: str) -> None:
    ensure(vhost_url, TOPOLOGY)
    assert same_queue(vhost_url, "a_queue", {})
    assert same_queue(vhost_url, "a_queue.dlq", {})
    assert reaches(vhost_url, "a.key") == 1
    assert reaches(vhost_url, "b") == 1
    with broker(vhost_url) as connection:
        connection.default_channel.exchange_declare("an_exchange", "topic", durable=True, auto_delete=False)


def test_a_fresh_quorum_queue_has_a_delivery_limit_and_dead_letters_at_least_once(vhost_url: str) -> None:
    ensure(vhost_url, Topology("an_exchange", "a_queue", ("a.*",), quorum=True))
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": 50,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "a_queue.dlq",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    assert same_queue(vhost_url, "a_queue", arguments)
    assert same_queue(vhost_url, "a_queue.dlq", of_dead_letters(vhost_url))


def test_a_quorum_queue_dead_letters_what_was_delivered_too_often(
    vhost_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typed_pubsub.brokers.topology.DELIVERY_LIMIT", 2)
    ensure(vhost_url, Topology("an_exchange", "a_queue", ("a.*",), quorum=True))
    send(vhost_url, "an_exchange", "a.key", message(b"{}"))
    with broker(vhost_url) as connection:
        channel = connection.default_channel

        def dead() -> Any:
            if (found := channel.basic_get("a_queue")) is not None:
                channel.basic_reject(found.delivery_tag, requeue=True)
            return channel.basic_get("a_queue.dlq", no_ack=True)

        assert eventually(dead).headers["x-death"][0]["reason"] == "delivery_limit"


@pytest.mark.parametrize(
    "arguments", [{"x-queue-type": "quorum"}, {"x-max-length": 9}, {"x-dead-letter-exchange": "x"}]
)
@pytest.mark.parametrize("quorum", [False, True])
def test_an_existing_queue_is_used_as_it_is_found(vhost_url: str, arguments: dict[str, Any], quorum: bool) -> None:
    declare(vhost_url, "a_queue", arguments, old_exchange="old.key")
    send(vhost_url, "old_exchange", "old.key", message(b"waiting"))
    ensure(vhost_url, Topology("an_exchange", "a_queue", ("a.*",), quorum=quorum))
    assert same_queue(vhost_url, "a_queue", arguments)
    assert [found.body for found in take_all(vhost_url, "a_queue")] == [b"waiting"]
    assert reaches(vhost_url, "a.key") == 1
    assert reaches(vhost_url, "old.key", "old_exchange") == 1, "its bindings stay"


@pytest.mark.parametrize("kind", ["fanout", "direct", "headers"])
def test_an_existing_exchange_of_another_type_is_used_as_it_is_found(vhost_url: str, kind: str) -> None:
    with broker(vhost_url) as connection:
        connection.default_channel.exchange_declare("an_exchange", kind, durable=False, auto_delete=False)
    ensure(vhost_url, TOPOLOGY)
    with broker(vhost_url) as connection:
        connection.default_channel.exchange_declare("an_exchange", kind, durable=False, auto_delete=False)


def test_bindings_are_added_and_never_removed(vhost_url: str) -> None:
    ensure(vhost_url, TOPOLOGY)
    ensure(vhost_url, Topology("an_exchange", "a_queue", ("c.key",)))
    ensure(vhost_url, Topology("an_exchange", "a_queue", ("c.key",)))
    for key in ("a.key", "b.some.key", "c.key"):
        assert reaches(vhost_url, key) == 1


def test_a_thousand_bindings_take_no_thousand_round_trips(vhost_url: str) -> None:
    ensure(vhost_url, Topology("an_exchange", "a_queue", tuple(f"key.{number}" for number in range(1_000))))
    assert reaches(vhost_url, "key.999") == 1


def test_the_dead_letter_queue_is_named_after_the_queue() -> None:
    assert dead_letter_queue("a_queue") == "a_queue.dlq"


def test_a_reserved_name_is_refused_by_the_broker_and_told(vhost_url: str) -> None:
    with pytest.raises(TopologyRefused, match=r"exchange 'amq\.mine'.*permission"):
        ensure(vhost_url, Topology("amq.mine", "a_queue", ()))
    with pytest.raises(TopologyRefused, match=r"queue 'amq\.mine\.dlq'"):
        ensure(vhost_url, Topology("an_exchange", "amq.mine", ()))


def test_the_default_exchange_is_refused_and_told(vhost_url: str) -> None:
    with pytest.raises(TopologyRefused, match="exchange ''"):
        ensure(vhost_url, Topology("", "a_queue", ("a.key",)))


def test_a_queue_that_is_another_connections_own_is_refused_and_told(vhost_url: str) -> None:
    with broker(vhost_url) as connection:
        connection.default_channel.queue_declare("a_queue", exclusive=True)
        with pytest.raises(TopologyRefused, match="queue 'a_queue'"):
            ensure(vhost_url, TOPOLOGY)


def test_a_user_who_may_not_configure_finds_what_is_there_and_declares_nothing(
    rabbitmq: RabbitMQNode, vhost_url: str
) -> None:
    ensure(vhost_url, TOPOLOGY)
    vhost = vhost_url.rpartition("/")[2]
    rabbitmq.ctl("add_user", "reader", "pw")
    rabbitmq.ctl("set_permissions", "--vhost", vhost, "reader", "^$", ".*", ".*")
    url = vhost_url.replace("guest:guest", "reader:pw")
    ensure(url, TOPOLOGY)
    with pytest.raises(TopologyRefused, match=r"queue 'another_queue.*permission"):
        ensure(url, Topology("an_exchange", "another_queue", ()))
    with linked(url) as link:
        assert has_delivery_limit(link, "a_queue"), "nobody can tell, so it may have one"
    assert queue_state(vhost_url, "another_queue") is None
    rabbitmq.ctl("set_permissions", "--vhost", vhost, "reader", ".*", "^$", ".*")
    with pytest.raises(TopologyRefused, match=r"the bindings of queue 'a_queue' to exchange 'an_exchange'.*permission"):
        ensure(url, TOPOLOGY)
