"""Liveness that cannot lie: a frozen broker turns the subscriber unhealthy, and one that goes on, healthy again."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.world import World
from tests.support.children import ROOT, environment
from tests.support.rabbit import eventually
from typed_pubsub.ops.health import Health, judge_file
from typed_pubsub.testing.nodes import RabbitMQNode

pytestmark = [pytest.mark.once, pytest.mark.broker, pytest.mark.timeout(240)]


def judged(file: Path) -> Health:
    """What the command would say, without the time that a process takes."""
    return judge_file(file, time.time())


def health(file: Path) -> tuple[int, str]:
    """Exit code and answer of the command, as a probe asks it."""
    command = [sys.executable, "-m", "typed_pubsub.cli", "health", "--file", str(file)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), check=False, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_a_frozen_broker_makes_it_unhealthy_and_a_thawed_one_healthy(
    faulty_rabbitmq: RabbitMQNode, tmp_path: Path
) -> None:
    url = faulty_rabbitmq.vhost()
    file = tmp_path / "health.json"
    assert health(file)[0] == 1
    with World(tmp_path, url, url, size=20, node=faulty_rabbitmq) as world:
        world.start()
        with world.load():
            eventually(lambda: judged(file).ok, what="a healthy subscriber")
            assert health(file)[0] == 0
        with faulty_rabbitmq.paused():
            eventually(lambda: not judged(file).ok, what="an unhealthy subscriber")
            code, said = health(file)
            assert (code, "unhealthy" in said) == (1, True)
        eventually(lambda: judged(file).ok, what="a healthy subscriber again")
        assert health(file)[0] == 0
        world.faults += 1
        assert world.finish().problems() == []


def test_a_handler_that_never_returns_makes_it_unhealthy_though_its_connections_live(
    faulty_rabbitmq: RabbitMQNode, tmp_path: Path
) -> None:
    url = faulty_rabbitmq.vhost()
    file = tmp_path / "health.json"
    with World(tmp_path, url, url, size=20, node=faulty_rabbitmq) as world:
        world.start()
        world.publish(1)
        eventually(lambda: judged(file).ok, what="a healthy subscriber")
        world.publish(1, seconds=3600)
        eventually(lambda: "stands still" in judged(file).sentence, what="one that stands still")
        code, said = health(file)
        assert (code, "stands still" in said) == (1, True)
