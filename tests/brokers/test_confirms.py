"""The confirming channel: of each message what the broker says of it, and never more than it says."""

from collections.abc import Callable, Iterator

import pytest
from amqp.exceptions import FrameSyntaxError, NotFound, PreconditionFailed

from tests.support.amqp import TIMEOUT, declare, linked, take_all, wait_for_count
from tests.support.proxy import Proxy
from tests.support.rabbit import broker
from typed_pubsub.brokers.confirms import (
    ConfirmChannel,
    Nacked,
    Outcome,
    Returned,
    Taken,
    missing_or_forbidden,
    refused_publish,
)
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.ready import ReadyMessage

FULL = {"x-max-length": 3, "x-overflow": "reject-publish"}


def nothing() -> None: ...


@pytest.fixture
def confirming(vhost_url: str) -> Iterator[ConfirmChannel[int]]:
    with linked(vhost_url) as link:
        yield ConfirmChannel(link)


def made(number: int, **properties: object) -> ReadyMessage:
    return ReadyMessage(b"%d" % number, {"message_id": str(number), "delivery_mode": 2, **properties})


def outcomes(confirming: ConfirmChannel[int]) -> dict[int, Outcome]:
    confirming.flush(TIMEOUT, nothing)
    return confirming.take_outcomes()


def test_many_messages_are_written_before_the_first_is_waited_for(
    vhost_url: str, confirming: ConfirmChannel[int]
) -> None:
    declare(vhost_url, "a_queue")
    for number in range(2_000):
        confirming.put(number, made(number), "", "a_queue")
    assert len(confirming) == 2_000, "put does not read"
    assert outcomes(confirming) == dict.fromkeys(range(2_000), Taken())
    assert len(confirming) == 0
    assert confirming.take_outcomes() == {}
    wait_for_count(vhost_url, "a_queue", 2_000)


def test_one_multiple_acknowledgement_settles_every_message_up_to_it(
    vhost_url: str, confirming: ConfirmChannel[int]
) -> None:
    # What the broker sends is up to its load: the callback is given both kinds here.
    declare(vhost_url, "a_queue")
    for number in range(6):
        confirming.put(number, made(number), "", "a_queue")
    confirming._on_ack(2, False)
    assert set(confirming.take_outcomes()) == {1}
    confirming._on_ack(4, True)
    assert set(confirming.take_outcomes()) == {0, 2, 3}
    confirming._on_nack(99, False)
    confirming._on_nack(5, True)
    assert confirming.take_outcomes() == {4: Nacked()}
    assert len(confirming) == 1


def test_returned_messages_are_told_from_taken_ones_even_with_equal_ids(
    vhost_url: str, confirming: ConfirmChannel[int]
) -> None:
    declare(vhost_url, "a_queue")
    for number in range(0, 30, 3):
        confirming.put(number, made(7), "", "a_queue")
        confirming.put(number + 1, made(7), "", "no_queue")
        confirming.put(number + 2, made(7), "", "another_missing_queue")
    found = outcomes(confirming)
    assert {number for number, outcome in found.items() if outcome == Taken()} == set(range(0, 30, 3))
    assert found[1] == Returned("NO_ROUTE")
    assert len(take_all(vhost_url, "a_queue")) == 10


def test_a_message_that_is_not_mandatory_is_taken_though_no_queue_wants_it(confirming: ConfirmChannel[int]) -> None:
    confirming.put(1, made(1), "", "no_queue", mandatory=False)
    assert outcomes(confirming) == {1: Taken()}


def test_messages_that_a_full_queue_refuses_are_nacked(vhost_url: str, confirming: ConfirmChannel[int]) -> None:
    declare(vhost_url, "full", FULL)
    for number in range(10):
        confirming.put(number, made(number), "", "full")
    found = outcomes(confirming)
    taken = {number for number, outcome in found.items() if outcome == Taken()}
    assert set(found.values()) == {Taken(), Nacked()}
    assert {int(message.body) for message in take_all(vhost_url, "full")} == taken


