"""What the package promises by name."""

import importlib
import json
import subprocess
import sys

import pytest

import typed_pubsub
from typed_pubsub import errors

CONTRACT = "Event StructEvent Registry upcast TaskMapping TaskCall call remote_task task"
CONTRACT += " Publisher Subscriber PubSubConfig"


def test_the_names_of_the_contract_and_the_errors_are_all_there_is() -> None:
    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert set(typed_pubsub.__all__) == set(CONTRACT.split()) | tree
    assert typed_pubsub.__all__ == sorted(typed_pubsub.__all__, key=lambda name: (not name[0].isupper(), name))
    assert all(hasattr(typed_pubsub, name) for name in typed_pubsub.__all__)


def test_a_name_is_looked_up_once_and_one_that_is_not_promised_is_not_there() -> None:
    assert typed_pubsub.Publisher is typed_pubsub.publisher.Publisher
    assert vars(typed_pubsub)["Publisher"] is typed_pubsub.Publisher
    assert set(typed_pubsub.__all__) <= set(dir(typed_pubsub))
    with pytest.raises(AttributeError, match="module 'typed_pubsub' has no attribute 'Pubisher'"):
        getattr(typed_pubsub, "Pubisher")  # noqa: B009  # checkers know that it is not there
    with pytest.raises(ImportError, match="cannot import name 'Pubisher'"):
        exec("from typed_pubsub import Pubisher")


def test_what_only_publishes_imports_no_celery() -> None:
    code = "import sys; from typed_pubsub import Publisher, PubSubConfig; sys.exit('celery' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("typed_pubsub.config", "PubSubConfig"),
        ("typed_pubsub.publisher", "Publisher"),
        ("typed_pubsub.subscriber", "Subscriber"),
        ("typed_pubsub.flask.commands", "subscriber"),
    ],
)
def test_the_paths_of_the_replaced_library_lead_somewhere(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


def test_the_errors_print_their_tree_whole() -> None:
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, Exception):
            assert name in (errors.__doc__ or "")
            assert issubclass(value, errors.PubSubError)


def test_importing_the_package_imports_no_web_framework_and_no_extra() -> None:
    code = (
        "import json, sys, typed_pubsub, typed_pubsub.cli;"
        "print(json.dumps(sorted({'flask', 'django', 'rich', 'hypothesis', 'pytest', 'redis'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # kombu itself asks whether django is there.
    assert set(json.loads(done.stdout)) <= {"django"}
