"""The service ``query``: its Celery app and tasks, executed by ``celery -A typed_pubsub.demo.query_tasks worker``."""

import os
from typing import Any
from uuid import UUID

from celery import Celery, current_task

from typed_pubsub import task
from typed_pubsub.demo.ledger import Ledger

app = Celery("query", broker=os.environ.get("DEMO_BROKER_URL", "sqlite:///demo.db"))
app.conf.task_default_queue = "query.tasks"
app.conf.task_ignore_result = True
# A task that dies with its worker runs again; Celery's default is to lose it.
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)


@task(app, name="query.tasks.execute_script")
def execute_script(match_id: UUID, script: str = "default") -> None:
    write_down(match_id=str(match_id), script=script)


@task(app, name="query.tasks.forget_match")
def forget_match(match_id: UUID, reason: str) -> None:
    write_down(match_id=str(match_id), reason=reason)


@task(app, name="query.tasks.show_score")
def show_score(match_id: int, score: str) -> None:
    write_down(match_id=match_id, score=score)


@task(app, name="query.tasks.refresh_table")
def refresh_table(table: str, rows: int) -> None:
    write_down(table=table, rows=rows)


def write_down(**arguments: Any) -> None:
    """One line for each run; a task that comes twice runs twice, under the id it had."""
    request = current_task.request
    Ledger.of_this_demo().write("runs", task_id=request.id, event_id=request.get("ce-id"), arguments=arguments)
