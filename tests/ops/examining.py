"""Services for the doctor to look at, and what it says of them."""

from celery import Celery

from typed_pubsub import PubSubConfig, TaskMapping
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.ops.doctor.lines import Examined, Line

TIMEOUT = 5.0


def service(url: str, celery: str | None = None) -> PubSubConfig:
    """A service that subscribes, with Celery's broker there or at ``celery``."""
    app = Celery("service", broker=celery or url, set_as_current=False)
    return PubSubConfig(TaskMapping(), lambda: app, url, "events", "examined")


def declare(url: str) -> None:
    link = EventBroker(url).connect(TIMEOUT)
    Topology("events", "examined", ("a.#",)).ensure(link)
    link.close()


def told(examined: Examined) -> dict[str, str]:
    """Verdicts and texts by subject; of several lines of one the last."""
    return {line.subject: f"{line.verdict}: {line.text}" for line in examined.lines}


def problems(examined: Examined) -> list[Line]:
    return [line for line in examined.lines if line.verdict == "problem"]
