"""The service under test: one event, two routes, its brokers from the environment.

What a route does is also what the hand-written subscribers beside it do: a task for every event, a second one for the
even numbers.
"""

import os
import time
from importlib import import_module
from typing import Any

from celery import Celery
from kombu import Queue

from typed_pubsub import PubSubConfig, StructEvent, TaskCall, TaskMapping, call, task

EXCHANGE, QUEUE, TASKS, KEY = "faults", "faults.events", "faults.tasks", "faults.happened"

app = Celery("faults", broker=os.environ.get("FAULTS_CELERY", "memory://"), set_as_current=False)
app.conf.update(
    task_default_queue=TASKS,
    task_ignore_result=True,
)
if room := os.environ.get("FAULTS_ROOM"):
    limits = {"x-max-length": int(room), "x-overflow": "reject-publish"}
    app.conf.task_queues = [Queue(TASKS, queue_arguments=limits)]
if os.environ.get("FAULTS_NOWHERE"):
    # An exchange that nobody declares.
    app.conf.task_routes = {"faults.*": {"exchange": "faults.nowhere", "routing_key": "a.key"}}


class Happened(StructEvent, routing_key=KEY):
    """An event with a number; ``seconds`` is how long its handler takes."""

    number: int
    seconds: float = 0.0


@task(app, name="faults.first", acks_late=True)
def first(number: int) -> None:
    """Every event's task. Never run: the tasks are counted on their queue."""


@task(app, name="faults.second", acks_late=True)
def second(number: int) -> None:
    """The task of even numbers."""


mapping = TaskMapping()


@mapping.on(Happened, name="first")
def run_first(event: Happened) -> TaskCall:
    """As slow as the event says."""
    time.sleep(event.seconds)
    return call(first, event.number)


@mapping.on(Happened, name="second", when=lambda event: event.number % 2 == 0)
def run_second(event: Happened) -> TaskCall:
    """Every other event has two tasks."""
    return call(second, event.number)


def expected_tasks(number: int) -> list[str]:
    """The names of the routes that want an event, which are its tasks' too."""
    return ["first", "second"] if number % 2 == 0 else ["first"]


def config() -> PubSubConfig:
    """The settings of a subscriber's process."""
    # So that a test need not wait for twenty minutes, or one.
    rules: Any = import_module("typed_pubsub.routing.settle")
    rules.HAND_BACK_AFTER = float(os.environ.get("FAULTS_HAND_BACK", rules.HAND_BACK_AFTER))
    lane: Any = import_module("typed_pubsub.handoff.lane")
    lane.CONFIRM_TIMEOUT = float(os.environ.get("FAULTS_CONFIRM", lane.CONFIRM_TIMEOUT))
    intake: Any = import_module("typed_pubsub.handoff.intake")
    intake.ENSURE_AFTER = float(os.environ.get("FAULTS_ENSURE", intake.ENSURE_AFTER))
    return PubSubConfig(
        task_mapping=mapping,
        get_celery_app=lambda: app,
        broker_url=os.environ["FAULTS_EVENTS"],
        exchange=EXCHANGE,
        queue_name=QUEUE,
        queue_type="quorum" if os.environ["FAULTS_QUEUE"] == "quorum" else "classic",
        health_file=os.environ.get("FAULTS_HEALTH"),
        drain_timeout=float(os.environ.get("FAULTS_DRAIN", "10")),
    )
