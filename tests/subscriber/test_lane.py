"""One way out, with works that RabbitMQ refuses among others."""

import time
from typing import Any

from tests.support.amqp import TIMEOUT
from tests.support.services import celery_app
from typed_pubsub.brokers.advice import CELERY_SETTING
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.handoff.lane import Key, Lane
from typed_pubsub.handoff.report import Report
from typed_pubsub.handoff.work import Work
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.routing.decisions import Schedule
from typed_pubsub.routing.settle import Confirmed, Refused, Sent, Unanswered
from typed_pubsub.tasks.builder import TaskBuilder
from typed_pubsub.tasks.task_outlet import AmqpTaskOutlet


def work_of(app: Any, number: int, **options: Any) -> Work:
    call = TaskCall("a.task", (number,), options=options)
    delivery = Delivery("a.key", b"{}", f"id-{number}", tag=number)
    work = Work(delivery, read_metadata(delivery), Schedule((call,), {}), time.monotonic())
    (message,) = TaskBuilder(app).build(call, {})
    work.messages = {0: AmqpTaskOutlet.prepare(message)}
    return work


def test_works_that_fall_due_together_do_not_share_the_fate_of_the_one_that_closes_the_channel(vhost_url: str) -> None:
    app = celery_app(vhost_url)
    outlet: AmqpTaskOutlet[Key] = AmqpTaskOutlet(app)
    lane = Lane("Celery's broker", CELERY_SETTING, outlet, Report("a_queue", "an_exchange"), lambda: None)
    works = [
        work_of(app, number, **({"exchange": "missing", "routing_key": "x"} if number == 3 else {}))
        for number in range(6)
    ]
    ended: dict[int, list[Sent]] = {}
    for work in works:
        lane.add(work)
    # Each is done alone once, the refused one too.
    for _ in range(1 + len(works)):
        for work, sent in lane.step(TIMEOUT, wait=True):
            ended.setdefault(work.delivery.tag, []).append(sent)
            if isinstance(sent, Unanswered):
                lane.add(work)
    lane.outlet.close(1.0)
    last = {tag: sent[-1] for tag, sent in ended.items()}
    assert isinstance(last.pop(3), Refused)
    assert last == dict.fromkeys((0, 1, 2, 4, 5), Confirmed())
