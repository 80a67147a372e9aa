"""Nothing lost: every row of the fault matrix, on real brokers, with one oracle."""

from pathlib import Path

import pytest

from tests.faults.matrix import MATRIX
from tests.faults.row import Row, run_row

SIZE = 400

pytestmark = [pytest.mark.once, pytest.mark.timeout(240)]


def _parameters(*brokers: str) -> list[object]:
    rows = [row for row in MATRIX if row.brokers in brokers and row.promised]
    return [
        pytest.param(row, id=f"{row.brokers}: {row.name}", marks=[pytest.mark.slow] if row.slow else []) for row in rows
    ]


@pytest.mark.broker
@pytest.mark.parametrize("row", _parameters("rabbitmq", "quorum"))
def test_nothing_is_lost_on_rabbitmq(row: Row, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    verdict = run_row(row, tmp_path, size=SIZE, node=request.getfixturevalue("faulty_rabbitmq"))
    assert verdict.problems() == [], verdict.log
    assert verdict.events >= SIZE - 1


@pytest.mark.parametrize("row", _parameters("embedded"))
def test_nothing_is_lost_on_the_embedded_broker(row: Row, tmp_path: Path) -> None:
    verdict = run_row(row, tmp_path, size=SIZE)
    assert verdict.problems() == [], verdict.log
    assert verdict.events >= SIZE - 1


@pytest.mark.broker
@pytest.mark.parametrize("row", _parameters("redis"))
def test_nothing_is_lost_with_celery_on_redis(row: Row, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    node, redis = request.getfixturevalue("faulty_rabbitmq"), request.getfixturevalue("faulty_redis")
    verdict = run_row(row, tmp_path, size=SIZE, node=node, redis=redis)
    assert verdict.problems() == [], verdict.log
    assert verdict.events >= SIZE - 1
