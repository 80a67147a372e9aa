"""A message that moves from one queue to another is the same message, and nothing that acts on it acts again."""

from collections import Counter
from typing import Any

import pytest

from tests.support.amqp import (
    CONTENT_TYPE,
    TIMESTAMP,
    RawMessage,
    declare,
    linked,
    message,
    properties,
    send,
    short,
    take_all,
    timestamp,
    wait_for_count,
)
from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub import TopologyRefused
from typed_pubsub.brokers.moving import copy_of, delete_empty, identity, move, shared
from typed_pubsub.events.delivery import Delivery

QUORUM = {"x-queue-type": "quorum"}


def delivery(body: bytes = b"{}", key: str = "a.key", exchange: str = "events", **given: Any) -> Delivery:
    return Delivery(key, body, "random", exchange, **given)


def carry(url: str, **given: Any) -> int:
    with linked(url) as reading, linked(url) as writing:
        return move(reading, writing, ("old", "new"), **{"known": Counter(), "most": 1_000, **given})


def carried(url: str, to_send: Any, key: str | bytes = "a.key") -> Any:
    """The message that arrives."""
    declare(url, "old", events="#")
    declare(url, "new")
    send(url, "events", key, to_send)
    assert carry(url) == 1
    (found,) = take_all(url, "new")
    assert queue_state(url, "old").message_count == 0
    return found


def test_body_headers_and_properties_stay_and_the_key_is_noted(broker_url: str) -> None:
    headers = {"text": "é", "whole": 7, "none": None, "flag": True, "list": [1, {"a": "b"}], "half": 0.5}
    given = {
        "content_encoding": "utf-8",
        "delivery_mode": 2,
        "priority": 3,
        "correlation_id": "c",
        "reply_to": "a_queue",
        "message_id": "m",
        "timestamp": 1_764_040_000,
        "type": "t",
        "app_id": "app",
    }
    found = carried(broker_url, message(b"\x00{", headers, **given))
    assert found.body == b"\x00{"
    assert found.headers == {**headers, "x-pubsub-routing-key": "a.key"}
    kept = {name: value for name, value in found.properties.items() if name in {*given, "content_type"}}
    assert kept == {**given, "content_type": "application/json"}


def test_it_goes_nowhere_else_does_not_expire_and_is_not_refused(vhost_url: str) -> None:
    declare(vhost_url, "copies")
    sent = message(
        b"{}", {"CC": ["copies"], "BCC": ["copies"]}, expiration="60000", user_id="guest", reply_to="amq.rabbitmq.me"
    )
    found = carried(vhost_url, sent)
    assert "CC" not in found.headers
    assert not {"expiration", "user_id"} & {*found.properties}
    assert queue_state(vhost_url, "copies").message_count == 0, "CC and BCC are keys of the events' exchange"


def test_what_another_user_sent_is_moved(vhost_url: str) -> None:
    sent = delivery(properties={"user_id": "somebody", "expiration": "1"})
    assert copy_of(sent).properties == {"application_headers": {"x-pubsub-routing-key": "a.key"}}


def test_a_note_of_the_key_is_kept_where_it_is_believed_and_replaced_where_it_is_not() -> None:
    noted = {"x-pubsub-routing-key": "noted.key"}

    def key_of(sent: Delivery) -> Any:
        return copy_of(sent).properties["application_headers"]["x-pubsub-routing-key"]

    assert key_of(delivery(exchange="", key="old", headers=noted)) == "noted.key"
    assert key_of(delivery(exchange="events", key="a.key", headers=noted)) == "a.key"
    assert key_of(delivery(exchange="", key="old")) == "old"
    death = {"x-death": [{"exchange": "events", "routing-keys": ["first.key"]}]}
    assert key_of(delivery(exchange="", key="old", headers=death)) == "first.key"


def test_what_cannot_be_read_is_moved_byte_by_byte(vhost_url: str) -> None:
    raw = properties(CONTENT_TYPE | TIMESTAMP, short(b"\xff\xfe") + timestamp(2**60))
    found: list[Any] = []
    declare(vhost_url, "old", events="#")
    declare(vhost_url, "new")
    send(vhost_url, "events", "a.key", RawMessage(b"body", raw))
    assert carry(vhost_url) == 1
    with linked(vhost_url) as link:
        channel = link.channel()
        channel.basic_consume("new", callback=found.append)
        link.drain(10)
    (came,) = found
    assert (came.body, came.raw_properties) == (b"body", raw)


def test_a_key_that_is_no_text_is_moved(vhost_url: str) -> None:
    assert carried(vhost_url, message(b"{}"), b"a.\xff").headers["x-pubsub-routing-key"] == "a.\\xff"


@pytest.mark.parametrize("most", [1, 199, 200, 201, 450])
def test_so_many_are_moved_in_order_and_the_others_stay(vhost_url: str, most: int) -> None:
    declare(vhost_url, "old")
    declare(vhost_url, "new", QUORUM)
    with broker(vhost_url) as connection:
        for number in range(450):
            connection.default_channel.basic_publish(message(b"%d" % number), "", "old")
    wait_for_count(vhost_url, "old", 450)
    done: list[int] = []
    assert carry(vhost_url, most=most, advance=done.append) == most == sum(done)
    numbers = [int(found.body) for queue in ("new", "old") for found in take_all(vhost_url, queue)]
    assert numbers == list(range(450))


