"""What the package promises by name."""

import importlib
import json
import subprocess
import sys

import pytest

import typed_pubsub
from typed_pubsub import errors

CONTRACT = "Event StructEvent Registry TaskMapping TaskCall call remote_task task Publisher Subscriber PubSubConfig"


def test_the_names_of_the_contract_and_the_errors_are_all_there_is() -> None:
    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert set(typed_pubsub.__all__) == set(CONTRACT.split()) | tree
    assert typed_pubsub.__all__ == sorted(typed_pubsub.__all__, key=lambda name: (not name[0].isupper(), name))
    assert all(hasattr(typed_pubsub, name) for name in typed_pubsub.__all__)


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
