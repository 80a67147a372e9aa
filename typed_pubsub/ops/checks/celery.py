"""Findings of the Celery app: TP6xx. What loses tasks is told in the words of the subscriber's own warnings."""

from collections.abc import Callable, Iterable, Iterator

from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.ops.checks.failing import told
from typed_pubsub.ops.checks.rules import Finding, finding
from typed_pubsub.routing.routes import Route
from typed_pubsub.tasks.hazards import Hazard, find_hazards, known_tasks
from typed_pubsub.tasks.rehearsal import Rehearsal, shares_queue

#: By the anchor in docs/reliability.md.
HAZARDS = {
    "early-acknowledgement": "TP602",
    "lost-workers": "TP603",
    "no-dead-letter-exchange": "TP604",
    "long-countdowns": "TP605",
}


def read_app(config: PubSubConfig, tell: Callable[[Hazard], object]) -> tuple[Rehearsal | None, list[Finding]]:
    """The Celery side of the subscriber, or what stands against it; ``tell`` is for what its calls show."""
    fix = "GET_CELERY_APP is to give the app as the workers load it"
    try:
        return Rehearsal(config.celery_app(), tell), []
    except MisconfigurationException as error:
        text = str(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the app's modules are imported
        text = told(error)
    return None, [finding("TP601", "GET_CELERY_APP", text.removeprefix("GET_CELERY_APP: "), fix)]


def check_app(config: PubSubConfig, rehearsal: Rehearsal, routes: Iterable[Route]) -> Iterator[Finding]:
    """What the app's settings tell."""
    app, queue = rehearsal.builder.app, str(config.queue_name)
    for hazard in find_hazards(app, known_tasks(routes)):
        yield as_finding(hazard)
    if shares_queue(app, config.broker_url, queue):
        told = f"{queue!r} is one of the app's task_queues: a worker throws away what is no task"
        yield finding("TP606", "QUEUE_NAME", told, "give events and tasks queues of their own")


def as_finding(hazard: Hazard) -> Finding:
    """A warning of the subscriber's start as a finding."""
    return finding(HAZARDS[hazard.id], "Celery", hazard.text, f"{hazard.fix} (docs/reliability.md#{hazard.id})")