def test_events_that_both_queues_have_are_left_out_as_often_as_both_have_them(broker_url: str) -> None:
    declare(broker_url, "old")
    declare(broker_url, "new")
    for queue, names in {"old": "aabcc", "new": "abbd"}.items():
        for name in names:
            send(broker_url, "", queue, message(name.encode(), {"x-pubsub-routing-key": "k"}, message_id=name))
    with linked(broker_url) as link:
        known = shared(link, "old", "new")
    assert sorted(known.values()) == [1, 1]
    assert queue_state(broker_url, "new").message_count == 4, "those that were read are back"
    assert carry(broker_url, known=known) == 5
    assert sorted(found.body for found in take_all(broker_url, "new")) == [b"a", b"a", b"b", b"b", b"c", b"c", b"d"]


def test_messages_without_an_id_are_never_taken_for_one_another(broker_url: str) -> None:
    declare(broker_url, "old")
    declare(broker_url, "new")
    for queue in ("old", "new"):
        send(broker_url, "", queue, message(b"{}"))
    with linked(broker_url) as link:
        assert shared(link, "old", "new") == Counter()
    carry(broker_url)
    assert len(take_all(broker_url, "new")) == 2


def test_an_event_is_known_by_id_source_key_and_body() -> None:
    sent = delivery(headers={"ce-id": "1", "ce-source": "s"})
    again = delivery(
        exchange="", key="old", headers={"ce-id": "1", "ce-source": "s", "x-pubsub-routing-key": "a.key"},
        redelivered=True,
    )  # fmt: skip
    assert identity(sent) is not None
    assert identity(sent) == identity(again)
    others = [
        delivery(headers={"ce-id": "2", "ce-source": "s"}),
        delivery(headers={"ce-id": "1", "ce-source": "t"}),
        delivery(headers={"ce-id": "1", "ce-source": "s"}, key="b.key"),
        delivery(headers={"ce-id": "1", "ce-source": "s"}, body=b"[]"),
        delivery(headers={"ce-id": "1", "ce-source": "s", "x-pubsub-time": "later"}),
    ]
    assert len({identity(other) for other in [sent, *others]}) == 6
    assert identity(delivery()) is None


def test_more_than_a_consumer_may_hold_is_read_by_several(vhost_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typed_pubsub.brokers.moving._MOST_PREFETCH", 3)
    declare(vhost_url, "old", QUORUM)
    declare(vhost_url, "new", QUORUM)
    for number in range(10):
        for queue in ("old", "new"):
            send(vhost_url, "", queue, message(b"{}", {"x-pubsub-routing-key": "k"}, message_id=str(number)))
    with linked(vhost_url) as link:
        assert sum(shared(link, "old", "new").values()) == 10


def test_a_full_queue_refuses_and_what_was_to_be_moved_stays(vhost_url: str) -> None:
    declare(vhost_url, "old")
    declare(vhost_url, "new", {"x-max-length": 1, "x-overflow": "reject-publish"})
    for _ in range(3):
        send(vhost_url, "", "old", message(b"{}"))
    with pytest.raises(TopologyRefused, match="queue 'new' refused"):
        carry(vhost_url)
    assert len(take_all(vhost_url, "old")) == 3


def test_a_queue_that_is_not_there_refuses_and_what_was_to_be_moved_stays(broker_url: str) -> None:
    declare(broker_url, "old")
    send(broker_url, "", "old", message(b"{}"))
    with pytest.raises(TopologyRefused, match="queue 'new' refused 1 messages"):
        carry(broker_url)
    assert len(take_all(broker_url, "old")) == 1


def test_a_queue_that_somebody_consumes_is_not_read(broker_url: str) -> None:
    declare(broker_url, "old")
    declare(broker_url, "new")
    with broker(broker_url) as connection:
        connection.default_channel.basic_consume("old", callback=lambda _: None)
        with pytest.raises(TopologyRefused, match="queue 'old' has a consumer"):
            carry(broker_url)


@pytest.mark.parametrize("arguments", [{}, QUORUM], ids=["classic", "quorum"])
def test_a_queue_is_deleted_only_when_it_is_empty_and_unused(vhost_url: str, arguments: dict[str, Any]) -> None:
    declare(vhost_url, "old", arguments)
    send(vhost_url, "", "old", message(b"{}"))
    quorum = bool(arguments)
    with linked(vhost_url) as link:
        assert not delete_empty(link, "old", quorum=quorum)
        take_all(vhost_url, "old")
        with broker(vhost_url) as connection:
            connection.default_channel.basic_consume("old", callback=lambda _: None)
            assert not delete_empty(link, "old", quorum=quorum)
        # A quorum queue hears of the consumer's end behind the connection's.
        eventually(lambda: delete_empty(link, "old", quorum=quorum), what="a queue that nobody uses")
    assert queue_state(vhost_url, "old") is None
