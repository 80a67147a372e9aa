"""What a publisher is told: never that a message is safe when it is not."""

import pytest
from amqp.exceptions import FrameSyntaxError, NotFound

from tests.conformance.conftest import QUEUE, Candidate
from tests.conformance.kit import made, nothing, publish
from tests.support.amqp import TIMEOUT, declare, take_all, wait_for_count
from typed_pubsub.brokers.confirms import ConfirmChannel, Nacked, Outcome, Returned, Taken
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.ready import ReadyMessage


def test_messages_are_confirmed_when_they_are_in_the_queue(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    assert publish(candidate, range(2_000)) == dict.fromkeys(range(2_000), Taken())
    wait_for_count(candidate.url, QUEUE, 2_000)
    assert [int(found.body) for found in take_all(candidate.url, QUEUE)] == list(range(2_000))


def test_mandatory_messages_that_no_queue_takes_come_back(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    outcomes = publish(candidate, range(30), lambda number: "a.key" if number % 3 else "nobody.wants")
    assert {number for number, outcome in outcomes.items() if outcome == Returned("NO_ROUTE")} == set(range(0, 30, 3))
    assert len(take_all(candidate.url, QUEUE)) == 20


def test_messages_that_are_not_mandatory_are_confirmed_and_gone(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    with candidate.link() as link:
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        channel.put(1, made(1), "an_exchange", "nobody.wants", mandatory=False)
        channel.flush(TIMEOUT, nothing)
        assert channel.take_outcomes() == {1: Taken()}


def test_a_missing_exchange_never_gives_a_false_confirm(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    with candidate.link() as link:
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        channel.put(1, made(1), "", QUEUE)
        channel.put(2, made(2), "no_exchange", "a.key")
        channel.put(3, made(3), "", QUEUE)
        with pytest.raises(NotFound, match="no_exchange"):
            channel.flush(TIMEOUT, nothing)
        told: dict[int, Outcome] = channel.take_outcomes()
        assert told.keys() <= {1}
        # The channel is open again, without confirms.
        channel.put(4, made(4), "", QUEUE)
        with pytest.raises(TimeoutError):
            channel.flush(0.3, nothing)
        assert channel.take_outcomes() == {}


def test_a_full_queue_refuses_and_the_others_take(candidate: Candidate) -> None:
    declare(candidate.url, "full", {"x-max-length": 3, "x-overflow": "reject-publish"})
    candidate.ensure("a.key")
    outcomes = publish(candidate, range(10), lambda number: "full" if number % 2 else QUEUE, exchange="")
    refused = {number for number, outcome in outcomes.items() if outcome == Nacked()}
    assert refused <= {1, 3, 5, 7, 9}
    assert refused
    assert {int(found.body) for found in take_all(candidate.url, "full")} == {1, 3, 5, 7, 9} - refused
    assert len(take_all(candidate.url, QUEUE)) == 5


def test_what_cannot_be_written_counts_for_nothing(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    with candidate.link() as link:
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        with pytest.raises(Exception, match="format requires"):
            channel.put(1, made(1), "an_exchange", "k" * 256)
        with pytest.raises(FrameSyntaxError):
            ReadyMessage(b"", {"application_headers": {"a": {1, 2}}})
        assert len(channel) == 0
        channel.put(2, made(2), "an_exchange", "a.key")
        channel.flush(TIMEOUT, nothing)
        assert channel.take_outcomes() == {2: Taken()}


@pytest.mark.parametrize("size", [0, 1, 131_072, 5_000_000])
def test_bodies_of_any_size_come_as_they_went(candidate: Candidate, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    candidate.ensure("a.key")
    assert publish(candidate, [1, 2], body=body) == {1: Taken(), 2: Taken()}
    assert [found.body or b"" for found in take_all(candidate.url, QUEUE)] == [body, body]


def test_a_publisher_whose_connection_is_gone_is_told_so(candidate: Candidate) -> None:
    with candidate.link() as link:
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        link.close()
        with pytest.raises(FAULTS):
            channel.put(1, made(1), "", QUEUE)
