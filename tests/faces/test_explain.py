"""``typed-pubsub explain`` as its users run it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.faces.conftest import Service as Files
from tests.routing.kit import row
from tests.support.services import celery_app
from typed_pubsub import Event, PubSubConfig, TaskCall, TaskMapping, call, remote_task
from typed_pubsub.cli.commands import main
from typed_pubsub.cli.service import Service

KEY = "explained.orders.placed"


class OrderPlaced(Event, routing_key=KEY):
    order: int
    note: str | None = None


APP = celery_app("amqp://127.0.0.1:1//")


@APP.task(name="explained.count", shared=False)
def count() -> None: ...


@remote_task("mail.tasks.send", queue="mail")
def send(order: int, note: str = "") -> None: ...


mapping = TaskMapping()


@mapping.on(OrderPlaced, when=lambda event: event.order > 1)
def tell(event: OrderPlaced) -> TaskCall:
    return call(send, event.order, note="[bold]").using(countdown=5)


mapping.add_legacy(
    [
        row("explained.#", "audit.log", should_schedule=lambda key, body: False),
        row("explained.counted", "explained.count"),
    ]
)

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    # Nobody is there: nothing is connected.
    config = PubSubConfig(mapping, lambda: APP, "amqp://127.0.0.1:1//", "events", "q")

    def run(*args: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, ["explain", *args], obj=Service(lambda: config), input=text)

    return run


def test_an_event_that_is_scheduled_with_nothing_connected(run: Run) -> None:
    result = run(KEY, '{"order": 7}')
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if "task_id" not in line and "event  " not in line]
    assert lines == [
        f"key       {KEY}",
        "model     tests.faces.test_explain.OrderPlaced, version 1",
        f"route     {__name__}.tell: when said yes, 1 task",
        "          mail.tasks.send(7, note='[bold]')",
        "            to queue 'mail'",
        "route     explained.#->audit.log (explained.#): should_schedule said no",
        "decision  scheduled, 1 task",
    ]


def test_one_that_is_skipped_is_no_failure(run: Run) -> None:
    result = run(KEY, '{"order": 0}')
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "decision  skipped, no condition holds")


def test_one_that_would_be_a_dead_letter_is_1_and_everything_wrong_is_told(run: Run) -> None:
    result = run(KEY, '{"note": 5}')
    assert result.exit_code == 1
    assert "body      $.order: Field required (missing)" in result.stdout
    assert "body      $.note: Input should be a valid string, got 5 (string_type)" in result.stdout
    assert "not asked" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("decision  dead-lettered, invalid_body: $.order: Field required")


def test_a_task_that_does_not_take_its_arguments_is_1_too(run: Run) -> None:
    result = run("explained.counted", "{}")
    assert result.exit_code == 1
    told = "explained.count: count() takes 0 positional arguments but 1 was given"
    assert f"            the task does not take these arguments: {told}" in result.stdout.splitlines()
    decision = f"decision  scheduled, 1 task, but the task does not take these arguments: {told}"
    assert result.stdout.splitlines()[-1] == decision


def test_the_body_may_come_from_a_file_or_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"order": 7}')
    assert run(KEY, f"@{tmp_path}/body.json").exit_code == 0
    assert run(KEY, "-", text='{"order": 7}').exit_code == 0
    missing = run(KEY, f"@{tmp_path}/none.json")
    assert missing.exit_code == 2
    assert "cannot be read: No such file or directory" in missing.output


def test_a_version_may_be_said(run: Run) -> None:
    result = run(KEY, '{"order": 7}', "--event-version", "2")
    assert result.exit_code == 1
    assert "newer_version: version 2, the newest known here is 1" in result.stdout


def test_all_of_it_as_json(run: Run) -> None:
    told = json.loads(run(KEY, '{"order": 7}', "--format", "json").stdout)
    assert told["outcome"] == "scheduled"
    (sent,) = told["routes"][0]["calls"]
    assert (sent["task"], sent["args"], sent["queue"], sent["options"]["countdown"]) == (
        "mail.tasks.send",
        [7],
        "mail",
        5,
    )


@pytest.mark.parametrize(
    "args",
    [(), (KEY,), (KEY, "{}", "--dlq", "1"), ("a.*", "{}"), ("a..b", "{}"), ("--dlq", "1", "--event-version", "1")],
)
def test_2_for_wrong_usage(run: Run, args: tuple[str, ...]) -> None:
    assert run(*args).exit_code == 2


def test_a_dead_letter_needs_the_broker(run: Run) -> None:
    result = run("--dlq", "1")
    assert result.exit_code == 3
    assert result.stderr.startswith("Error: no connection to amqp://127.0.0.1:1//: ConnectionRefusedError")


def test_it_runs_in_the_app_context_of_flask_with_its_settings(service: Files) -> None:
    code, child = service.python(
        "-m", "flask", "--app", "web", "pubsub", "explain", "a.key", '{"wanted": true, "divisor": 0}'
    )
    assert code == 1
    assert child.stdout[-1].startswith(
        "decision  dead-lettered, mapping_error: route a.key->service.tasks.a_task: Zero"
    )
