"""A service that handles the benchmark's events: its Celery app, task and routes, and what others write for them."""

import os
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import kombu
from celery import Celery
from kombu.mixins import ConsumerMixin

from benchmarks.broker import EVENTS, TASKS
from benchmarks.events import BenchMatchChanged, BenchMatchPublished
from typed_pubsub import TaskCall, TaskMapping, call, task

app = Celery("bench", broker=os.environ.get("BENCH_URL", "amqp://"))
app.conf.task_default_queue = TASKS
app.conf.task_ignore_result = True


@task(app, name="bench.tasks.execute")
def execute(match_id: UUID, title: str) -> None:
    """Never run: the tasks are counted on their queue."""


mapping = TaskMapping()


@mapping.on(BenchMatchPublished, when=lambda event: event.competition == "league")
def schedule(event: BenchMatchPublished) -> TaskCall:
    """The route of ours."""
    return call(execute, event.match_id, title=event.title)


@mapping.on(BenchMatchChanged, when=lambda event: event.competition == "league")
def schedule_changed(event: BenchMatchChanged) -> TaskCall:
    """The same for the Struct."""
    return call(execute, event.match_id, title=event.title)


class HandWritten(ConsumerMixin):
    """What one writes without a library: validate, ``apply_async``, acknowledge."""

    def __init__(self, connection: kombu.Connection) -> None:
        self.connection = connection

    def get_consumers(self, Consumer: Any, channel: Any) -> Sequence[Any]:  # noqa: ARG002, N803  # kombu's signature
        """One consumer, with our prefetch."""
        queue = kombu.Queue(EVENTS, no_declare=True)
        return [Consumer([queue], on_message=self.on_message, prefetch_count=200)]

    def on_message(self, message: Any) -> None:
        """One event."""
        event = BenchMatchPublished.model_validate_json(message.body)
        if event.competition == "league":
            execute.apply_async((event.match_id,), {"title": event.title})
        message.ack()
