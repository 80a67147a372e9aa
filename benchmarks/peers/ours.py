"""The library itself."""

from benchmarks import service
from benchmarks.broker import EVENTS
from benchmarks.events import EXCHANGE, make_events, make_struct_events
from benchmarks.peers.routes import mapping_of
from benchmarks.program import Job, Maker, many, one_by_one, run
from typed_pubsub import Publisher, PubSubConfig, Subscriber
from typed_pubsub.events.registry import EventType


def _make(job: Job) -> Maker[EventType]:
    return make_events if job.kind == "Event" else make_struct_events


def _publisher(job: Job) -> Publisher:
    return Publisher(PubSubConfig(broker_url=job.url, exchange=EXCHANGE, unroutable="raise"))


def publish_many(job: Job) -> None:
    """Validated, mandatory, confirmed, in a pipeline."""
    with _publisher(job) as publisher:
        many(job, _make(job), publisher.publish_many)


def publish(job: Job) -> None:
    """The same one by one, each call returning when its event is confirmed."""
    with _publisher(job) as publisher:

        def each(events: object) -> None:
            for event in events:  # type: ignore[attr-defined]
                publisher.publish(event)

        many(job, _make(job), each)


def request(job: Job) -> None:
    """One ``publish()`` now and then."""
    with _publisher(job) as publisher:
        one_by_one(job, _make(job), publisher.publish)


def hand_off(job: Job) -> None:
    """The subscriber. Nobody has set up logging here, so it writes no line a delivery; nor do the others."""
    mapping = mapping_of(job.routes, job.shape)
    config = PubSubConfig(mapping, lambda: service.app, job.url, EXCHANGE, EVENTS, prefetch=job.prefetch)
    Subscriber(config).start()


if __name__ == "__main__":
    run({"publish": publish, "publish_many": publish_many, "request": request, "hand_off": hand_off})
