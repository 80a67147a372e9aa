"""What may lose tasks after us is told from the Celery app's settings, and no more once it is mended."""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import AccessRefused, PreconditionFailed
from celery import Celery
from kombu import Exchange, Queue
from kombu.common import Broadcast

from tests.support.children import ROOT, run
from typed_pubsub import StructEvent, TaskCall, TaskMapping, call
from typed_pubsub.tasks.builder import TaskBuilder
from typed_pubsub.tasks.hazards import Hazard, find_hazards, known_tasks, used_as_found

PASSWORD = "pa55word"
RABBITMQ = f"amqp://someone:{PASSWORD}@nowhere//"
REDIS = f"redis://:{PASSWORD}@nowhere/0"
SAFE = {"task_acks_late": True, "task_reject_on_worker_lost": True}
DEAD = {"x-dead-letter-exchange": ""}
PAGE = (ROOT / "docs" / "reliability.md").read_text()
EARLY, LOST, DROPPED = "early-acknowledgement", "lost-workers", "no-dead-letter-exchange"
WAITS, FOUND = "long-countdowns", "queues-used-as-found"


def nothing(*args: object) -> None: ...


def app_of(url: str = "memory://", *names: str, settings: Any = (), **options: Any) -> Celery:
    """An app that connects to nothing, with these tasks; ``options`` are those of each."""
    app = Celery("service", broker=url, set_as_current=False)
    app.conf.update(dict(settings))
    task: Any = app.task
    for name in names:
        task(name=name, shared=False, **options)(nothing)
    return app


def told(app: Celery, *names: str) -> dict[str, str]:
    return {hazard.id: str(hazard) for hazard in find_hazards(app, names or app.tasks.keys() - celerys_own())}


def celerys_own() -> set[str]:
    return set(app_of().tasks)


def dead_lettered(name: str, **more: Any) -> Queue:
    return Queue(name, Exchange(name), routing_key=name, queue_arguments={**DEAD, **more})


def test_tasks_that_are_acknowledged_before_they_run_are_one_warning() -> None:
    app = app_of("memory://", "a", "b", "c", "d", "e")
    app.task(name="late", shared=False, acks_late=True, reject_on_worker_lost=True)(nothing)
    assert told(app) == {
        EARLY: "a worker that dies loses the tasks that it runs, acknowledged before they ran: 'a', 'b', 'c' and 2 "
        "more; set task_acks_late = True and task_reject_on_worker_lost = True, or acks_late and "
        "reject_on_worker_lost of the task (docs/reliability.md#early-acknowledgement)"
    }
    assert "ran: 'a'; set" in told(app, "a", "a")[EARLY]


@pytest.mark.parametrize("where", ["the app", "the task"])
def test_tasks_that_are_acknowledged_afterwards_are_none(where: str) -> None:
    of_task = {name.removeprefix("task_"): value for name, value in SAFE.items()}
    app = app_of("memory://", "a", settings=SAFE) if where == "the app" else app_of("memory://", "a", **of_task)
    assert told(app) == {}


def test_a_task_says_more_than_its_app() -> None:
    assert list(told(app_of("memory://", "a", settings=SAFE, acks_late=False))) == [EARLY]


def test_a_task_that_its_process_takes_along_is_told_unless_that_is_decided() -> None:
    assert told(app_of("memory://", "a", "b", acks_late=True)) == {
        LOST: "a task is acknowledged also when the process that runs it is killed (out of memory, a signal): "
        "'a', 'b'; set task_reject_on_worker_lost, or reject_on_worker_lost of the task, to True, or to False where "
        "that is meant (docs/reliability.md#lost-workers)"
    }
    for decided in (True, False):
        assert told(app_of("memory://", "a", acks_late=True, reject_on_worker_lost=decided)) == {}
        assert told(app_of("memory://", "a", acks_late=True, settings={"task_reject_on_worker_lost": decided})) == {}
    assert told(app_of("memory://", "a", acks_late=True, retry_on_worker_lost=True)) == {}


def test_a_queue_without_a_dead_letter_exchange_is_told() -> None:
    assert told(app_of(RABBITMQ, "a", "b", settings=SAFE)) == {
        DROPPED: "what a worker rejects, such as a task of a name unknown to it, is gone where Celery's queue has no "
        "x-dead-letter-exchange, unless a policy of the broker names one: 'celery'; set a policy with "
        "dead-letter-exchange, or, for a new queue, its queue_arguments in task_queues "
        "(docs/reliability.md#no-dead-letter-exchange)"
    }


def test_a_queue_with_a_dead_letter_exchange_is_not() -> None:
    assert told(app_of(RABBITMQ, "a", settings={**SAFE, "task_queues": [dead_lettered("celery")]})) == {}
    as_dict = {"celery": {"exchange": "celery", "queue_arguments": DEAD}}
    assert told(app_of(RABBITMQ, "a", settings={**SAFE, "task_queues": as_dict})) == {}


