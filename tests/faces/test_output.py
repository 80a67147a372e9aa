"""Standard output that nobody reads, that is full, or that is closed from the start: never a traceback."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faces.conftest import Service
from typed_pubsub.cli.output import Unwritable
from typed_pubsub.cli.printing import progress

pytestmark = pytest.mark.once

CLI = ("-m", "typed_pubsub.cli")
APP = ("-A", "service:Settings")
COMMANDS = {
    "version": (*CLI, "version"),
    "help": (*CLI, "dlq", "list", "--help"),
    "schema show": (*CLI, "schema", "show", "app1.matches.published", "--events", "typed_pubsub.demo.events"),
    "check": (*CLI, "check", *APP, "--no-run", "--format", "json"),
    "dlq list": (*CLI, "dlq", "list", *APP),
    "doctor": (*CLI, "doctor", *APP),
    "topology show": (*CLI, "topology", "show", *APP),
    "subscribe": (*CLI, "subscribe", *APP),
    "flask": ("-m", "flask", "--app", "web", "pubsub", "--help"),
    "flask subscriber": ("-m", "flask", "--app", "web", "subscriber"),
    "django": ("-m", "django", "pubsub", "version"),
    "django subscriber": ("-m", "django", "subscriber"),
}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(service: Service) -> Run:
    """Runs a command, its output buffered as Python does by itself."""
    url = f"sqlite:///{service.directory}/broker.db"
    given = service.environment(url, {}, {"PYTHONUNBUFFERED": ""})

    def run(*command: str, **how: object) -> subprocess.CompletedProcess[str]:
        streams: dict[str, object] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, **how}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            command, cwd=service.directory, env=given, text=True, timeout=60, check=False, **streams
        )

    return run


@contextmanager
def unread() -> Iterator[int]:
    """The end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


@pytest.mark.parametrize("name", COMMANDS)
def test_output_that_nobody_reads_any_more_ends_a_command_quietly(run: Run, name: str) -> None:
    with unread() as pipe:
        ended = run(sys.executable, *COMMANDS[name], stdout=pipe)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize("name", ["dlq list", "doctor"])
def test_so_do_both_outputs_that_nobody_reads(run: Run, name: str) -> None:
    with unread() as pipe:
        ended = run(sys.executable, *COMMANDS[name], stdout=pipe, stderr=pipe)
    assert ended.returncode == 141


@pytest.mark.parametrize("name", COMMANDS)
def test_output_to_a_full_disk_is_told_in_one_line(run: Run, name: str) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = run(sys.executable, *COMMANDS[name], stdout=full)
    assert (ended.returncode, ended.stderr) == (1, "Error: standard output: No space left on device\n")


@pytest.mark.parametrize(("name", "code"), [("version", 0), ("check", 0), ("doctor", 0), ("topology show", 0)])
def test_a_command_without_any_stream_has_its_own_exit_code(run: Run, name: str, code: int) -> None:
    ended = run("sh", "-c", 'exec "$@" <&- >&-', "sh", sys.executable, *COMMANDS[name])
    assert (ended.returncode, "Traceback" in ended.stderr) == (code, False), ended.stderr


def test_progress_that_nobody_reads_is_no_fault_of_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with unread() as pipe, Path(os.devnull).open("w") as nowhere, os.fdopen(os.dup(pipe), "w", buffering=1) as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with progress("moved", 2) as bar, pytest.raises(Unwritable) as told:
            bar.say("one")
        monkeypatch.undo()
        # Where what is left of it goes as it is closed.
        os.dup2(nowhere.fileno(), stderr.fileno())
    assert told.value.unread
