"""``ON_DEAD_LETTER``: called once for each dead letter, with nothing of its body, and never in the way."""

import logging

import pytest

from tests.routing.kit import row
from tests.support.amqp import message, send, wait_for_count
from tests.support.rabbit import eventually
from tests.support.services import celery_app, running
from typed_pubsub import PubSubConfig, Registry, TaskMapping
from typed_pubsub.handoff.report import DeadLettered

MAPPING = TaskMapping().add_legacy([row("a.key", get_args=lambda key, body: ([1 // body["divisor"]], {}))])


def test_the_hook_is_told_of_each_dead_letter_once_it_is_in_its_queue(
    broker_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[DeadLettered] = []

    def hook(dead: DeadLettered) -> None:
        told.append(dead)
        raise RuntimeError("the hook's own trouble")

    config = PubSubConfig(MAPPING, lambda: celery_app(broker_url), broker_url, "events", "q", on_dead_letter=hook)
    with caplog.at_level(logging.ERROR), running(config, Registry()) as subscriber:
        for divisor, event_id in ((0, "first"), (1, "second"), (0, "third")):
            send(broker_url, "events", "a.key", message(b'{"divisor": %d}' % divisor, {"ce-id": event_id}))
        eventually(lambda: sum(subscriber.outcomes.values()) == 3)
        wait_for_count(broker_url, "q.dlq", 2)
    assert [(each.event_id, each.reason) for each in told] == [("first", "mapping_error"), ("third", "mapping_error")]
    assert {(each.queue, each.routing_key) for each in told} == {("q", "a.key")}
    assert all("ZeroDivisionError at " in each.detail and "division by" not in each.detail for each in told)
    assert [record.getMessage() for record in caplog.records] == [
        "on_dead_letter failed: RuntimeError: the hook's own trouble"
    ] * 2
