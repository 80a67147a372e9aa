"""Publisher and subscriber on the same broker as Celery: the main job, whoever plays the broker."""

from collections import defaultdict

from tests.conformance.conftest import Candidate
from tests.subscriber.kit import DEAD, QUEUE, REGISTRY, Happened, publish, reaches, settings, tasks
from tests.support.amqp import declare, message, send, take_all, wait_for_count
from tests.support.rabbit import eventually, queue_state
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
    assert queue_state(candidate.url, QUEUE).message_count == 50
    with running(config(candidate), REGISTRY) as subscriber:
        reaches(subscriber, scheduled=50)
    assert len(tasks(candidate.url)) == 50
