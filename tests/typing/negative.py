"""Each marked line is an error with that mypy code (M:) and pyright rule (P:), and no other line is one."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.typing.good import (
    GoalScored,
    GoalScoredV2,
    MatchesDeleted,
    MatchesPublished,
    ScoreChanged,
    always,
    count_goals,
    execute_script,
    forget,
    nothing,
    query_script,
    store,
    store_again,
)
from typed_pubsub import PubSubConfig, Publisher, TaskCall, TaskMapping, call, remote_task, upcast
from typed_pubsub import Pubisher  # M:attr-defined P:reportAttributeAccessIssue,reportUnusedImport
from typed_pubsub.routing import LegacyRow

ID = UUID(int=1)
NOW = datetime.now(UTC)
mapping = TaskMapping()


def publishing(publisher: Publisher) -> None:
    publisher.publish({"match_id": 1})  # M:arg-type P:reportArgumentType
    publisher.publish(MatchesDeleted)  # M:arg-type P:reportArgumentType
    publisher.publish(ScoreChanged)  # M:arg-type P:reportArgumentType
    publisher.publish("app1.matches.deleted")  # M:arg-type P:reportArgumentType
    publisher.publish(MatchesDeleted(match_id="1"))  # M:arg-type P:reportArgumentType
    publisher.publish(MatchesDeleted(reason="withdrawn"))  # M:call-arg P:reportCallIssue
    publisher.publish(MatchesDeleted(match_id=ID, raeson="withdrawn"))  # M:call-arg P:reportCallIssue
    publisher.publish(MatchesDeleted(match_id=ID, reason="gone"))  # M:arg-type P:reportArgumentType
    publisher.publish(MatchesDeleted(ID))  # M:call-arg,arg-type P:reportCallIssue
    publisher.publish(ScoreChanged(match_id="1"))  # M:arg-type P:reportArgumentType
    publisher.publish(ScoreChanged(1))  # M:call-arg P:reportCallIssue
    publisher.publish(ScoreChanged(home=1))  # M:call-arg P:reportCallIssue
    publisher.publish(ScoreChanged(match_id=1, hom=2))  # M:call-arg P:reportCallIssue
    publisher.publish(ScoreChanged(match_id=1), event_id=5)  # M:arg-type P:reportArgumentType
    publisher.publish(ScoreChanged(match_id=1), headers={})  # M:call-arg P:reportCallIssue
    publisher.publish_many([{"match_id": 1}])  # M:list-item P:reportArgumentType
    publisher.publish_many(ScoreChanged(match_id=1))  # M:arg-type P:reportArgumentType
    publisher.publish_event(MatchesDeleted(match_id=ID), {})  # M:arg-type P:reportArgumentType


def frozen(event: MatchesDeleted, score: ScoreChanged, made: TaskCall) -> None:
    event.match_id = ID  # M:misc P:reportAttributeAccessIssue
    event.tenant = "other"  # M:misc P:reportAttributeAccessIssue
    score.home = 2  # M:misc P:reportAttributeAccessIssue
    made.args = ()  # M:misc P:reportAttributeAccessIssue


def calls(event: MatchesPublished) -> None:
    call(execute_script, event.title)  # M:arg-type P:reportArgumentType
    call(execute_script, event.match_id, scrpt="x")  # M:call-arg P:reportCallIssue
    call(execute_script, event.match_id, "x", True)  # M:call-arg P:reportCallIssue
    call(execute_script, event.match_id, dry_run="no")  # M:arg-type P:reportArgumentType
    call(execute_script)  # M:call-arg P:reportCallIssue
    call(execute_script, event.matchid)  # M:attr-defined P:reportAttributeAccessIssue
    call(forget, event.match_id)  # M:call-arg P:reportCallIssue
    call(forget, event.match_id, reason=event.title)  # M:arg-type P:reportArgumentType
    call(forget, None, event.match_id, "x")  # M:call-arg,arg-type P:reportCallIssue
    call(store_again, str(event.match_id))  # M:arg-type P:reportArgumentType
    call(store_again, None, event.match_id, "x")  # M:call-arg,arg-type P:reportCallIssue
    call(store, str(event.match_id))  # M:arg-type P:reportArgumentType
    call(store, event.match_id, titel="x")  # M:call-arg P:reportCallIssue
    call(query_script, match_id=str(event.match_id))  # M:arg-type P:reportArgumentType
    call(query_script, event.match_id, "x", 1)  # M:call-arg P:reportCallIssue
    call(query_script, script="x")  # M:call-arg P:reportCallIssue
    call(query_script, event.match_id, skript="x")  # M:call-arg P:reportCallIssue
    call("query.tasks.execute_script", 1)  # M:arg-type P:reportArgumentType,reportCallIssue
    call(calls, event)  # M:arg-type P:reportArgumentType,reportCallIssue
    query_script(event.match_id)  # M:operator P:reportCallIssue


def options() -> None:
    call(execute_script, ID).using(countdwn=1)  # M:call-arg P:reportCallIssue
    call(execute_script, ID).using(countdown="1")  # M:arg-type P:reportArgumentType
    call(execute_script, ID).using(eta=5)  # M:arg-type P:reportArgumentType
    call(execute_script, ID).using(connection=None)  # M:call-arg P:reportCallIssue
    call(execute_script, ID).using({"countdown": 1})  # M:call-arg,arg-type P:reportCallIssue
    call(execute_script, ID).using(link="other.task")  # M:arg-type P:reportArgumentType


@remote_task("query.tasks.index", queu="query")  # M:call-arg P:reportCallIssue
def misspelt(match_id: UUID) -> None: ...


@remote_task("query.tasks.index", priority="high")  # M:arg-type P:reportArgumentType
def wrong_priority(match_id: UUID) -> None: ...


@remote_task  # M:arg-type P:reportArgumentType
def nameless(match_id: UUID) -> None: ...


@mapping.on(MatchesPublished)  # M:arg-type P:reportArgumentType
def wrong_event(event: MatchesDeleted) -> TaskCall:
    return call(execute_script, event.match_id)


@mapping.on(MatchesPublished, MatchesDeleted)  # M:arg-type P:reportArgumentType
def half(event: MatchesPublished) -> TaskCall:
    return call(execute_script, event.match_id)


@mapping.on(MatchesPublished)  # M:arg-type P:reportArgumentType
def wrong_return(event: MatchesPublished) -> dict[str, Any]:
    return {"args": (event.match_id,)}


@mapping.on(MatchesPublished)  # M:arg-type P:reportArgumentType
async def asynchronous(event: MatchesPublished) -> TaskCall:
    return call(execute_script, event.match_id)


@mapping.on(MatchesPublished, when=lambda e: e.titel is not None)  # M:attr-defined P:reportAttributeAccessIssue
def wrong_when(event: MatchesPublished) -> TaskCall:
    return call(execute_script, event.match_id)


@mapping.on(MatchesPublished, when=lambda e: e.title)  # M:arg-type,return-value P:reportArgumentType
def when_without_bool(event: MatchesPublished) -> TaskCall:
    return call(execute_script, event.match_id)


@mapping.on(MatchesPublished, MatchesDeleted, when=lambda e: e.reason != "")  # M:union-attr P:reportAttributeAccessIssue
def when_for_half(event: MatchesPublished | MatchesDeleted) -> TaskCall:
    return call(execute_script, event.match_id)


mapping.on(dict)  # M:type-var P:reportArgumentType
mapping.on(MatchesDeleted(match_id=ID))  # M:call-overload P:reportArgumentType
mapping.on()  # M:call-overload P:reportCallIssue
mapping.route(dict)  # M:type-var P:reportArgumentType
scores = mapping.route(ScoreChanged)
scores.to(count_goals, lambda e, send: send(e.matchid))  # M:attr-defined P:reportAttributeAccessIssue
scores.to(count_goals, lambda e, send: send(str(e.home)))  # M:arg-type P:reportArgumentType
scores.to(count_goals, lambda e, send: send())  # M:call-arg P:reportCallIssue
scores.to(count_goals, lambda e, send: send(e.home, gaols=1))  # M:call-arg P:reportCallIssue
scores.to(count_goals, lambda e, send: e.home)  # M:arg-type,return-value P:reportArgumentType
scores.to(count_goals, lambda e: call(count_goals, e.home))  # M:arg-type,misc P:reportArgumentType
scores.to(query_script, lambda e, send: send(e.match_id))  # M:arg-type P:reportArgumentType
scores.to("count_goals", lambda e, send: send(e.home))  # M:arg-type,call-arg P:reportArgumentType,reportCallIssue
scores.to(count_goals, lambda e, send: send(e.home), eta=3)  # M:arg-type P:reportArgumentType
scores.to(count_goals, lambda e, send: send(e.home), priorty=3)  # M:call-arg P:reportCallIssue
mapping.route(ScoreChanged, when=lambda e: e.goals > 1)  # M:attr-defined P:reportAttributeAccessIssue

@upcast  # M:type-var P:reportArgumentType
def from_a_dict(old: dict[str, Any]) -> GoalScored:
    return GoalScored(match_id=old["match"])


@upcast  # M:type-var P:reportArgumentType
def to_a_dict(old: GoalScoredV2) -> dict[str, Any]:
    return {"match_id": old.match}


@upcast  # M:type-var P:reportArgumentType
def to_nothing(old: GoalScoredV2) -> None: ...


@upcast  # M:type-var P:reportArgumentType
def to_a_class(old: GoalScoredV2) -> type[GoalScored]:
    return GoalScored


@upcast  # M:arg-type P:reportArgumentType
def of_two(old: GoalScoredV2, rows: int) -> GoalScored:
    return GoalScored(match_id=rows)


@upcast
def of_a_wrong_field(old: GoalScoredV2) -> GoalScored:
    return GoalScored(match_id=old.match_id)  # M:attr-defined P:reportAttributeAccessIssue


@upcast.body(GoalScored, version=1)  # M:arg-type P:reportArgumentType
def body_to_a_model(body: dict[str, Any]) -> GoalScored:
    return GoalScored(match_id=body["id"])


@upcast.body(GoalScored, version=1)  # M:arg-type P:reportArgumentType
def body_of_a_model(body: GoalScoredV2) -> dict[str, Any]:
    return {"match": body.match}


of_a_wrong_field(GoalScored(match_id=1))  # M:arg-type P:reportArgumentType
upcast.body(dict, version=1)  # M:arg-type P:reportArgumentType
upcast.body(GoalScored)  # M:call-arg P:reportCallIssue
upcast.body(GoalScored, version="1")  # M:arg-type P:reportArgumentType
upcast.body(GoalScored, version=1, until=3)  # M:call-arg P:reportCallIssue


def words(routing_key: str, body: Any) -> str:
    return "yes"


LACKS: LegacyRow = {"routing_key": "a", "task": "t", "should_schedule": always}  # M:typeddict-item P:reportAssignmentType
ROW: LegacyRow = {"routing_key": "a", "task": "t", "should_schedule": always, "get_args": nothing}
ROW["celery_kwarg"] = {"countdown": 1}  # M:typeddict-unknown-key P:reportGeneralTypeIssues
ROW["celery_kwargs"] = 5  # M:typeddict-item P:reportGeneralTypeIssues
ROW["should_schedule"] = words  # M:typeddict-item P:reportGeneralTypeIssues
ROW["get_args"] = lambda routing_key: ([], {})  # M:typeddict-item,misc P:reportGeneralTypeIssues
ROW["routing_key"] = None  # M:typeddict-item P:reportGeneralTypeIssues
mapping.add_legacy([ROW, "a"])  # M:list-item P:reportArgumentType
PubSubConfig(task_mapping=5)  # M:arg-type P:reportArgumentType
PubSubConfig(unroutable="rise")  # M:arg-type P:reportArgumentType
PubSubConfig(task_maping=mapping)  # M:call-arg P:reportCallIssue
