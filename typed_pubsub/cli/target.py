"""``-A my_app.pubsub:config``: from the text on the command line to the settings it names."""

import difflib
import importlib
import inspect
import os
import sys
import traceback
from types import ModuleType
from typing import Any

import click

from typed_pubsub.config import PubSubConfig


def read_target(path: str) -> PubSubConfig:
    """The settings at ``module:object``, ``module.object`` or ``module``, the current directory being importable.

    The object is a PubSubConfig, whatever ``PubSubConfig.from_object`` reads, or a function that gives one of these.

    Raises:
        click.BadParameter: the path leads nowhere.
        MisconfigurationException: a setting is missing or wrong.
    """
    _look_here()
    found = _find(path)
    if inspect.isroutine(found):
        found = found()
    if isinstance(found, PubSubConfig):
        return found
    if found is None or isinstance(found, str | bytes | int | float):
        raise _bad(f"{path!r} is {type(found).__name__}: expected a PubSubConfig or an object with PUBSUB_ settings")
    return PubSubConfig.from_object(found)


def import_module(name: str, option: str = "'--events'") -> ModuleType:
    """The module of this name, the current directory being importable.

    Raises:
        click.BadParameter: there is none, or its import fails.
    """
    _look_here()
    try:
        return _import(name)
    except click.BadParameter as error:
        raise click.BadParameter(error.message, param_hint=option) from None
    except (Exception, SystemExit) as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        problem = f"importing {name!r} failed{_line_of(error, name)}: {told}"
        raise click.BadParameter(problem, param_hint=option) from error


def _line_of(error: BaseException, name: str) -> str:
    """The last line of the module that the traceback goes through."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.replace(os.sep, ".").removesuffix(".py").endswith(name)
    ]
    return f" in line {lines[-1]}" if lines else ""


def _look_here() -> None:
    if os.getcwd() not in sys.path:  # noqa: PTH109  # sys.path holds texts
        sys.path.insert(0, os.getcwd())  # noqa: PTH109


def _find(path: str) -> Any:
    module, colon, name = path.partition(":")
    if not colon:
        # An object of the parent comes before a module of the name: it is what "from parent import name" gives.
        module, _, name = path.rpartition(".")
        if not module:
            return _import(path)
    if not module or not name:
        raise _bad(f"expected module:object, such as my_app.pubsub:config, got {path!r}")
    found: Any = _import(module)
    for part in name.split("."):
        found = _member(found, part, path)
    return found


def _member(owner: Any, name: str, path: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        if isinstance(owner, ModuleType) and ":" not in path:
            return _import(f"{owner.__name__}.{name}")
        what = f"module {owner.__name__!r}" if isinstance(owner, ModuleType) else f"{type(owner).__name__} in {path!r}"
        nearest = difflib.get_close_matches(name, dir(owner), n=1)
        hint = f": did you mean {nearest[0]!r}?" if nearest else ""
        raise _bad(f"{what} has no {name!r}{hint}") from None


def _import(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # What is missing inside of a module that was found is that module's own trouble, and shows as such.
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        parent = module.rpartition(".")[0]
        if error.name == module and parent:
            raise _bad(f"{parent!r} has neither a module nor an object {module.rpartition('.')[2]!r}") from None
        hint = f": write {_dotted(module)!r}" if "/" in module or module.endswith(".py") else ""
        raise _bad(f"there is no module {error.name!r} (looked in {os.getcwd()} too){hint}") from None  # noqa: PTH109
    except (ValueError, TypeError) as error:
        # A name that begins with a dot is relative to nothing.
        if not module or module.startswith("."):
            raise _bad(f"{module!r} is no module name") from error
        raise


def _dotted(path: str) -> str:
    return path.removesuffix(".py").strip("./").replace("/", ".")


def _bad(problem: str) -> click.BadParameter:
    return click.BadParameter(problem, param_hint="'-A' / '--app'")
