"""A short run of the chaos; `make chaos` has the long ones."""

from pathlib import Path

import pytest

from tests.faults.chaos import chaos
from typed_pubsub.testing.nodes import RabbitMQNode

SECONDS = 6.0

pytestmark = [pytest.mark.once, pytest.mark.timeout(240)]


@pytest.mark.slow
@pytest.mark.broker
def test_nothing_is_lost_whatever_happens(faulty_rabbitmq: RabbitMQNode, tmp_path: Path) -> None:
    verdict = chaos(7, SECONDS, tmp_path, node=faulty_rabbitmq, tell=print)
    assert verdict.problems() == [], verdict.log
    assert verdict.events > 100
    # How many there is time for depends on the machine.
    assert verdict.faults >= 1


def test_nothing_is_lost_on_the_embedded_broker_whatever_happens(tmp_path: Path) -> None:
    verdict = chaos(7, SECONDS, tmp_path, node=None, tell=print)
    assert verdict.problems() == [], verdict.log
    assert verdict.events > 100
    # How many there is time for depends on the machine.
    assert verdict.faults >= 1
