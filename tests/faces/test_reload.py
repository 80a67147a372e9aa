"""``--reload``: the subscriber starts anew when the code changes."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.faces.conftest import Service
from typed_pubsub.ops.reload import outermost

SETTINGS = """
    from celery import Celery

    from typed_pubsub import PubSubConfig

    config = PubSubConfig([], lambda: Celery(broker="sqlite:///b.db"), "sqlite:///b.db", "events", "{queue}")
"""


@pytest.mark.once
def test_it_starts_anew_after_a_change_and_waits_for_the_next_one_after_a_mistake(
    service: Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    package = elsewhere / "lib"
    package.mkdir()
    code = package / "settings.py"
    (service.directory / "service.py").write_text(
        f"import sys\nsys.path.append({str(elsewhere)!r})\nfrom lib.settings import config as Settings\n"
    )

    def write(queue: str) -> None:
        code.write_text(dedent(SETTINGS).format(queue=queue))

    write("first")
    with service.start("unused", "--reload", "--log-level", "info") as child:
        child.wait_for("consuming queue 'first'")
        child.wait_for("watching", str(package), " for changes")
        write("second")
        child.wait_for("lib/settings.py changed: starting anew")
        child.wait_for("stopped as asked")
        child.wait_for("consuming queue 'second'")
        code.write_text("config = (\n")
        child.wait_for("SyntaxError")
        child.wait_for("ended with exit code 1", "it is started again when the code changes")
        write("third")
        child.wait_for("consuming queue 'third'")
        assert child.terminate() == 0, child.output
    assert child.stdout == ["Starting subscriber..."]


def test_a_directory_below_another_is_watched_once(tmp_path: Path) -> None:
    inner, other = tmp_path / "a" / "b", tmp_path / "ab"
    inner.mkdir(parents=True)
    other.mkdir()
    assert outermost([inner, tmp_path / "a", other, inner]) == [tmp_path / "a", other]
