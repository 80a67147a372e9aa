"""Which queues an event reaches: AMQP's topic exchange, whoever plays it."""

import pytest

from tests.conformance.conftest import EXCHANGE, QUEUE, Candidate
from tests.conformance.kit import drained, made, nothing, numbers, publish
from tests.support.amqp import TIMEOUT, take_all
from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub.brokers.confirms import ConfirmChannel, Outcome, Returned, Taken

#: Binding key -> of these routing keys, the numbers of those that it takes.
KEYS = ["a", "a.b", "a.b.c", "b", "x.a.b", "a..b", "b.a"]
BINDINGS = {
    "a.b": {1},
    "*": {0, 3},
    "a.*": {1},
    "*.*": {1, 6},
    "#": {0, 1, 2, 3, 4, 5, 6},
    "a.#": {0, 1, 2, 5},
    "#.b": {1, 3, 4, 5},
    "a.#.b": {1, 5},
    "*.a.#": {4, 6},
    "a.*.b": {5},
    "#.a.#": {0, 1, 2, 4, 5, 6},
}


@pytest.mark.parametrize("binding_key", BINDINGS)
def test_a_binding_takes_the_keys_that_amqp_says(candidate: Candidate, binding_key: str) -> None:
    candidate.ensure(binding_key)
    outcomes = publish(candidate, range(len(KEYS)), KEYS.__getitem__)
    taken = {number for number, outcome in outcomes.items() if outcome == Taken()}
    assert taken == BINDINGS[binding_key]
    assert {int(found.properties["message_id"]) for found in take_all(candidate.url, QUEUE)} == taken


def test_a_queue_gets_an_event_once_however_many_bindings_take_it(candidate: Candidate) -> None:
    candidate.ensure("a.*", "*.key", "#", "a.key")
    publish(candidate, [1])
    assert len(take_all(candidate.url, QUEUE)) == 1


def test_every_queue_that_is_bound_gets_a_copy_of_its_own(candidate: Candidate) -> None:
    candidate.ensure("a.key", queue="first")
    candidate.ensure("a.#", queue="second")
    candidate.ensure("b.#", queue="third")
    publish(candidate, range(10))
    counts = {queue: len(take_all(candidate.url, queue)) for queue in ("first", "second", "third")}
    assert counts == {"first": 10, "second": 10, "third": 0}


def test_bindings_that_come_and_go_count_at_once(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    with broker(candidate.url) as connection:
        channel = connection.default_channel
        assert publish(candidate, [1], lambda _: "late.key") == {1: Returned("NO_ROUTE")}
        channel.queue_bind(QUEUE, EXCHANGE, routing_key="late.*")
        assert publish(candidate, [2], lambda _: "late.key") == {2: Taken()}
        channel.queue_unbind(QUEUE, EXCHANGE, routing_key="late.*")
        assert publish(candidate, [3], lambda _: "late.key") == {3: Returned("NO_ROUTE")}


def test_a_connection_that_stays_open_learns_of_bindings_too(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    with candidate.link() as link, broker(candidate.url) as connection:
        channel: ConfirmChannel[int] = ConfirmChannel(link)

        def published(number: int) -> Outcome:
            channel.put(number, made(number), EXCHANGE, "late.key")
            channel.flush(TIMEOUT, nothing)
            return channel.take_outcomes()[number]

        assert published(1) == Returned("NO_ROUTE")
        connection.default_channel.queue_bind(QUEUE, EXCHANGE, routing_key="late.*")
        assert published(2) == Taken()
        connection.default_channel.queue_delete(QUEUE)
        assert published(3) == Returned("NO_ROUTE")


@pytest.mark.parametrize("key", ["ключ.событие", "鍵.😀", "with blanks.and\ttabs", "é" * 127])
def test_keys_and_names_may_be_any_text(candidate: Candidate, key: str) -> None:
    queue = f"очередь {key}"[:60]
    candidate.ensure(key, queue=queue)
    assert publish(candidate, [1], lambda _: key) == {1: Taken()}
    with candidate.consumer(queue=queue) as consumer:
        (delivery,) = drained(consumer)
    assert (delivery.routing_key, delivery.exchange, delivery.body) == (key, EXCHANGE, b"1")


def test_the_default_exchange_leads_to_the_queue_of_the_keys_name(candidate: Candidate) -> None:
    candidate.ensure("a.key")
    outcomes = publish(candidate, [1, 2], lambda number: QUEUE if number == 1 else "no_queue", exchange="")
    assert outcomes == {1: Taken(), 2: Returned("NO_ROUTE")}
    with candidate.consumer() as consumer:
        (delivery,) = drained(consumer)
    assert (delivery.exchange, delivery.routing_key, numbers([delivery])) == ("", QUEUE, [1])


@pytest.mark.parametrize(("kind", "reached"), [("direct", {1}), ("fanout", {1, 2, 3})])
def test_direct_and_fanout_exchanges(candidate: Candidate, kind: str, reached: set[int]) -> None:
    with broker(candidate.url) as connection:
        channel = connection.default_channel
        channel.exchange_declare("another", kind, durable=True, auto_delete=False)
        channel.queue_declare(QUEUE, durable=True, auto_delete=False)
        channel.queue_bind(QUEUE, "another", routing_key="a.key")
    publish(candidate, [1, 2, 3], ["", "a.key", "a.*", "#"].__getitem__, exchange="another")
    assert {int(found.properties["message_id"]) for found in take_all(candidate.url, QUEUE)} == reached


def test_what_is_declared_for_one_connection_goes_with_it(candidate: Candidate) -> None:
    with broker(candidate.url) as connection:
        name = connection.default_channel.queue_declare("", exclusive=True).queue
        assert name.startswith("amq.gen-")
        assert publish(candidate, [1], lambda _: name, exchange="") == {1: Taken()}
    eventually(lambda: queue_state(candidate.url, name) is None)
