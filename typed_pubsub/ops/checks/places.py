"""Where in the code something stands, for annotations."""

import contextlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typed_pubsub.ops.checks.rules import Place
from typed_pubsub.routing.routes import Route
from typed_pubsub.routing.rows import RowRoute


def place_of(code: Any) -> Place | None:
    """Where a class or a function stands; None where that is not known."""
    with contextlib.suppress(TypeError, OSError):
        found = inspect.unwrap(code) if callable(code) else code
        file = inspect.getsourcefile(found)
        line = found.__code__.co_firstlineno if inspect.isfunction(found) else inspect.getsourcelines(found)[1]
        return None if file is None else Place(_short(file), max(line, 1))
    return None


def route_place(route: Route) -> Place | None:
    """Where the code of a route stands."""
    if isinstance(route, RowRoute):
        return place_of(route.get_args)
    handler: Any = getattr(route, "handler", None)
    one_liner = any(getattr(route, name, None) is not None for name in ("task", "remote"))
    return place_of(_build_of(handler) if one_liner else handler)


def _build_of(handler: Callable[..., Any]) -> Any:
    """What ``.to()`` was given: its own handler is of this library."""
    return inspect.getclosurevars(handler).nonlocals.get("build")


def _short(file: str) -> str:
    path, here = Path(file), Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else os.fspath(path)