def refused(vhost_url: str, confirming: ConfirmChannel[int], bad: Callable[[], None]) -> BaseException:
    declare(vhost_url, "a_queue")
    confirming.put(1, made(1), "", "a_queue")
    bad()
    confirming.put(3, made(3), "", "a_queue")
    with pytest.raises(FAULTS) as raised:
        confirming.flush(TIMEOUT, nothing)
    assert refused_publish(raised.value)
    return raised.value


def test_a_missing_exchange_never_gives_a_false_confirm(vhost_url: str, confirming: ConfirmChannel[int]) -> None:
    error = refused(vhost_url, confirming, lambda: confirming.put(2, made(2), "no_exchange", "key"))
    assert isinstance(error, NotFound)
    assert missing_or_forbidden(error)
    assert confirming.take_outcomes().keys() <= {1}
    # py-amqp has opened the channel anew by itself: nothing more is confirmed on it, least of all wrongly.
    confirming.put(4, made(4), "", "a_queue")
    with pytest.raises(TimeoutError, match="no confirm for"):
        confirming.flush(0.5, nothing)
    assert confirming.take_outcomes() == {}


def test_a_message_that_the_broker_finds_wrong_is_refused(vhost_url: str, confirming: ConfirmChannel[int]) -> None:
    bad = made(2, expiration="soon")
    error = refused(vhost_url, confirming, lambda: confirming.put(2, bad, "", "a_queue"))
    assert isinstance(error, PreconditionFailed)
    assert not missing_or_forbidden(error)


@pytest.mark.parametrize(
    "properties",
    [{"message_id": "x" * 256}, {"application_headers": {"a": {1, 2}}}, {"priority": "high"}, {"timestamp": -1}],
    ids=["long id", "set", "priority", "timestamp"],
)
def test_what_amqp_cannot_carry_fails_before_anything_is_written(properties: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, Exception)) as raised:
        made(1, **properties)
    assert raised.type.__name__ in {"error", "FrameSyntaxError", "ValueError", "TypeError", "AttributeError"}


def test_a_write_that_fails_has_no_delivery_tag(vhost_url: str, confirming: ConfirmChannel[int]) -> None:
    declare(vhost_url, "a_queue")
    with pytest.raises((FrameSyntaxError, Exception)):
        confirming.put(1, made(1), "", "k" * 256)
    assert len(confirming) == 0
    confirming.put(2, made(2), "", "a_queue")
    assert outcomes(confirming) == {2: Taken()}, "a tag counted for nothing would leave it waiting"


def test_a_broker_that_is_silent_is_waited_for_as_long_as_asked(vhost_url: str) -> None:
    declare(vhost_url, "a_queue")
    ticks: list[int] = []
    with Proxy(vhost_url) as proxy, linked(proxy.url) as link:
        confirming: ConfirmChannel[int] = ConfirmChannel(link)
        proxy.hold_down()
        confirming.put(1, made(1), "", "a_queue")
        with pytest.raises(TimeoutError, match=r"no confirm for 1 messages within 1\.2 s"):
            confirming.flush(1.2, lambda: ticks.append(1))
        assert confirming.take_outcomes() == {}
        assert len(confirming) == 1
    assert ticks


def test_what_was_settled_before_a_fault_stays_settled(vhost_url: str) -> None:
    declare(vhost_url, "a_queue")
    with Proxy(vhost_url) as proxy, linked(proxy.url) as link:
        confirming: ConfirmChannel[int] = ConfirmChannel(link)
        confirming.put(1, made(1), "", "a_queue")
        confirming.flush(TIMEOUT, nothing)
        proxy.hold_down()
        confirming.put(2, made(2), "", "a_queue")
        link.send_held()
        wait_for_count(vhost_url, "a_queue", 2)
        proxy.cut()
        with pytest.raises(FAULTS):
            confirming.flush(TIMEOUT, nothing)
        assert confirming.take_outcomes() == {1: Taken()}


def test_a_blocked_connection_is_known_as_blocked(vhost_url: str) -> None:
    with broker(vhost_url), linked(vhost_url) as link:
        link._on_blocked("low on memory")
        assert link.blocked
        link._on_unblocked()
        assert not link.blocked
