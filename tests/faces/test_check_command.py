"""``typed-pubsub check``: exit codes, forms, and what is left out."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result

from tests.faces.conftest import Service
from tests.support.children import environment
from typed_pubsub.cli import main

SERVICE = """
    from celery import Celery
    from typed_pubsub import Event, PubSubConfig, TaskMapping, call

    print("imported")
    app = Celery("service", broker="redis://127.0.0.1/0", set_as_current=False)


    class Hidden(Event, routing_key="check_command.{name}", abstract=False):
        name: str


    @app.task(name="service.show", shared=False, acks_late=True, reject_on_worker_lost=True)
    def show(name: str) -> None: ...


    mapping = TaskMapping()


    @mapping.on(Hidden, name="show")
    def handler(event: Hidden):
        print("handled")
        return call(show, event.nmae)


    config = PubSubConfig(mapping, lambda: app, "amqp://guest:s3cret@broker.example.org//", "events", "service")
"""


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service with an error and a warning."""
    (tmp_path / "checked_command.py").write_text(dedent(SERVICE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "checked_command:config"
    sys.modules.pop("checked_command", None)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments], catch_exceptions=False)


def of_service(result: Result) -> list[dict[str, str]]:
    """The findings but for those of events that other tests have made."""
    found = json.loads(result.stdout)["findings"]
    return [one for one in found if one["where"] in {"BROKER_URL", "route show", "TASK_MAPPING"}]


def test_an_error_is_exit_code_1_and_its_line_says_where_and_what_to_do(wrong: str) -> None:
    result = run("-A", wrong)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    (at,) = [number for number, line in enumerate(lines) if "TP303" in line]
    assert lines[at].startswith("error TP303 route show: the handler raises AttributeError at checked_command:")
    assert lines[at + 1].startswith("  checked_command.py:20: mend it")
    assert lines[-1].endswith("ignored") is False
    assert "s3cret" not in result.output


def test_what_the_service_prints_is_no_result(wrong: str) -> None:
    result = run("-A", wrong, "--format", "json")
    assert [one["id"] for one in of_service(result)] == ["TP106", "TP303"]
    assert "imported" in result.stderr
    assert "handled" in result.stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--ignore", "TP303"], 0),
        (["--ignore", "tp303", "--fail-on", "warning"], 1),
        (["--no-run"], 0),
        (["--no-run", "--fail-on", "note"], 1),
    ],
)
def test_the_least_severity_and_what_is_ignored_make_the_exit_code(wrong: str, options: list[str], code: int) -> None:
    assert run("-A", wrong, *options).exit_code == code


def test_what_is_ignored_is_counted_and_not_told(wrong: str) -> None:
    result = run("-A", wrong, "--ignore", "TP303", "--format", "json")
    assert "TP303" not in result.stdout
    assert json.loads(result.stdout)["ignored"] == 1


def test_the_same_service_gives_the_same_document_each_time(wrong: str) -> None:
    assert run("-A", wrong, "--format", "json").stdout == run("-A", wrong, "--format", "json").stdout


def test_annotations_name_file_and_line(wrong: str) -> None:
    lines = run("-A", wrong, "--format", "github").stdout.splitlines()
    (error,) = [line for line in lines if "TP303" in line]
    assert error.startswith("::error title=TP303,file=checked_command.py,line=20::route show: the handler raises ")
    assert any(line.startswith("::warning title=TP106::BROKER_URL: ") for line in lines)


def test_an_id_that_is_none_is_a_usage_error(wrong: str) -> None:
    result = run("-A", wrong, "--ignore", "TP999")
    assert result.exit_code == 2
    assert "'TP999' is the id of no finding: docs/checks.md lists them" in result.stderr


def test_a_path_that_leads_nowhere_is_a_usage_error() -> None:
    result = run("-A", "nowhere:config")
    assert result.exit_code == 2
    assert "Invalid value for '-A' / '--app': there is no module 'nowhere'" in result.stderr


@pytest.mark.once
def test_the_services_of_the_demo_and_the_quick_start_pass(tmp_path: Path) -> None:
    for target in ("typed_pubsub.demo.query:config", "examples.quickstart.mailer:config"):
        command = [sys.executable, "-m", "typed_pubsub.cli", "check", "-A", target, "--format", "json"]
        done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
        found = [(one["id"], one["where"]) for one in json.loads(done.stdout)["findings"]]
        assert done.returncode == 0, done.stdout
        # Nobody has thought of friendlies: that is the story of the demo.
        assert found == ([("TP304", "route run_script")] if "demo" in target else [])


@pytest.mark.parametrize("face", [("-m", "flask", "--app", "web", "pubsub"), ("-m", "django", "pubsub")])
def test_flask_and_django_check_their_own_settings(service: Service, face: tuple[str, ...]) -> None:
    code, child = service.python(*face, "check", "--format", "json", "--fail-on", "note")
    assert code == 1, child.output
    found = [(one["id"], one["where"]) for one in json.loads("\n".join(child.stdout))["findings"]]
    assert found == [
        ("TP306", "route a.key->service.tasks.a_task"),
        ("TP307", "route a.key->service.tasks.a_task"),
    ]