@pytest.mark.parametrize("url", [REDIS, "memory://", "sqlite:///broker.db"])
def test_dead_letter_exchanges_are_rabbitmqs_matter(url: str) -> None:
    assert told(app_of(url, "a", settings=SAFE)) == {}


def test_the_queues_are_those_that_the_apps_routes_name() -> None:
    settings = {
        **SAFE,
        "task_queues": [dead_lettered("celery"), dead_lettered("good"), Queue("bad"), Broadcast("all")],
        "task_routes": {
            "to.bad": "bad",
            "to.good": "good",
            "to.missing": {"queue": "missing"},
            "to.all": "all",
            "to.exchange": {"exchange": "somewhere", "routing_key": "a.key"},
        },
    }
    names = ("to.bad", "to.good", "to.missing", "to.all", "to.exchange", "elsewhere")
    app = app_of(RABBITMQ, *names, settings=settings)
    assert "names one: 'bad', 'missing'; set" in told(app)[DROPPED]
    assert told(app, "to.good", "to.all", "to.exchange", "elsewhere") == {}


def test_a_router_that_wants_arguments_tells_nothing() -> None:
    def by_argument(name: str, args: Any, kwargs: Any, options: Any, task: Any = None, **more: Any) -> Any:
        return {"queue": f"queue-{args[0]}"}

    assert told(app_of(RABBITMQ, "a", settings={**SAFE, "task_routes": by_argument})) == {}


def test_of_tasks_that_the_app_does_not_have_nothing_is_known() -> None:
    assert find_hazards(app_of(RABBITMQ), ["elsewhere.task"]) == []
    assert find_hazards(app_of(RABBITMQ, "a"), []) == []


def test_the_known_tasks_are_those_of_handlers_one_liners_and_rows() -> None:
    app = app_of("memory://", "one", "two")
    one, two = app.tasks["one"], app.tasks["two"]

    class Happened(StructEvent, routing_key="hazards.happened"):
        number: int

    def handler(event: Happened) -> TaskCall:
        return call(one, event.number)

    mapping = TaskMapping()
    mapping.on(Happened)(handler)
    mapping.route(Happened).to(two, lambda event, send: send(event.number))
    row = {"routing_key": "a", "task": "three", "should_schedule": nothing, "get_args": nothing}
    mapping.add_legacy([row])
    assert known_tasks(mapping.routes) == {"one", "two", "three"}


def sent(app: Celery, caplog: pytest.LogCaptureFixture, **options: Any) -> list[str]:
    """What is told when a task of these options is built, three times."""
    builder = TaskBuilder(app)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "typed_pubsub"):
        for _ in range(3):
            builder.build(TaskCall("a", options=options), {})
    return [record.getMessage() for record in caplog.records if record.name.startswith("typed_pubsub")]


