"""A run ends when its work is done, and not before: else what is still under way would be told as lost."""

from pathlib import Path

import pytest

from tests.faults.service import TASKS
from tests.faults.world import World
from tests.support.amqp import send, take_all

pytestmark = [pytest.mark.once, pytest.mark.timeout(240)]


def test_a_task_that_comes_twice_does_not_stand_for_one_that_is_still_to_come(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    with World(tmp_path, url, url, size=0) as world:
        world.start()
        world.publish(40)
        world.reach_all()
        world.publish(2)
        world.reach_tasks(world.wanted)
        for task in take_all(url, TASKS):
            for _ in range(40):
                send(url, "", TASKS, task)
        world.faults += 1
        # More than are decided at once: those that a subscriber has not looked at when it stops go back.
        world.publish(60, seconds=0.03)
        verdict = world.finish()
    assert verdict.problems() == []
    assert verdict.repeated == 2
