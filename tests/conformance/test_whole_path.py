"""Publisher and subscriber on the same broker as Celery: the main job, whoever plays the broker."""

from collections import defaultdict
from pathlib import Path

from tests.conformance.conftest import Candidate
from tests.subscriber.kit import DEAD, QUEUE, REGISTRY, Happened, publish, reaches, settings, tasks
from tests.support.amqp import declare, message, send, take_all, wait_for_count
from tests.support.children import run
from tests.support.rabbit import eventually
from tests.support.services import running
from typed_pubsub import PubSubConfig, Subscriber


def config(candidate: Candidate) -> PubSubConfig:
    return settings(candidate.url, queue_type="quorum" if candidate.features.quorum else "classic")


def test_every_event_becomes_its_task_once(candidate: Candidate) -> None:
    with running(config(candidate), REGISTRY) as subscriber:
        publish(candidate.url, (Happened(number=number) for number in range(1_000)))
        reaches(subscriber, scheduled=1_000)
    found = tasks(candidate.url)
    assert sorted(number for number, _ in found) == list(range(1_000))
    assert len({task_id for _, task_id in found}) == 1_000
    assert take_all(candidate.url, QUEUE) == []


def test_broken_messages_are_dead_letters_raw_and_with_the_reason(candidate: Candidate) -> None:
    with running(config(candidate), REGISTRY) as subscriber:
        send(candidate.url, "an_exchange", "app.happened", message(b"\xff not json"))
        send(candidate.url, "an_exchange", "app.happened", message(b'{"number": "one"}', {"CC": ["celery"]}))
        publish(candidate.url, [Happened(number=1)])
        reaches(subscriber, scheduled=1, dead_lettered=2)
    found = take_all(candidate.url, DEAD)
    assert [letter.body for letter in found] == [b"\xff not json", b'{"number": "one"}']
    assert [letter.headers["x-pubsub-reason"] for letter in found] == ["undecodable", "invalid_body"]
    assert "$.number" in found[1].headers["x-pubsub-detail"]
    assert [number for number, _ in tasks(candidate.url)] == [1]


def test_an_event_whose_task_is_refused_takes_nobody_along(candidate: Candidate) -> None:
    declare(candidate.url, "full", {"x-max-length": 0, "x-overflow": "reject-publish"})
    with running(config(candidate), REGISTRY) as subscriber:
        publish(candidate.url, (Happened(number=n, queue="full" if n == 3 else "celery") for n in range(10)))
        reaches(subscriber, scheduled=9)
        for number in range(10, 20):
            publish(candidate.url, [Happened(number=number)])
            reaches(subscriber, scheduled=number)
        eventually(lambda: more_until_it_is_given_up(candidate, subscriber), timeout=60)
    (dead,) = take_all(candidate.url, DEAD)
    assert dead.headers["x-pubsub-reason"] == "retries_exhausted"
    assert {number for number, _ in tasks(candidate.url)} >= set(range(20)) - {3}


def more_until_it_is_given_up(candidate: Candidate, subscriber: Subscriber) -> bool:
    """An event is given up only while the broker takes others."""
    before = subscriber.outcomes["scheduled"]
    publish(candidate.url, [Happened(number=1_000)])
    reaches(subscriber, scheduled=before + 1)
    return subscriber.outcomes.get("dead-lettered") == 1


def test_connections_that_break_lose_nothing_and_change_no_id(candidate: Candidate) -> None:
    found: dict[int, set[str]] = defaultdict(set)

    def all_found() -> bool:
        for number, task_id in tasks(candidate.url):
            found[number].add(task_id)
        return len(found) == 800

    with running(config(candidate), REGISTRY):
        for batch in range(4):
            publish(candidate.url, (Happened(number=number) for number in range(batch * 200, batch * 200 + 200)))
            candidate.break_connections()
        eventually(all_found, timeout=60, what="800 tasks")
    assert all(len(ids) == 1 for ids in found.values()), "copies have the id that they had"
    wait_for_count(candidate.url, QUEUE, 0)


def test_events_wait_for_a_subscriber_that_is_away(candidate: Candidate) -> None:
    with running(config(candidate), REGISTRY):
        pass
    publish(candidate.url, (Happened(number=number) for number in range(50)))
    wait_for_count(candidate.url, QUEUE, 50)
    with running(config(candidate), REGISTRY) as subscriber:
        reaches(subscriber, scheduled=50)
    assert len(tasks(candidate.url)) == 50


LETHAL = """
import os, sys
from celery import Celery
from typed_pubsub import PubSubConfig, StructEvent, Subscriber, TaskCall, TaskMapping

class Happened(StructEvent, routing_key="app.happened"):
    number: int

mapping = TaskMapping()

@mapping.on(Happened)
def handler(event: Happened) -> TaskCall:
    if event.number == 13:
        os._exit(86)
    return TaskCall("a.task", (event.number,), {})

url, kind = sys.argv[1:]
app = Celery(broker=url)
# The death of a process counts for all that it had prefetched: here that is one.
Subscriber(PubSubConfig(mapping, lambda: app, url, "an_exchange", "a_queue", queue_type=kind, prefetch=1)).start()
"""


def test_a_handler_that_kills_its_process_is_bounded_where_deliveries_are_counted(
    candidate: Candidate, tmp_path: Path
) -> None:
    if not candidate.features.limits_deliveries:
        # Nothing counts on a classic queue: the test of what is delivered too often says the same.
        return
    limits = {"x-delivery-limit": 2, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
    kind = {"x-queue-type": "quorum"} if candidate.features.quorum else {}
    declare(candidate.url, QUEUE, limits | kind)
    candidate.ensure("app.happened")
    publish(candidate.url, (Happened(number=number) for number in range(10, 20)))
    for _ in range(3):
        queue_type = "quorum" if candidate.features.quorum else "classic"
        assert run("-c", LETHAL, candidate.url, queue_type, cwd=tmp_path).wait() == 86
    ran: set[int] = set()

    def all_others_ran() -> bool:
        ran.update(number for number, _ in tasks(candidate.url))
        return ran == {10, 11, 12, 14, 15, 16, 17, 18, 19}

    with running(config(candidate), REGISTRY) as subscriber:
        eventually(all_others_ran, what="all others")
        wait_for_count(candidate.url, DEAD, 1)
        assert subscriber.outcomes.get("dead-lettered") is None, "it is the broker that gave it up"
    (dead,) = take_all(candidate.url, DEAD)
    assert b"13" in dead.body
    assert dead.headers["x-death"][0]["reason"] == "delivery_limit"
