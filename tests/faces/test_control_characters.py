"""Senders' words that would steer a terminal: tail, dlq and the log show the same escapes for them."""

import json
import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.dead_letters import leave
from typed_pubsub import PubSubConfig
from typed_pubsub.cli.commands import main
from typed_pubsub.cli.logs import TextFormatter
from typed_pubsub.cli.service import Service
from typed_pubsub.cli.watching import Shown
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.handoff.report import Report
from typed_pubsub.routing.decisions import DeadLetter

# ESC and what terminals also take for "ESC [": C1's CSI, which JSON need not escape.
KEY, KEY_SHOWN = "a.\x1b[31m", r"a.\x1b[31m"
BODY = '{"note":"\x9b31m"}'.encode()
HEADERS = {"ce-specversion": "1.0", "ce-id": "one", "ce-source": "shop", "x-note": "\x9b2J"}
DELIVERY = Delivery(KEY, BODY, "random", "events", HEADERS, {"content_type": "application/json"})
LETTER = DeadLetter("mapping_error", "raised\r\x1b[A")


def is_harmless(text: str) -> bool:
    return text.replace("\n", "").isprintable()


def test_tail_shows_escapes() -> None:
    text = Shown(form="text", decode=True).lines(DELIVERY, datetime.now(UTC))
    assert is_harmless(text), text
    assert f"  {KEY_SHOWN}  one  shop  " in text
    assert r'"note": "\x9b31m"' in text


def test_tail_as_json_escapes_what_json_need_not() -> None:
    line = Shown(form="json", decode=False).lines(DELIVERY, datetime.now(UTC))
    assert is_harmless(line), line
    told = json.loads(line)
    assert (told["routing_key"], told["headers"], told["body"]) == (KEY, HEADERS, json.loads(BODY))


@pytest.mark.parametrize("command", [("list",), ("stats",), ("show", "1"), ("replay", "--dry-run")], ids=" ".join)
@pytest.mark.parametrize("form", ["text", "json"])
def test_dlq_shows_escapes(tmp_path: Path, command: tuple[str, ...], form: str) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    leave(url, [DELIVERY], LETTER)
    row = {
        "routing_key": "a.*",
        "task": "a.task",
        "should_schedule": lambda routing_key, body: True,
        "get_args": lambda routing_key, body: ([], {}),
    }
    config = PubSubConfig([row], lambda: None, url, "events", "q")
    done = CliRunner().invoke(main, ["dlq", *command, "--format", form], obj=Service(lambda: config))
    assert is_harmless(done.output), done.output
    if command[0] != "replay":
        assert KEY_SHOWN in done.stdout if form == "text" else json.dumps(KEY) in done.stdout


def test_the_log_shows_escapes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "typed_pubsub.subscriber"):
        Report("q", "events").requeued(read_metadata(DELIVERY), time.monotonic())
    (record,) = caplog.records
    assert f"requeued {KEY_SHOWN} event=one " in record.getMessage()


def test_a_log_line_of_anybody_elses_does_so_too() -> None:
    record = logging.makeLogRecord({"msg": "the broker said %s", "args": ("\x1b[2J\nbye",), "levelname": "INFO"})
    assert TextFormatter().format(record).endswith(r"the broker said \x1b[2J bye")