def test_a_countdown_beyond_rabbitmqs_timeout_is_told_once_a_task(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = sent(app_of(RABBITMQ), caplog, countdown=7200)
    assert re.sub(r"\d{4} s", "n s", line, count=1) == (
        "a worker holds task 'a' for n s, until it is due; after 1800 s, or what its consumer_timeout says, RabbitMQ "
        "closes the channel, and the worker ends; shorten the wait, raise consumer_timeout, or use quorum queues with "
        "a topic exchange: RabbitMQ waits for them (docs/reliability.md#long-countdowns)"
    )


def test_a_countdown_beyond_redis_visibility_timeout_is_told_once_a_task(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = sent(app_of(REDIS), caplog, countdown=7200)
    assert re.sub(r"\d{4} s", "n s", line, count=1) == (
        "a worker holds task 'a' for n s, until it is due; after each 3600 s, its visibility timeout, Redis gives it "
        "to one more, and all run it; shorten the wait, or set broker_transport_options['visibility_timeout'] above "
        "it, also for the workers (docs/reliability.md#long-countdowns)"
    )
    longer = {"broker_transport_options": {"visibility_timeout": 8000}}
    assert sent(app_of(REDIS, settings=longer), caplog, countdown=7200) == []
    shorter = {"broker_transport_options": {"visibility_timeout": 60}}
    assert len(sent(app_of(REDIS, settings=shorter), caplog, countdown=90)) == 1


@pytest.mark.parametrize("url", [RABBITMQ, REDIS])
def test_a_wait_within_bounds_is_not_told(url: str, caplog: pytest.LogCaptureFixture) -> None:
    for options in ({}, {"countdown": 0}, {"countdown": 1790}, {"eta": datetime.now(UTC) - timedelta(days=1)}):
        assert sent(app_of(url), caplog, **options) == []


@pytest.mark.parametrize("url", ["memory://", "sqlite:///broker.db"])
def test_where_nobody_ends_a_wait_none_is_told(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert sent(app_of(url), caplog, countdown=1_000_000) == []


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "write",
    [
        lambda moment: moment,
        lambda moment: moment.astimezone(),
        lambda moment: moment.replace(tzinfo=None),
        lambda moment: moment.isoformat(),
        lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ],
    ids=["aware", "of another zone", "naive", "text", "text with a Z"],
)
def test_an_eta_counts_as_a_worker_reads_it(
    caplog: pytest.LogCaptureFixture, timezone: str, write: Callable[[datetime], Any]
) -> None:
    app = app_of(RABBITMQ, settings={"timezone": timezone})
    now = datetime.now(UTC)
    assert len(sent(app, caplog, eta=write(now + timedelta(seconds=1830)))) == 1
    assert sent(app, caplog, eta=write(now + timedelta(seconds=1700))) == []


def test_an_eta_that_nobody_can_read_is_not_judged(caplog: pytest.LogCaptureFixture) -> None:
    assert sent(app_of(RABBITMQ), caplog, eta="soon") == []


def quorum(kind: str, **arguments: Any) -> Queue:
    return Queue("slow", Exchange("slow", kind), routing_key="slow", queue_arguments={**DEAD, **arguments})


def test_what_rabbitmq_itself_holds_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    delayed = app_of(RABBITMQ, settings={"task_queues": [quorum("topic", **{"x-queue-type": "quorum"})]})
    assert sent(delayed, caplog, countdown=7200, queue="slow") == []
    held = app_of(RABBITMQ, settings={"task_queues": [quorum("direct", **{"x-queue-type": "quorum"})]})
    assert len(sent(held, caplog, countdown=7200, queue="slow")) == 1


def test_a_queues_own_timeout_counts(caplog: pytest.LogCaptureFixture) -> None:
    for milliseconds, warnings in ((7_300_000, 0), (60_000, 1)):
        queue = quorum("topic", **{"x-consumer-timeout": milliseconds})
        app = app_of(RABBITMQ, settings={"task_queues": [queue]})
        assert len(sent(app, caplog, countdown=7200, queue="slow")) == warnings


def test_each_task_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    builder = TaskBuilder(app_of(RABBITMQ))
    with caplog.at_level(logging.WARNING, "typed_pubsub"):
        for name in ("one", "two", "one"):
            builder.build(TaskCall(name, options={"countdown": 7200}), {})
    assert [line.getMessage().split("'")[1] for line in caplog.records] == ["one", "two"]


def test_a_queue_that_is_not_ours_to_declare_is_no_hazard() -> None:
    assert used_as_found("q", AccessRefused("no")) == "Celery's queue 'q' is used as found: no"
    assert used_as_found("q", PreconditionFailed("other arguments")) == (
        "Celery's queue 'q' is used as found: other arguments; this app's task_queues differ from what stands there, "
        "and where that is a quorum queue, workers hold each countdown that RabbitMQ would hold for them; give this "
        "app the task_queues of the workers (docs/reliability.md#queues-used-as-found)"
    )


def test_each_hazard_has_its_section_in_the_page() -> None:
    section = PAGE[PAGE.index("## What Celery may lose after us") :]
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^### (.*)$", section, re.MULTILINE)}
    assert anchors >= {EARLY, LOST, DROPPED, WAITS, FOUND}
    source = (ROOT / "typed_pubsub" / "tasks" / "hazards.py").read_text()
    assert set(re.findall(r'Hazard\(\s*"([^"]+)"', source)) == {EARLY, LOST, DROPPED, WAITS, FOUND}
    assert str(Hazard("an-id", "text", "fix")) == "text; fix (docs/reliability.md#an-id)"


def test_the_settings_that_the_page_recommends_are_told_nothing_of(caplog: pytest.LogCaptureFixture) -> None:
    page: dict[str, Any] = {}
    (block,) = re.findall(r"```python\n(# celeryconfig\.py.*?)```", PAGE, re.DOTALL)
    exec(block, page)
    settings = {name: value for name, value in page.items() if name.startswith("task_")}
    app = app_of(RABBITMQ, "a", settings=settings)
    assert told(app) == {}
    assert sent(app, caplog, countdown=7200) == []


@pytest.mark.parametrize("module", ["typed_pubsub.demo.query", "examples.quickstart.mailer"])
def test_the_services_that_this_project_shows_are_told_nothing(module: str, tmp_path: Path) -> None:
    program = (
        f"from {module} import app, mapping\n"
        "from typed_pubsub.tasks.hazards import find_hazards, known_tasks\n"
        "print(len(known_tasks(mapping.routes)) > 0, find_hazards(app, known_tasks(mapping.routes)))"
    )
    child = run("-c", program, cwd=tmp_path)
    assert child.stdout == ["True []"], child.output


def test_no_warning_has_a_password(caplog: pytest.LogCaptureFixture) -> None:
    lines = [line for url in (RABBITMQ, REDIS) for line in sent(app_of(url), caplog, countdown=7200)]
    for late in (True, False):
        lines += told(app_of(RABBITMQ, "a", acks_late=late)).values()
    assert len(lines) == 6
    assert not [line for line in lines if PASSWORD in line or "\n" in line]
