"""``typed-pubsub demo``: its last line is true, and nothing of it is left behind, however it ends."""

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.children import environment
from tests.support.rabbit import eventually
from typed_pubsub.demo.stopping import Stopped, in_one_piece, stop_on_signals

pytestmark = pytest.mark.once

LAST_LINE = re.compile(r"published (\d+) = scheduled (\d+) \+ skipped (\d+) \+ dead-lettered (\d+)")
A_TABLE_ROW = re.compile(r"^(\S+) +(\w+|legacy row) +(\d+) scheduled +(\w+) +(\d+)$", re.MULTILINE)


class Demo:
    """A demo in a process of its own; all that it starts carries its mark and writes below its directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [sys.executable, "-m", "typed_pubsub.cli", "demo"],
            # Anywhere: it needs the installed package alone.
            cwd="/",
            env=environment(TMPDIR=str(directory), DEMO_MARK=self.mark, COLUMNS="80"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def read_until(self, start: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(start):
                return
        raise AssertionError(f"the demo ended before {start!r}: {self.process.communicate()[1]}")

    def left(self) -> list[str]:
        """The command lines of its processes that still live, and its files."""
        marked = [path.parent for path in Path("/proc").glob("[0-9]*/environ") if self.mark.encode() in _read(path)]
        lines = [_read(process / "cmdline").replace(b"\0", b" ").decode(errors="replace") for process in marked]
        # Not rglob: what is being removed meanwhile is an error to it.
        return lines + [str(Path(at, name)) for at, inner, files in os.walk(self.directory) for name in inner + files]

    def wait_until_gone(self) -> None:
        # Killed they are; the kernel may still be burying them.
        try:
            eventually(lambda: not self.left(), what="the end of what it started")
        except AssertionError:
            raise AssertionError(self.left()) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path)
    yield running
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGKILL)
    running.process.communicate()


def test_the_demo_adds_up_in_a_pipe_and_leaves_nothing_behind(demo: Demo) -> None:
    out, err = demo.process.communicate(timeout=110)
    assert demo.process.returncode == 0, err
    said = LAST_LINE.fullmatch(out.splitlines()[-1])
    assert said is not None, out
    published, scheduled, skipped, dead = map(int, said.groups())
    assert published == scheduled + skipped + dead
    assert (published, dead) == (602, 3)
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80
    for reason in ("undecodable", "invalid_body", "mapping_error"):
        assert re.search(rf"^{reason} +app1\.", out, re.MULTILINE), out
    rows = A_TABLE_ROW.findall(out)
    assert {row[1] for row in rows} == {"forget", "run_script", "score", "legacy row"}
    assert all(row[2] == row[4] for row in rows)
    assert sum(int(row[4]) for row in rows) == scheduled
    assert err.endswith("    typed-pubsub subscribe -A examples.quickstart.mailer:config\n")
    demo.wait_until_gone()


@pytest.mark.parametrize("moment", ["typed_pubsub", "query", "poison", "kill -9"])
def test_ctrl_c_at_any_moment_leaves_nothing_behind(demo: Demo, moment: str) -> None:
    demo.read_until(moment)
    os.killpg(demo.process.pid, signal.SIGINT)
    _, err = demo.process.communicate(timeout=60)
    assert demo.process.returncode == 128 + signal.SIGINT, err
    assert err == "Stopped: no process and no file is left behind.\n"
    demo.wait_until_gone()


def test_a_demo_that_is_killed_leaves_nothing_behind_either(demo: Demo) -> None:
    demo.read_until("poison")
    demo.process.kill()
    demo.wait_until_gone()


def test_a_step_that_must_be_whole_is_and_then_the_demo_ends() -> None:
    done: list[str] = []

    def steps() -> None:
        stop_on_signals()
        with in_one_piece():
            signal.raise_signal(signal.SIGTERM)
            done.append("the step")
        done.append("the next one")

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(Stopped) as stopped:
            steps()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert (done, stopped.value.args) == (["the step"], (signal.SIGTERM,))


def test_without_rich_the_demo_says_what_to_install() -> None:
    program = (
        "import runpy, sys; sys.modules['rich'] = None; runpy.run_module('typed_pubsub.demo', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[1], check=False, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "pip install 'typed-pubsub[cli]'" in done.stderr
