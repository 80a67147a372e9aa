"""Questions before what cannot be undone, on a terminal."""

import os
import subprocess
import sys

import pytest

from tests.faces.conftest import Service


@pytest.mark.parametrize(("answer", "code", "made"), [("n", 1, False), ("y", 0, True)])
def test_topology_apply_asks_and_does_what_the_answer_is(service: Service, answer: str, code: int, made: bool) -> None:
    url = f"sqlite:///{service.directory}/broker.db"
    command = [sys.executable, "-m", "typed_pubsub.cli", "topology", "apply", "-A", "service:Settings"]
    keyboard, terminal = os.openpty()
    os.write(keyboard, f"{answer}\n".encode())
    done = subprocess.run(
        command, cwd=service.directory, env=service.environment(url, {}, {}), stdin=terminal, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == code, done.stderr
    assert f"steps at {url}? [y/N]: " in done.stderr
    assert ("done: " in done.stdout) is made
