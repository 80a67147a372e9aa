"""Every documented way to use the library: clean under mypy --strict and pyright strict, and run by test_typing.py."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Literal, TypeVar, assert_type
from uuid import UUID

from celery import Celery, Task, shared_task
from celery.canvas import Signature
from pydantic import AwareDatetime

from typed_pubsub import (
    Event,
    Publisher,
    PubSubConfig,
    Registry,
    StructEvent,
    Subscriber,
    TaskCall,
    TaskMapping,
    call,
    remote_task,
    task,
    upcast,
)
from typed_pubsub.routing import LegacyRow

REGISTRY = Registry()
T = TypeVar("T")


class ServiceEvent(Event, abstract=True, registry=REGISTRY):
    tenant: str = "main"


class MatchesPublished(ServiceEvent, routing_key="app1.matches.published", version=2):
    match_id: UUID
    competition: str
    kickoff: AwareDatetime
    title: str | None = None


class MatchesDeleted(ServiceEvent, routing_key="app1.matches.deleted"):
    match_id: UUID
    reason: Literal["duplicate", "withdrawn"] = "withdrawn"


class TableLoaded(Event, routing_key="etl.{source}.{table}.loaded", registry=REGISTRY):
    source: str
    table: str
    rows: int


class ScoreChanged(StructEvent, routing_key="app1.scores.changed", registry=REGISTRY):
    match_id: int
    home: int = 0
    away: int = 0


class Changed(Event, Generic[T], registry=REGISTRY):
    old: T
    new: T


class PriceChanged(Changed[int], routing_key="prices.changed", extra="forbid"):
    currency: str = "EUR"


class GoalScoredV2(StructEvent, routing_key="goals.scored", version=2, registry=REGISTRY, deprecated="use the newest"):
    match: int


class GoalScored(Event, routing_key="goals.scored", version=3, registry=REGISTRY):
    match_id: int


class GoalShot(Event, routing_key="goals.shot", registry=REGISTRY, deprecated="use GoalScored instead", extra="forbid"):
    match_id: int


@upcast.body(GoalScored, version=1)
def goals_v1_to_v2(body: dict[str, Any]) -> dict[str, Any]:
    return {"match": body["id"]}


@upcast
def goals_v2_to_v3(old: GoalScoredV2) -> GoalScored:
    return GoalScored(match_id=old.match)


assert_type(goals_v1_to_v2({"id": 1}), dict[str, Any])
assert_type(goals_v2_to_v3(GoalScoredV2(match=1)), GoalScored)

app = Celery("good", set_as_current=False)


@shared_task
def execute_script(match_id: UUID, script: str = "default", *, dry_run: bool = False) -> str:
    return f"{match_id} {script} {dry_run}"


@shared_task
def count_goals(match_id: int, goals: int = 0) -> int:
    return match_id + goals


@shared_task(bind=True, max_retries=3)
def forget(self: Task[Any, Any], match_id: UUID, reason: str) -> None:
    self.retry()


@task(app, acks_late=True)
def store(match_id: UUID, title: str = "") -> None: ...


@task(app, bind=True, max_retries=3)
def store_again(self: Task[Any, Any], match_id: UUID, title: str = "") -> None:
    self.retry()


@remote_task("query.tasks.execute_script", queue="query", countdown=1.5)
def query_script(match_id: UUID, script: str = "default") -> None: ...


assert_type(call(execute_script, UUID(int=1), "x", dry_run=True), TaskCall)
assert_type(call(query_script, UUID(int=1)).using(countdown=1), TaskCall)
assert_type(call(store_again, UUID(int=1), title="final"), TaskCall)

mapping = TaskMapping()


@mapping.on(MatchesPublished, when=lambda e: e.title is not None)
def run_script(event: MatchesPublished) -> TaskCall:
    assert_type(event.title, str | None)
    options = call(execute_script, event.match_id, script=event.title or "")
    return options.using(countdown=10, queue="scripts", expires=event.kickoff, eta=event.kickoff + timedelta(hours=1))


@mapping.on(MatchesPublished, MatchesDeleted, name="tell-query")
def tell_query(event: MatchesPublished | MatchesDeleted) -> Iterator[TaskCall]:
    yield call(query_script, match_id=event.match_id)
    yield call(store, event.match_id, title=event.tenant)


@mapping.on(MatchesPublished, MatchesDeleted, TableLoaded, when=lambda e: isinstance(e, TableLoaded))
def three(event: MatchesPublished | MatchesDeleted | TableLoaded) -> list[TaskCall]:
    return [call(count_goals, event.rows)] if isinstance(event, TableLoaded) else []


@mapping.on(MatchesDeleted, TableLoaded, ScoreChanged, PriceChanged)
def four(event: MatchesDeleted | TableLoaded | ScoreChanged | PriceChanged) -> TaskCall | None:
    match event:
        case ScoreChanged():
            return call(count_goals, event.match_id, goals=event.home)
        case PriceChanged():
            assert_type(event.new, int)
            return call(count_goals, event.new)
        case MatchesDeleted() | TableLoaded():
            return None


@mapping.on(MatchesDeleted)
def wider(event: MatchesPublished | MatchesDeleted) -> TaskCall:
    """A handler of more events than the route's own is fine."""
    return call(forget, event.match_id, reason="withdrawn")


