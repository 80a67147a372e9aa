"""The service ``query``: which of its tasks the events of others cause."""

import os

from celery import Celery

from typed_pubsub import PubSubConfig, TaskCall, TaskMapping, call
from typed_pubsub.demo.events import MatchesDeleted, MatchesPublished, ScoreChanged
from typed_pubsub.demo.query_tasks import app, execute_script, forget_match, show_score
from typed_pubsub.routing import LegacyRow

SCRIPTS = {"league": "table.js", "cup": "bracket.js"}

mapping = TaskMapping()


@mapping.on(MatchesPublished, when=lambda event: event.title is not None, name="run_script")
def run_script(event: MatchesPublished) -> TaskCall:
    # Nobody has thought of friendlies: a KeyError, and what becomes of the event is part of the story.
    return call(execute_script, event.match_id, script=SCRIPTS[event.competition])


@mapping.on(MatchesDeleted, name="forget")
def forget(event: MatchesDeleted) -> TaskCall:
    return call(forget_match, event.match_id, reason=event.reason)


mapping.route(ScoreChanged, when=lambda event: event.home != event.away).to(
    show_score, lambda event, send: send(event.match_id, f"{event.home}:{event.away}"), name="score"
)


# As the replaced library has it: names, and callables that get the routing key and the body.
LEGACY_ROWS: list[LegacyRow] = [
    {
        "routing_key": "etl.*.*.loaded",
        "task": "query.tasks.refresh_table",
        "should_schedule": lambda _routing_key, body: body["rows"] > 0,
        "get_args": lambda _routing_key, body: ([], {"table": body["table"], "rows": body["rows"]}),
        "celery_kwargs": {"priority": 3},
    }
]
mapping.add_legacy(LEGACY_ROWS)


def get_celery_app() -> Celery:
    return app


config = PubSubConfig(
    broker_url=os.environ.get("DEMO_BROKER_URL", "sqlite:///demo.db"),
    exchange="events",
    queue_name="query",
    task_mapping=mapping,
    get_celery_app=get_celery_app,
)
