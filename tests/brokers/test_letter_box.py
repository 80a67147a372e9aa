"""A dead-letter queue is read without taking anything out of it, in order, on every kind of queue."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.amqp import declare, linked, message, of_dead_letters, take_all, wait_for_count
from tests.support.rabbit import broker
from typed_pubsub.brokers.confirms import ConfirmChannel, Returned, Taken
from typed_pubsub.brokers.letter_box import LetterBox, opened
from typed_pubsub.brokers.queues import drops_by_itself, has_delivery_limit
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.brokers.topology import dead_letter_arguments, ensure_dead_letter_queue
from typed_pubsub.errors import ConnectFailed
from typed_pubsub.ops.connect import connected

QUORUM = {"x-queue-type": "quorum"}


@pytest.fixture(params=["embedded", *(pytest.param(kind, marks=pytest.mark.broker) for kind in ("classic", "quorum"))])
def queue(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """The URL of a broker on which ``q.dlq`` is of one of the kinds there are."""
    embedded = request.param == "embedded"
    url: str = f"sqlite:///{tmp_path}/broker.db" if embedded else request.getfixturevalue("vhost_url")
    declare(url, "q.dlq", of_dead_letters(url, quorum=request.param == "quorum"))
    return url


def fill(url: str, count: int, first: int = 0) -> None:
    with linked(url) as link:
        confirming: ConfirmChannel[int] = ConfirmChannel(link)
        for number in range(first, first + count):
            headers = {"x-pubsub-reason": "mapping_error", "x-pubsub-event-id": str(number)}
            properties = {"delivery_mode": 2, "application_headers": headers}
            confirming.put(number, ReadyMessage(str(number).encode(), properties), "", "q.dlq")
        confirming.flush(30, lambda: None)


def read(url: str, window: int = 10) -> list[str]:
    with linked(url) as link, opened(link, "q", window=window) as box:
        assert box is not None
        return [letter.event_id for letter in box]


def bodies(url: str) -> list[bytes]:
    return [bytes(found.body) for found in take_all(url, "q.dlq")]


def numbers(*ranges: range) -> list[str]:
    return [str(number) for each in ranges for number in each]


def test_letters_come_in_order_however_often_they_are_looked_at_and_all_stay(queue: str) -> None:
    fill(queue, 95)
    for _ in range(3):
        assert read(queue, window=4) == numbers(range(95))
        wait_for_count(queue, "q.dlq", 95)
    assert [found.decode() for found in bodies(queue)] == numbers(range(95))


def test_a_queue_of_many_windows_is_given_back_whole_and_in_order_before_the_next_look(queue: str) -> None:
    fill(queue, 1500)
    for _ in range(3):
        # A quorum queue that is told of more than 32 windows at once takes them back in any order.
        assert read(queue, window=20) == numbers(range(1500))


def test_a_window_that_is_full_to_the_last_letter_is_the_end_where_there_are_no_more(queue: str) -> None:
    fill(queue, 20)
    assert read(queue, window=10) == numbers(range(20))


def test_what_is_removed_is_gone_and_the_rest_stays_in_order(queue: str) -> None:
    fill(queue, 50)
    with linked(queue) as link, opened(link, "q", window=4) as box:
        assert box is not None
        for letter in box:
            if int(letter.event_id) % 3 == 0:
                box.remove(letter)
    assert read(queue) == [number for number in numbers(range(50)) if int(number) % 3]


def test_what_comes_after_the_start_is_not_read(queue: str) -> None:
    fill(queue, 5)
    with linked(queue) as link, opened(link, "q") as box:
        assert box is not None
        fill(queue, 5, first=5)
        assert [letter.event_id for letter in box] == numbers(range(5))
        assert box.missing == 0
    assert len(bodies(queue)) == 10


def test_what_somebody_else_holds_is_missing_and_nobody_waits_for_it_for_long(queue: str) -> None:
    fill(queue, 8)
    with linked(queue) as first, opened(first, "q") as mine, linked(queue) as second:
        assert mine is not None
        box = LetterBox(second, "q", 8, quiet=0.3)
        assert len(list(mine)) + len(list(box)) == 8
        assert mine.missing + box.missing == 8
        box.close()
    assert sorted(bodies(queue)) == sorted(str(number).encode() for number in range(8))


def test_a_reader_that_dies_gives_everything_back(queue: str) -> None:
    fill(queue, 30)
    with linked(queue) as link:
        box = LetterBox(link, "q", 30, window=7)
        assert len(list(box)) == 30
    wait_for_count(queue, "q.dlq", 30)
    assert read(queue) == numbers(range(30))


def test_an_error_while_reading_gives_everything_back_and_comes_through(queue: str) -> None:
    fill(queue, 3)

    def fail(box: LetterBox | None) -> None:
        assert box is not None
        raise KeyError(next(iter(box)).event_id)

    with linked(queue) as link, pytest.raises(KeyError, match="0"), opened(link, "q") as box:
        fail(box)
    wait_for_count(queue, "q.dlq", 3)


def test_replayed_a_letter_is_on_its_queue_before_it_is_removed(queue: str) -> None:
    declare(queue, "q")
    fill(queue, 3)
    with linked(queue) as link, opened(link, "q") as box:
        assert box is not None
        for letter in box:
            assert box.replay(letter) == Taken()
            box.remove(letter)
    assert bodies(queue) == []
    assert [bytes(found.body) for found in take_all(queue, "q")] == [b"0", b"1", b"2"]


def test_a_letter_whose_queue_is_not_there_is_returned_and_stays(queue: str) -> None:
    fill(queue, 1)
    with linked(queue) as link, opened(link, "q") as box:
        assert box is not None
        (outcome,) = [box.replay(letter) for letter in box]
    assert isinstance(outcome, Returned)
    assert bodies(queue) == [b"0"]


def test_there_may_be_no_such_queue(broker_url: str) -> None:
    with linked(broker_url) as link, opened(link, "q") as box:
        assert box is None


def test_a_queue_that_goes_away_is_one_error(vhost_url: str) -> None:
    declare(vhost_url, "q.dlq")
    fill(vhost_url, 5)

    def look() -> Iterator[str]:
        with connected(vhost_url, 5) as link, opened(link, "q", window=2) as box:
            assert box is not None
            for letter in box:
                with broker(vhost_url) as connection:
                    connection.default_channel.queue_delete("q.dlq")
                yield letter.event_id

    with pytest.raises(ConnectFailed, match="broke"):
        list(look())


def test_our_dead_letter_queues_have_no_delivery_limit_where_none_is_asked_for(vhost_url: str) -> None:
    with linked(vhost_url) as link:
        ensure_dead_letter_queue(link, "classic", quorum=False)
        assert not has_delivery_limit(link, "classic.dlq")
        # Of RabbitMQ 3.10 a quorum queue always says that its limit is another one: it knows no way to have none.
        ensure_dead_letter_queue(link, "quorum", quorum=True)
        assert link.server_version >= (4,) or has_delivery_limit(link, "quorum.dlq")
    declare(vhost_url, "limited.dlq", {**QUORUM, "x-delivery-limit": 3})
    with linked(vhost_url) as link:
        assert has_delivery_limit(link, "limited.dlq")


@pytest.mark.parametrize("version", [(3, 8, 0), (3, 13, 7), (4, 0, 0), (4, 1, 2)])
def test_rabbitmq_4_is_told_to_keep_dead_letters_and_older_ones_know_no_such_word(version: tuple[int, ...]) -> None:
    limit = {"x-delivery-limit": -1} if version >= (4,) else {}
    arguments = dead_letter_arguments(quorum=True, limits_deliveries=False, server_version=version)
    assert arguments == {"x-queue-type": "quorum", **limit}


def test_the_version_of_the_server_is_known_and_the_embedded_broker_has_none(broker_url: str) -> None:
    with linked(broker_url) as link:
        assert (link.server_version >= (3, 8)) is not link.limits_deliveries
        assert not drops_by_itself(link, "whatever") or link.server_version >= (4,)


def test_a_dead_letter_of_the_embedded_broker_outlives_any_number_of_looks(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    with linked(url) as link:
        ensure_dead_letter_queue(link, "q", quorum=True)
    fill(url, 1)
    for _ in range(60):
        assert read(url) == ["0"]


def test_a_dead_letter_of_a_quorum_queue_outlives_any_number_of_looks(vhost_url: str) -> None:
    with linked(vhost_url) as link:
        ensure_dead_letter_queue(link, "q", quorum=True)
        fill(vhost_url, 1)
        for _ in range(60):
            with opened(link, "q") as box:
                assert box is not None
                assert [letter.event_id for letter in box] == ["0"]
            wait_for_count(vhost_url, "q.dlq", 1)


def test_any_bytes_and_headers_are_a_letter(queue: str) -> None:
    with broker(queue) as connection:
        channel = connection.default_channel
        for odd in (message(b"\xff\x00"), message(b"", {"x-death": "no list"}), message(b"{}", {"x-pubsub-reason": 5})):
            channel.basic_publish(odd, "", "q.dlq")
    wait_for_count(queue, "q.dlq", 3)
    assert read(queue) == ["", "", ""]