@mapping.on(MatchesDeleted)
def native(event: MatchesDeleted) -> Signature[Any]:
    return execute_script.si(event.match_id).set(countdown=3, queue="scripts")


@mapping.on(MatchesDeleted)
def native_generator(event: MatchesDeleted) -> Iterator[Signature[str] | TaskCall]:
    yield execute_script.si(event.match_id)
    yield call(execute_script, event.match_id).using(link=store.si(event.match_id))


def priority(event: ScoreChanged) -> bool:
    return event.home > event.away


mapping.route(ScoreChanged, when=lambda e: e.home > 1).to(count_goals, lambda e, send: send(e.match_id), priority=3)
mapping.route(ScoreChanged, when=priority).to(count_goals, lambda e, send: send(e.match_id, goals=e.away), name="away")
mapping.route(MatchesPublished).to(query_script, lambda e, send: send(e.match_id, script=e.competition))
mapping.route(MatchesPublished).to(store, lambda e, send: send(e.match_id).using(countdown=2), queue="store")
mapping.route(GoalScored).to(count_goals, lambda e, send: send(e.match_id), name="goals")
mapping.route(MatchesDeleted).to(forget, lambda e, send: send(e.match_id, reason=e.reason))

ROWS: list[LegacyRow] = [
    {
        "routing_key": "etl.*.*.loaded",
        "task": "query.tasks.execute_script",
        "should_schedule": lambda routing_key, body: routing_key != "" and body["rows"] > 0,
        "get_args": lambda routing_key, body: ([], {"rows": body["rows"]}),
        "celery_kwargs": lambda routing, body: {"countdown": 10},
    },
    {
        "routing_key": "app1.#",
        "task": "query.tasks.index",
        "should_schedule": lambda routing_key, body: True,
        "get_args": lambda routing_key, body: ((body["match_id"],), {}),
        "celery_kwargs": {"queue": "index", "retry": False},
    },
]
assert_type(mapping.add_legacy(ROWS), TaskMapping)


def always(routing_key: str, body: Any) -> bool:
    return True


def nothing(routing_key: str, body: Any) -> tuple[list[Any], dict[str, Any]]:
    return [], {}


UNANNOTATED = [
    {"routing_key": "a.b", "task": "t", "should_schedule": always, "get_args": nothing},
    {
        "routing_key": "a.c",
        "task": "t",
        "should_schedule": always,
        "get_args": nothing,
        "celery_kwargs": {"queue": "q"},
    },
]
mapping.add_legacy(UNANNOTATED)


def get_celery_app() -> Celery:
    return app


config = PubSubConfig(mapping, get_celery_app, "amqp://localhost", "events", "app2", unroutable="raise", prefetch=50)
from_rows = PubSubConfig(task_mapping=ROWS, broker_url="amqp://localhost", exchange="events", queue_name="app2")
from_plain = PubSubConfig(UNANNOTATED, "app:get_app", "amqp://localhost", "events")
SETTINGS: Mapping[str, object] = {"PUBSUB_BROKER_URL": "amqp://localhost", "PUBSUB_EXCHANGE": "events"}
assert_type(PubSubConfig.from_object(SETTINGS), PubSubConfig)


def publish() -> None:
    now = datetime.now(UTC)
    deleted = MatchesDeleted(match_id=UUID(int=1), reason="duplicate")
    with Publisher(config, registry=REGISTRY) as publisher:
        assert_type(publisher.publish(deleted, event_id="e1", correlation_id="c1"), str)
        publisher.publish(ScoreChanged(match_id=1, home=2))
        publisher.publish(TableLoaded(source="a", table="b", rows=1))
        publisher.publish(PriceChanged(old=1, new=2))
        many = (MatchesPublished(match_id=UUID(int=n), competition="c", kickoff=now) for n in range(3))
        assert_type(publisher.publish_many(many, correlation_id="c1"), int)
        publisher.publish_many([deleted, ScoreChanged(match_id=1)])
        publisher.publish_event("app1.matches.deleted", {"match_id": str(deleted.match_id)})
        publisher.publish_event(routing_key="a_routing_key", body={"foo": "bar"})


def subscribe() -> None:
    subscriber = Subscriber(config, registry=REGISTRY)
    subscriber.start()
    subscriber.stop()
