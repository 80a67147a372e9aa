"""What a subscriber says: a line a delivery, as text or JSON, and never a body."""

import json
import logging
import re
from datetime import datetime
from typing import Any

import pytest

from tests.faces.conftest import Service
from tests.support.rabbit import eventually, get, queue_state
from typed_pubsub import Publisher, PubSubConfig
from typed_pubsub.cli.logs import JsonFormatter, TextFormatter, configure_logging

SECRET = "the-body-is-a-secret"

#: An event for each outcome.
BODIES: dict[str, dict[str, Any]] = {
    "scheduled": {"wanted": True, "divisor": 1, "note": SECRET},
    "skipped": {"wanted": False, "note": SECRET},
    "dead-lettered": {"wanted": True, "divisor": 0, "note": SECRET, SECRET: SECRET},
}


def publish(url: str) -> dict[str, str]:
    """Publishes one event for each outcome; their ids."""
    with Publisher(PubSubConfig(broker_url=url, exchange="events", unroutable="raise")) as publisher:
        return {outcome: publisher.publish_event("a.key", body) for outcome, body in BODIES.items()}


def test_json_lines_hold_every_field_of_a_delivery(any_face: Service, vhost_url: str) -> None:
    with any_face.start(vhost_url, "--log-format", "json") as child:
        child.wait_for("consuming")
        ids = publish(vhost_url)
        task = get(vhost_url, "celery")
        child.wait_for('"outcome"', count=3)
        assert child.terminate() == 0

    lines = [json.loads(line) for line in child.stderr]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    assert all(datetime.fromisoformat(line["time"]).tzinfo is not None for line in lines)
    (banner,) = [line for line in lines if "routes" in line]
    assert (banner["exchange"], banner["queue"], banner["processes"]) == ("events", "a-queue", 1)
    assert banner["routes"][0]["tasks"] == ["service.tasks.a_task"]
    told = {line["outcome"]: line for line in lines if "outcome" in line}
    assert {outcome: line["event_id"] for outcome, line in told.items()} == ids
    assert {line["routing_key"] for line in told.values()} == {"a.key"}
    assert {outcome: line["task_ids"] for outcome, line in told.items()} == {
        "scheduled": [task.headers["id"]],
        "skipped": [],
        "dead-lettered": [],
    }
    assert {outcome: line["level"] for outcome, line in told.items()} == {
        "scheduled": "info",
        "skipped": "info",
        "dead-lettered": "warning",
    }
    assert all(line["milliseconds"] >= 0 for line in told.values())
    assert "mapping_error" in told["dead-lettered"]["message"]
    assert SECRET not in child.output


def test_text_lines_hold_the_same_and_not_even_debug_shows_a_body(any_face: Service, vhost_url: str) -> None:
    with any_face.start(vhost_url, "--log-level", "debug") as child:
        child.wait_for("consuming")
        ids = publish(vhost_url)
        task = get(vhost_url, "celery")
        lines = {outcome: child.wait_for(f" {outcome} a.key event={ids[outcome]}")[0] for outcome in BODIES}
        assert child.terminate() == 0

    assert re.search(rf" INFO typed_pubsub\.subscriber: .* tasks={task.headers['id']} \d+\.\d ms$", lines["scheduled"])
    assert re.search(r" tasks=- \d+\.\d ms$", lines["skipped"])
    assert re.search(r" WARNING typed_pubsub.* ms mapping_error: .*ZeroDivisionError", lines["dead-lettered"])
    assert SECRET not in child.output
    assert "Traceback" not in child.output


def test_records_of_one_of_several_processes_have_its_number_whoever_writes_them() -> None:
    before = logging.getLogRecordFactory()
    try:
        configure_logging(None, None, 3)
        record: Any = logging.getLogger("service").makeRecord("service", 20, __file__, 1, "said", (), None)
    finally:
        logging.setLogRecordFactory(before)
    assert record.process_number == 3
    assert TextFormatter().format(record).endswith(" INFO service: [3] said")
    assert json.loads(JsonFormatter().format(record))["process_number"] == 3


@pytest.mark.parametrize(("any_face", "how"), [("cli", "option"), ("django", "environment")], indirect=["any_face"])
def test_a_higher_level_leaves_the_lines_out(any_face: Service, vhost_url: str, how: str) -> None:
    options = ("--log-level", "WARNING") if how == "option" else ()
    env = {"TYPED_PUBSUB_LOG_LEVEL": "warning"} if how == "environment" else {}
    with any_face.start(vhost_url, *options, env=env) as child:
        eventually(lambda: (state := queue_state(vhost_url, "a-queue")) and state.consumer_count, what="consuming")
        publish(vhost_url)
        get(vhost_url, "a-queue.dlq")
        child.wait_for("WARNING", "no model is bound to 'a.key'")
        assert child.terminate() == 0
    assert not [line for line in child.lines if "INFO" in line]


@pytest.mark.once
def test_a_setting_that_is_none_is_a_warning_in_the_same_form(any_face: Service, nobody_there: str) -> None:
    code, child = any_face.run(nobody_there, "--log-format", "json", connect_timeout=1, prefecth=3)
    assert code == 3
    warned = [json.loads(line) for line in child.stderr if "PREFECTH" in line]
    assert [line["level"] for line in warned] == ["warning"]
    assert "PUBSUB_PREFECTH is no setting of typed_pubsub: did you mean PUBSUB_PREFETCH?" in warned[0]["message"]
