"""A publication against a broker that fails: the deadline, the window, and nothing lost or said wrongly."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.support.amqp import declare, take_all, wait_for_count
from tests.support.proxy import Proxy
from tests.support.rabbit import SLACK, eventually, get
from typed_pubsub import Publisher, PublishFailed, PubSubConfig, Registry, StructEvent
from typed_pubsub.brokers.publishing import MAX_BYTES, MAX_EVENTS
from typed_pubsub.testing.nodes import RabbitMQNode

CHANNEL_OPEN, PUBLISH, QUEUE = (20, 10), (60, 40), "a_queue"
EXCHANGE_DECLARE = (40, 10)
#: The whole of a deadline that a test runs into, and how late it may be.
SOON, LATE = 1.5, 1.1


class Counted(StructEvent, routing_key="app.counted", registry=Registry()):
    number: int
    padding: str = ""


Make = Callable[..., Publisher]


@pytest.fixture
def proxy(vhost_url: str) -> Iterator[Proxy]:
    declare(vhost_url, QUEUE, an_exchange="app.#")
    with Proxy(vhost_url) as proxy:
        yield proxy


@pytest.fixture
def make(proxy: Proxy) -> Iterator[Make]:
    made: list[Publisher] = []

    def publisher(url: str = proxy.url, publish_timeout: float = 60.0, **settings: Any) -> Publisher:
        made.append(
            Publisher(PubSubConfig(broker_url=url, exchange="an_exchange", publish_timeout=publish_timeout, **settings))
        )
        return made[-1]

    yield publisher
    for one in made:
        one.close()


def events(count: int, *, at: Iterable[int] = (), do: Callable[[], None] = lambda: None) -> Iterator[Counted]:
    """Numbered events; something happens before these numbers are given out."""
    for number in range(count):
        if number in at:
            do()
        yield Counted(number=number)


def stored(url: str) -> dict[int, set[str]]:
    """The ids under which each number is in the queue."""
    found: dict[int, set[str]] = {}
    for message in take_all(url, QUEUE):
        found.setdefault(json.loads(message.body)["number"], set()).add(message.headers["ce-id"])
    return found


def failing(publish: Callable[[], Any], within: float = SOON) -> PublishFailed:
    begun = time.monotonic()
    with pytest.raises(PublishFailed) as raised:
        publish()
    assert within * 0.5 < time.monotonic() - begun < within * LATE + SLACK
    return raised.value


def test_connections_that_break_under_way_lose_nothing_and_change_no_id(
    make: Make, proxy: Proxy, vhost_url: str
) -> None:
    assert make().publish_many(events(3_000, at=range(100, 3_000, 500), do=proxy.cut)) == 3_000
    found = stored(vhost_url)
    assert set(found) == set(range(3_000))
    assert all(len(ids) == 1 for ids in found.values()), "what was written twice has one id"
    assert proxy.connections == 7


def test_confirms_that_are_lost_are_asked_for_again_under_the_same_ids(
    make: Make, proxy: Proxy, vhost_url: str
) -> None:
    def lose() -> Iterator[None]:
        proxy.hold_down()
        yield
        wait_for_count(vhost_url, QUEUE, 250)
        proxy.cut()
        proxy.release()
        yield

    losing = lose()
    assert make().publish_many(events(500, at=(1, 250), do=lambda: next(losing))) == 500
    found = stored(vhost_url)
    assert set(found) == set(range(500))
    assert all(len(ids) == 1 for ids in found.values())


def test_a_connection_that_the_broker_closes_is_replaced(make: Make, rabbitmq: RabbitMQNode, vhost_url: str) -> None:
    publisher = make(vhost_url)
    publisher.publish(Counted(number=1))
    rabbitmq.ctl("close_all_connections", "--vhost", vhost_url.rpartition("/")[2], "a reason")
    publisher.publish(Counted(number=2))
    assert set(stored(vhost_url)) == {1, 2}


def test_the_next_host_is_tried_when_one_is_down(make: Make, proxy: Proxy, vhost_url: str) -> None:
    with Proxy(vhost_url) as gone:
        pass
    publisher = make(f"{gone.url};{proxy.url}")
    publisher.publish(Counted(number=1))
    assert publisher.publish_many(events(10)) == 10
    assert proxy.connections == 1


def test_events_are_read_only_as_far_as_the_window_holds_them(make: Make, proxy: Proxy) -> None:
    read = itertools.count()
    publisher = make(publish_timeout=SOON)
    publisher.publish(Counted(number=0))
    proxy.hold_down()
    error = failing(lambda: publisher.publish_many(Counted(number=next(read)) for _ in itertools.count()))
    assert next(read) == MAX_EVENTS == len(error.unknown)
    assert (error.confirmed, error.unsent, error.unroutable) == (0, [], [])


def test_large_events_fill_the_window_by_their_bytes(make: Make, proxy: Proxy) -> None:
    read = itertools.count()
    publisher = make(publish_timeout=SOON)
    publisher.publish(Counted(number=0))
    proxy.hold_down()
    large = "x" * 100_000
    failing(lambda: publisher.publish_many(Counted(number=next(read), padding=large) for _ in itertools.count()))
    assert MAX_BYTES / 100_100 <= next(read) <= MAX_BYTES / 100_000 + 1


def test_an_event_is_sent_before_the_next_one_is_read(make: Make, vhost_url: str) -> None:
    def one_after_the_other() -> Iterator[Counted]:
        for number in range(3):
            yield Counted(number=number)
            assert json.loads(get(vhost_url, QUEUE).body)["number"] == number

    assert make().publish_many(one_after_the_other()) == 3


@pytest.mark.alone
def test_an_event_whose_successor_is_slow_is_not_kept_for_it(make: Make, vhost_url: str) -> None:
    took: list[float] = []

    def slowly() -> Iterator[Counted]:
        for number in range(5):
            begun = time.monotonic()
            yield Counted(number=number)
            get(vhost_url, QUEUE)
            took.append(time.monotonic() - begun)

    assert make().publish_many(slowly()) == 5
    # The kernel would keep a write that promises more for 200 ms.
    assert sorted(took)[2] < 0.15


def test_an_iterable_that_is_slower_than_the_deadline_fails_nothing(make: Make, vhost_url: str) -> None:
    def slow() -> Iterator[Counted]:
        yield Counted(number=1)
        wait_for_count(vhost_url, QUEUE, 1)
        late = time.monotonic() + 0.6
        eventually(lambda: time.monotonic() > late)
        yield Counted(number=2)

    assert make(publish_timeout=0.5).publish_many(slow()) == 2


def test_an_error_of_the_iterable_comes_through_with_what_was_confirmed_before(make: Make, vhost_url: str) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        make().publish_many(events(50, at=(20,), do=broken))
    assert raised.value.__notes__ == ["publish_many: 20 events were confirmed before this"]
    assert set(stored(vhost_url)) == set(range(20))


@pytest.mark.parametrize("silent_after", [None, CHANNEL_OPEN, EXCHANGE_DECLARE], ids=str)
def test_a_broker_that_says_nothing_is_given_up_at_the_deadline(
    make: Make, proxy: Proxy, silent_after: tuple[int, int] | None
) -> None:
    proxy.silent_after = silent_after
    if silent_after is None:
        proxy.hold_down()
    error = failing(lambda: make(publish_timeout=SOON).publish(Counted(number=1), event_id="the-id"))
    assert (error.confirmed, error.unsent, error.unknown) == (0, [(0, "the-id")], [])


@pytest.mark.alone
def test_a_deadline_is_kept_to_a_tenth(make: Make, proxy: Proxy) -> None:
    proxy.hold_down()
    publisher = make(publish_timeout=SOON)
    begun = time.monotonic()
    with pytest.raises(PublishFailed):
        publisher.publish(Counted(number=1))
    assert SOON / LATE < time.monotonic() - begun < SOON * LATE


def test_a_confirm_that_does_not_come_leaves_the_event_unknown(make: Make, proxy: Proxy, vhost_url: str) -> None:
    proxy.silent_after = PUBLISH
    error = failing(lambda: make(publish_timeout=SOON).publish(Counted(number=1), event_id="the-id"))
    assert (error.confirmed, error.unsent, error.unknown) == (0, [], [(0, "the-id")])
    assert stored(vhost_url) == {1: {"the-id"}}


def test_idle_connections_that_went_silent_do_not_eat_the_deadline(make: Make, proxy: Proxy) -> None:
    publisher = make(publish_timeout=SOON)
    together = threading.Barrier(6)

    def publish() -> None:
        together.wait(30)
        publisher.publish_many(events(50))

    threads = [threading.Thread(target=publish) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    proxy.hold_down()
    publisher._pool._idle = [(since - 3_600, channel) for since, channel in publisher._pool._idle]
    failing(lambda: publisher.publish(Counted(number=1)))


def test_nobody_listening_is_tried_until_the_deadline(make: Make, vhost_url: str) -> None:
    with Proxy(vhost_url) as gone:
        pass
    error = failing(lambda: make(gone.url, publish_timeout=SOON).publish(Counted(number=1)))
    assert "ConnectionRefusedError" in str(error)
    assert len(error.unsent) == 1


def test_a_full_queue_is_tried_again_until_it_takes_the_event(make: Make, proxy: Proxy, vhost_url: str) -> None:
    declare(vhost_url, "full", {"x-max-length": 1, "x-overflow": "reject-publish"}, an_exchange="app.#")
    publisher = make(unroutable="raise")
    publisher.publish(Counted(number=1))
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(publisher.publish_many(events(1))))
    thread.start()
    eventually(lambda: len(proxy.methods(PUBLISH)) >= 4, what="two more tries")
    assert not done
    take_all(vhost_url, "full")
    thread.join(30)
    assert done == [1]


def test_a_queue_that_stays_full_leaves_the_event_unknown(make: Make, vhost_url: str) -> None:
    declare(vhost_url, "full", {"x-max-length": 1, "x-overflow": "reject-publish"}, an_exchange="app.#")
    publisher = make(publish_timeout=SOON)
    publisher.publish(Counted(number=1))
    error = failing(lambda: publisher.publish(Counted(number=2), event_id="the-id"))
    assert "nack" in str(error)
    # The other queue has it, more than once: neither unsent nor confirmed would be true.
    assert (error.confirmed, error.unknown, error.unsent) == (0, [(0, "the-id")], [])
    assert stored(vhost_url)[2] == {"the-id"}


@pytest.mark.once
def test_a_crash_of_the_broker_is_waited_out() -> None:
    with RabbitMQNode(vhosts=1) as node:
        url = node.vhost()
        declare(url, QUEUE, an_exchange="app.#")
        # A binding is not on disk when the broker has answered: killed at once, it would come back without it.
        node.restart()
        config = PubSubConfig(broker_url=url, exchange="an_exchange", publish_timeout=90)

        def crash() -> None:
            node.kill()
            starting.start()

        starting = threading.Thread(target=node.start)
        with Publisher(config) as publisher:
            assert publisher.publish_many(events(2_000, at=(1_000,), do=crash)) == 2_000
            starting.join()
            found = stored(url)
            assert set(found) == set(range(2_000))
            assert all(len(ids) == 1 for ids in found.values())

            node.ctl("set_vm_memory_high_watermark", "0.0001")
            publisher.config = PubSubConfig(broker_url=url, exchange="an_exchange", publish_timeout=SOON)
            error = failing(lambda: publisher.publish(Counted(number=0)))
            assert "the broker has blocked the connection" in str(error)
            node.ctl("set_vm_memory_high_watermark", "0.9")
            publisher.publish(Counted(number=1))
            assert 1 in stored(url)
