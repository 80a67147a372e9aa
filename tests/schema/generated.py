"""Generated modules, imported: each into a registry of its own."""

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from typed_pubsub.events import EventClass, Registry, binding
from typed_pubsub.events.registry import meta_of

_NUMBERS = itertools.count(1)


@contextmanager
def own_registry() -> Iterator[Registry]:
    """What event classes enter that name no registry, for a while."""
    names, fresh = vars(binding), Registry()
    held = names["default_registry"]
    names["default_registry"] = fresh
    try:
        yield fresh
    finally:
        names["default_registry"] = held


@contextmanager
def imported(source: str) -> Iterator[ModuleType]:
    """The module with this source, as if it stood in a file; forgotten afterwards."""
    module = ModuleType(f"generated_{next(_NUMBERS)}")
    sys.modules[module.__name__] = module
    try:
        with own_registry() as events:
            exec(compile(source, f"{module.__name__}.py", "exec"), module.__dict__)
        module.__dict__["__events__"] = {(meta_of(e).key.text, meta_of(e).version): e for e in events}
        yield module
    finally:
        del sys.modules[module.__name__]


def event_of(module: ModuleType, schema: dict[str, Any]) -> EventClass:
    """The module's class for the schema's key and version."""
    found: EventClass = module.__dict__["__events__"][schema["x-routing-key"], schema["x-version"]]
    return found
