"""The whole way, once: events published by one process, routed by a second, executed by a Celery worker in a third."""

import json
from pathlib import Path
from typing import Any

from tests.support.amqp import take_all, wait_for_count
from tests.support.children import Child, environment, run, worker

SERVICE = """
import json, sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from celery import Celery
from celery.signals import before_task_publish

from typed_pubsub import Event, PubSubConfig, Publisher, StructEvent, Subscriber, TaskCall, TaskMapping, call
from typed_pubsub import remote_task, task

URL = {url!r}
app = Celery("service", broker=URL)
app.conf.task_routes = {{"service.tell": {{"queue": "telling"}}}}
app.conf.accept_content = ["json", "pickle"]


class Published(Event, routing_key="app.published"):
    number: UUID
    price: Decimal
    when: datetime


class Scored(StructEvent, routing_key="app.{{side}}.scored"):
    side: str
    goals: int = 0


def done(request, **told) -> None:
    told |= {{"id": request.id}}
    told |= {{"headers": {{name: request.get(name) for name in ("ce-id", "ce-source", "ce-type", "traceparent")}}}}
    with Path("done.jsonl").open("a") as lines:
        lines.write(json.dumps(told, default=repr) + chr(10))


@task(app, name="service.store", bind=True)
def store(self, number: UUID, *, price: Decimal, when: datetime) -> None:
    done(self.request, task="store", types=[type(value).__name__ for value in (number, price, when)])


@task(app, name="service.tell", bind=True)
def tell(self, side: str, goals: int) -> None:
    done(self.request, task="tell", side=side, goals=goals)


@task(app, name="service.after", bind=True)
def after(self, result, word: str) -> None:
    done(self.request, task="after", word=word)


@remote_task("service.store")
def remote_store(number: UUID, *, price: Decimal, when: datetime) -> None: ...


mapping = TaskMapping()


@mapping.on(Published)
def on_published(event: Published) -> Iterator[TaskCall]:
    arguments = {{"price": event.price, "when": event.when}}
    yield TaskCall("service.store", (event.number,), arguments).using(serializer="pickle", compression="gzip")
    yield call(remote_store, event.number, **arguments).using(countdown=0.5, link=after.s("linked"))


mapping.route(Scored, when=lambda e: e.goals > 0).to(tell, lambda e, send: send(e.side, goals=e.goals), priority=3)


@before_task_publish.connect
def stamp(headers, **_) -> None:
    headers["stamp"] = "added"


config = PubSubConfig(mapping, lambda: app, URL, "an_exchange", "a_queue", unroutable="raise", publish_timeout=60)

if __name__ == "__main__":
    if sys.argv[1] == "subscribe":
        import logging
        logging.basicConfig(level="INFO")
        Subscriber(config).start()
    else:
        with Publisher(config) as publisher:
            when = datetime(2024, 2, 29, tzinfo=UTC)
            publisher.publish(Published(number=UUID(int=7), price=Decimal("1.50"), when=when), traceparent="a-trace")
            publisher.publish_many(Scored(side=side, goals=goals) for side in ("home", "away") for goals in (0, 1))
"""


def test_events_of_one_process_become_tasks_that_a_worker_executes(broker_url: str, tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(SERVICE.format(url=broker_url))

    def done() -> list[dict[str, Any]]:
        path = tmp_path / "done.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    with Child("service.py", "subscribe", cwd=tmp_path) as subscriber:
        subscriber.wait_for("consuming queue 'a_queue'")
        assert run("service.py", "publish", cwd=tmp_path).wait() == 0
        subscriber.wait_for("scheduled", count=3)
        subscriber.wait_for("skipped", count=2)
        wait_for_count(broker_url, "telling", 2)
        environ = environment(tmp_path, C_FORCE_ROOT="1")  # a root that accepts pickle says so
        with worker("service", "-Q", "celery,telling", cwd=tmp_path, env=environ) as running:
            running.wait_for("succeeded", count=5)
            running.terminate()
        assert subscriber.terminate() == 0, subscriber.output
    told = sorted(done(), key=lambda one: (one["task"], one.get("side", "")))
    assert [one["task"] for one in told] == ["after", "store", "store", "tell", "tell"]
    after, by_name, linked, away, home = told
    assert by_name["types"] == linked["types"] == ["UUID", "Decimal", "datetime"]
    assert (away["side"], home["side"], home["goals"], after["word"]) == ("away", "home", 1, "linked")
    assert len({one["id"] for one in told}) == 5
    assert by_name["headers"]["ce-id"] == linked["headers"]["ce-id"]
    assert {one["headers"]["ce-source"] for one in (by_name, linked, away, home)} == {"a_queue"}
    assert (home["headers"]["ce-type"], by_name["headers"]["traceparent"]) == ("app.{side}.scored", "a-trace")
    assert take_all(broker_url, "a_queue") == take_all(broker_url, "a_queue.dlq") == []
