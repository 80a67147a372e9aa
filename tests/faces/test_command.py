"""``typed-pubsub``: paths after -A, help, versions."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from tests.faces.conftest import Service
from tests.support.children import environment, run
from typed_pubsub.cli import main

SERVICE = """
    from typed_pubsub import PubSubConfig

    BARE = PubSubConfig(broker_url="amqp://127.0.0.1//", exchange="events", source="bare")
    NUMBER = 42


    class Settings:
        PUBSUB_BROKER_URL = "amqp://127.0.0.1//"
        PUBSUB_EXCHANGE = "events"


    INSTANCE = Settings()
    MAPPING = {"PUBSUB_BROKER_URL": "amqp://127.0.0.1//", "PUBSUB_EXCHANGE": "events"}
    NESTED = {"inner": Settings}


    class Holder:
        config = BARE


    def make():
        return BARE


    def make_settings():
        return MAPPING
"""

EXTRAS = ("django", "flask", "hypothesis", "pytest", "redis", "rich", "watchfiles")

#: All of these lead to settings that can publish, but not subscribe.
FOUND = "Error: PubSubConfig: a subscriber needs QUEUE_NAME, TASK_MAPPING, GET_CELERY_APP"


@pytest.fixture
def my_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A service in the current directory, which is not on the path yet."""
    package = tmp_path / "my_app"
    package.mkdir()
    (package / "__init__.py").write_text("attribute = 1\nshadowed = {}\n")
    (package / "pubsub.py").write_text(dedent(SERVICE))
    (package / "settings.py").write_text('PUBSUB_BROKER_URL = "amqp://127.0.0.1//"\nPUBSUB_EXCHANGE = "events"\n')
    (package / "shadowed.py").write_text("")
    (package / "broken.py").write_text("import there_is_no_such_module\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_app"]:
        del sys.modules[name]


def subscribe(target: str) -> tuple[int, str]:
    """Exit code and last line on stderr."""
    done = CliRunner().invoke(main, ["subscribe", "-A", target], catch_exceptions=False)
    return done.exit_code, done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "target",
    [
        "my_app.pubsub:BARE",
        "my_app.pubsub.BARE",
        "my_app.pubsub:Settings",
        "my_app.pubsub:INSTANCE",
        "my_app.pubsub.MAPPING",
        "my_app.pubsub:Holder.config",
        "my_app.pubsub:make",
        "my_app.pubsub.make_settings",
        "my_app.settings",
    ],
)
def test_every_way_to_name_settings_leads_to_them(target: str, my_app: Path) -> None:
    assert subscribe(target) == (2, FOUND)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("nowhere", "there is no module 'nowhere' (looked in {cwd} too)"),
        ("nowhere.pubsub:config", "there is no module 'nowhere' (looked in {cwd} too)"),
        ("my_app.nowhere:config", "'my_app' has neither a module nor an object 'nowhere'"),
        ("my_app.nowhere", "'my_app' has neither a module nor an object 'nowhere'"),
        # What follows a colon is never imported: only objects are looked up.
        ("my_app:pubsub.BARE", "module 'my_app' has no 'pubsub'"),
        ("my_app.pubsub:BEAR", "module 'my_app.pubsub' has no 'BEAR': did you mean 'BARE'?"),
        ("my_app.pubsub:Holder.confg", "type in 'my_app.pubsub:Holder.confg' has no 'confg': did you mean 'config'?"),
        ("my_app.pubsub:", "expected module:object, such as my_app.pubsub:config, got 'my_app.pubsub:'"),
        (":config", "expected module:object, such as my_app.pubsub:config, got ':config'"),
        ("my_app.pubsub:NUMBER", "'my_app.pubsub:NUMBER' is int: expected a PubSubConfig or an object with PUBSUB_"),
    ],
)
def test_a_path_that_leads_nowhere_is_a_usage_error_that_says_where_it_ends(
    target: str, problem: str, my_app: Path
) -> None:
    code, line = subscribe(target)
    assert line.startswith(f"Error: Invalid value for '-A' / '--app': {problem.format(cwd=my_app)}")
    assert code == 2


def test_an_object_comes_before_a_module_of_its_name(my_app: Path) -> None:
    assert subscribe("my_app.shadowed") == (2, "Error: PubSubConfig: BROKER_URL: is missing; EXCHANGE: is missing")


