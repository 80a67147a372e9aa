"""Generated modules, imported: each into a registry of its own."""

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from typed_pubsub.events import EventClass, Registry, default_registry
from typed_pubsub.events.registry import meta_of

#: What users' descriptions, names, patterns and defaults may be: nobody wrote them for linters of such strictness.
IGNORED = (
    "D101,D200,D205,D209,D210,D212,D300,D301,D400,D402,D403,D404,D405,D406,D407,D410,D411,D412,D413,D414,D415,D416,D417,"
    "E501,ERA001,FIX001,FIX002,FIX003,FIX004,I001,INP001,N801,N815,PIE796,PYI016,PYI030,PYI061,RUF001,RUF002,RUF003,"
    "RUF036,S104,S105,S108,TD001,TD002,TD003,TD004,TD005,TD006,TD007"
)
_NUMBERS = itertools.count(1)


@contextmanager
def emptied(registry: Registry) -> Iterator[Registry]:
    """The registry, with nothing in it for a while."""
    inside = vars(registry)
    held = dict(inside)
    inside.clear()
    inside.update(vars(Registry()))
    try:
        yield registry
    finally:
        inside.clear()
        inside.update(held)


@contextmanager
def imported(source: str) -> Iterator[ModuleType]:
    """The module with this source, as if it stood in a file; forgotten afterwards, and its events with it."""
    module = ModuleType(f"generated_{next(_NUMBERS)}")
    sys.modules[module.__name__] = module
    try:
        with emptied(default_registry):
            exec(compile(source, f"{module.__name__}.py", "exec"), module.__dict__)
            yield module
    finally:
        del sys.modules[module.__name__]


def events_of(module: ModuleType) -> list[EventClass]:
    """The event classes of the module, in its order."""
    return [value for value in vars(module).values() if getattr(value, "__event_meta__", None) is not None]


def event_of(module: ModuleType, schema: dict[str, Any]) -> EventClass:
    """The module's class for the schema's key and version."""
    wanted = (schema["x-routing-key"], schema["x-version"])
    return next(event for event in events_of(module) if (meta_of(event).key.text, meta_of(event).version) == wanted)
