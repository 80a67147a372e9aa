"""Settings that a subscriber needs: what dotted paths lead to, and the routing table made of them."""

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.test_config import get_app, make
from typed_pubsub import DefinitionError, MisconfigurationException, PubSubConfig, Registry, TaskMapping


def test_what_only_a_subscriber_needs_is_asked_for_when_it_subscribes() -> None:
    with pytest.raises(MisconfigurationException, match="needs QUEUE_NAME, TASK_MAPPING, GET_CELERY_APP"):
        make().require_subscriber()
    with pytest.raises(MisconfigurationException, match=r"needs GET_CELERY_APP$"):
        make(queue_name="queue", task_mapping=[]).routing_table(Registry())


@pytest.fixture
def my_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of settings that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "an_app_of_the_test.py").write_text(
        "from typed_pubsub import TaskMapping\n"
        "mapping = TaskMapping()\n"
        "rows = [{'routing_key': 'a.#', 'task': 'a.task', 'should_schedule': print, 'get_args': print}]\n"
        "number = 5\n"
        "def get_app():\n    return 'the app'\n"
        "class Hooks:\n    @staticmethod\n    def told(dead_letter):\n        pass\n"
    )
    (tmp_path / "broken_app_of_the_test.py").write_text("import there_is_no_such_module\n")
    monkeypatch.delitem(sys.modules, "an_app_of_the_test", raising=False)
    return tmp_path


def subscribing(**settings: Any) -> PubSubConfig:
    return make(**{"queue_name": "queue", "task_mapping": TaskMapping(), "get_celery_app": get_app, **settings})


@pytest.mark.parametrize("path", ["an_app_of_the_test.rows", "an_app_of_the_test:rows"])
def test_a_mapping_may_be_a_dotted_path(my_app: Path, path: str) -> None:
    assert subscribing(task_mapping=path).routing_table(Registry()).binding_keys == ("a.#",)


def test_callables_may_be_dotted_paths_and_are_followed_when_needed(my_app: Path) -> None:
    config = subscribing(get_celery_app="an_app_of_the_test.get_app", on_dead_letter="an_app_of_the_test:Hooks.told")
    assert "an_app_of_the_test" not in sys.modules
    assert config.celery_app() == "the app"
    hook = config.dead_letter_hook()
    assert hook is not None
    assert hook.__qualname__ == "Hooks.told"
    assert subscribing().dead_letter_hook() is None


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nowhere", "TASK_MAPPING: expected a dotted path such as my_app.pubsub.mapping, got 'nowhere'"),
        ("nowhere.mapping", "TASK_MAPPING: there is no module 'nowhere'"),
        ("an_app_of_the_test.nowhere", "leads nowhere: an_app_of_the_test has no 'nowhere'"),
        ("an_app_of_the_test:mapping.nowhere", "leads nowhere: an_app_of_the_test has no 'mapping.nowhere'"),
        ("an_app_of_the_test:", "TASK_MAPPING: expected a dotted path"),
        ("an_app_of_the_test.number", "TASK_MAPPING: expected a TaskMapping or a list of rows, got int"),
    ],
)
def test_a_path_that_leads_nowhere_names_the_setting(my_app: Path, path: str, problem: str) -> None:
    with pytest.raises(MisconfigurationException) as caught:
        subscribing(task_mapping=path).routing_table(Registry())
    assert problem in str(caught.value)


def test_what_a_path_leads_to_must_be_callable(my_app: Path) -> None:
    config = subscribing(get_celery_app="an_app_of_the_test.number", on_dead_letter="an_app_of_the_test.number")
    with pytest.raises(MisconfigurationException, match="GET_CELERY_APP: expected a callable"):
        config.celery_app()
    with pytest.raises(MisconfigurationException, match="ON_DEAD_LETTER: expected a callable, got int"):
        config.dead_letter_hook()


def test_a_module_that_fails_to_import_fails_as_itself(my_app: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="there_is_no_such_module"):
        subscribing(task_mapping="broken_app_of_the_test.mapping").routing_table(Registry())


def test_a_mapping_of_another_kind_is_refused() -> None:
    with pytest.raises(MisconfigurationException, match=r"TASK_MAPPING: expected .* got set; PREFETCH"):
        subscribing(task_mapping={1}, prefetch=0)


def test_a_wrong_row_is_named_by_its_place() -> None:
    with pytest.raises(DefinitionError, match=r"PUBSUB_TASK_MAPPING\[0\]: lacks 'task', 'should_schedule', 'get_args'"):
        subscribing(task_mapping=[{"routing_key": "a.key"}]).routing_table(Registry())


def test_the_table_takes_its_policy_from_the_settings() -> None:
    config = subscribing(
        unmatched="skip", require_models=True, newer_version="try", default_version=2, max_body_bytes=99
    )
    policy = config.routing_table(Registry()).policy
    assert (policy.queue, policy.unmatched, policy.require_models) == ("queue", "skip", True)
    assert (policy.newer_version, policy.default_version, policy.max_body_bytes) == ("try", 2, 99)


def test_event_modules_are_imported_and_a_missing_one_is_named(my_app: Path) -> None:
    make(events=["an_app_of_the_test"]).load_events()
    assert "an_app_of_the_test" in sys.modules
    with pytest.raises(MisconfigurationException, match=r"EVENTS: there is no module 'nowhere\.events'"):
        make(events=["nowhere.events"]).load_events()


def test_event_modules_of_installed_packages_are_found_by_entry_point(
    my_app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [metadata.EntryPoint("theirs", "an_app_of_the_test", "typed_pubsub.events")]
    monkeypatch.setattr(metadata, "entry_points", lambda group: found if group == "typed_pubsub.events" else [])
    make().load_events()
    assert "an_app_of_the_test" in sys.modules

    found[:] = [metadata.EntryPoint("theirs", "nowhere.events", "typed_pubsub.events")]
    with pytest.raises(MisconfigurationException, match=r"entry point 'theirs' of typed_pubsub\.events: there is no"):
        make().load_events()