def test_a_module_that_cannot_be_imported_fails_as_itself(my_app: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'there_is_no_such_module'"):
        subscribe("my_app.broken:config")


def test_the_path_may_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text("")
    env = environment(TYPED_PUBSUB_APP="conf")
    child = run("-m", "typed_pubsub.cli", "subscribe", cwd=tmp_path, env=env)
    assert child.stderr[-1] == "Error: PubSubConfig: BROKER_URL: is missing; EXCHANGE: is missing"


def test_an_error_while_the_settings_module_is_imported_is_one_line_too(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text("from typed_pubsub import PubSubConfig\nconfig = PubSubConfig()\n")
    child = run("-m", "typed_pubsub.cli", "subscribe", "-A", "conf:config", cwd=tmp_path, env=environment())
    assert child.output == "Error: PubSubConfig: BROKER_URL: is missing; EXCHANGE: is missing"
    assert child.wait() == 2


@pytest.mark.parametrize("arguments", [["subscribe"], ["subscrib"], ["subscribe", "-A", "x", "--workers", "2"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


def test_without_what_watches_files_reload_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    done = CliRunner().invoke(main, ["subscribe", "-A", "my_app", "--reload"])
    assert (done.exit_code, done.stderr) == (
        2, "Error: watchfiles is not installed: pip install 'typed-pubsub[reload]'\n"
    )  # fmt: skip


def test_a_supervisor_imports_neither_celery_nor_models() -> None:
    code = "import sys, typed_pubsub.cli.commands, typed_pubsub.cli.supervise"
    code += "; sys.exit(bool({'celery', 'pydantic'} & {*sys.modules}))"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)


def test_help_names_every_option_with_its_name_in_the_environment() -> None:
    told = CliRunner().invoke(main, ["subscribe", "--help"])
    assert told.exit_code == 0
    words = " ".join(told.output.split())
    for name in ("app", "processes", "reload", "stats", "log-level", "log-format"):
        assert f"--{name}" in words
        assert f"env var: TYPED_PUBSUB_{name.upper().replace('-', '_')}" in words


def test_the_brokers_version_is_asked_for_where_that_is_wanted(broker_url: str, my_app: Path) -> None:
    (my_app / "my_app" / "there.py").write_text(f"PUBSUB_BROKER_URL = {broker_url!r}\nPUBSUB_EXCHANGE = 'events'\n")
    arguments = ["version", "-A", "my_app.there", "--format", "json"]
    assert "broker" not in json.loads(CliRunner().invoke(main, arguments).stdout)
    told = json.loads(CliRunner().invoke(main, [*arguments, "--broker"], catch_exceptions=False).stdout)
    assert told["celery"] == metadata.version("celery")
    assert re.fullmatch(r"RabbitMQ \d+\.\d+\.\d+|embedded, SQLite 3\.\d+\.\d+", told["broker"])


def test_a_broker_that_is_away_has_no_version(nobody_there: str, my_app: Path) -> None:
    (my_app / "my_app" / "away.py").write_text(f"PUBSUB_BROKER_URL = {nobody_there!r}\nPUBSUB_EXCHANGE = 'events'\n")
    told = CliRunner().invoke(main, ["version", "-A", "my_app.away", "--broker"])
    assert told.exit_code == 3
    assert told.stderr.startswith("Error: no connection to amqp://guest:**@127.0.0.1:")


@pytest.mark.parametrize("arguments", [["--version"], ["version"]])
def test_it_tells_its_version(arguments: list[str]) -> None:
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 0
    first = told.output.splitlines()[0]
    assert first.startswith("typed-pubsub ")
    if arguments == ["version"]:
        assert f"celery {metadata.version('celery')}" in told.output.splitlines()


def test_importing_the_command_needs_no_extra() -> None:
    code = f"import sys; sys.modules |= dict.fromkeys({EXTRAS}); import typed_pubsub.cli; print('imported')"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.stdout == "imported\n", done.stderr


@pytest.mark.parametrize(
    ("blocked", "module", "said"),
    [
        (
            "flask",
            "typed_pubsub.flask.commands",
            "MissingExtra: flask is not installed: pip install 'typed-pubsub[flask]'",
        ),
        (
            "django",
            "typed_pubsub.django.apps",
            "MissingExtra: django is not installed: pip install 'typed-pubsub[django]'",
        ),
        # Something else that is missing is not a matter of the extra.
        (
            "werkzeug",
            "typed_pubsub.flask.commands",
            "ModuleNotFoundError: No module named 'werkzeug.local'; 'werkzeug' is not a package",
        ),
    ],
)
def test_a_face_without_its_framework_says_what_to_install(blocked: str, module: str, said: str) -> None:
    code = f"import sys; sys.modules[{blocked!r}] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].removeprefix("typed_pubsub.cli.extras.") == said


@pytest.mark.once
def test_a_service_that_has_set_up_logging_keeps_its_own(service: Service, nobody_there: str) -> None:
    code = """
        import logging
        import os
        import sys

        from service import Settings

        logging.basicConfig(level=logging.WARNING, format="MINE %(levelname)s %(message)s")
        logging.getLogger("typed_pubsub.subscriber").info("not shown")
        Settings.PUBSUB_PREFECTH = 1

        from typed_pubsub.cli.options import RunOptions
        from typed_pubsub.cli.run import run_subscriber
        from typed_pubsub import PubSubConfig, PubSubError
        try:
            run_subscriber(lambda: PubSubConfig.from_object(Settings), RunOptions(log_format=sys.argv[1] or None))
        except PubSubError as error:
            logging.warning("ended with %d", error.exit_code)
    """
    (service.directory / "own.py").write_text(dedent(code))
    code_kept, kept = service.python("own.py", "", url=nobody_there, connect_timeout=0.5)
    code_told, told = service.python("own.py", "json", url=nobody_there, connect_timeout=0.5)
    assert code_kept == code_told == 0
    assert kept.stderr[-1] == "MINE WARNING ended with 3"
    assert told.stderr[-1].startswith("{"), "what is asked for on the command line wins"
    assert "INFO" not in kept.output
