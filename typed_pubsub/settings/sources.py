"""Reading settings out of the objects that hold them, and following the dotted paths in them."""

import difflib
import importlib
import inspect
import warnings
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from typing import Any

from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.events.shapes import is_mapping

ENTRY_POINTS = "typed_pubsub.events"
_ABSENT = object()


def read(obj: Any, prefix: str, known: Iterable[str]) -> dict[str, Any]:
    """The settings in ``obj`` whose names are ``prefix`` and a known name in capitals, by their known names.

    Warns of names with the prefix that are no settings.
    """
    by_setting = {f"{prefix}{name.upper()}": name for name in known}
    _warn_unknown(obj, prefix, by_setting)
    found = {name: _get(obj, setting) for setting, name in by_setting.items()}
    return {name: value for name, value in found.items() if value is not _ABSENT}


def resolve(setting: str, value: Any) -> Any:
    """``value``, or what it leads to if it is a dotted path (``package.module.name`` or ``package.module:name``).

    Raises:
        MisconfigurationException: the path leads nowhere; the setting is named.
    """
    if not isinstance(value, str):
        return value
    module, separator, name = value.partition(":")
    if not separator:
        module, _, name = value.rpartition(".")
    if not module or not name:
        msg = f"{setting}: expected a dotted path such as my_app.pubsub.mapping, got {value!r}"
        raise MisconfigurationException(msg)
    found = import_module(setting, module)
    for part in name.split("."):
        found = getattr(found, part, _ABSENT)
        if found is _ABSENT:
            msg = f"{setting}: {value!r} leads nowhere: {module} has no {name!r}"
            raise MisconfigurationException(msg)
    return found


def import_events(modules: Iterable[str]) -> None:
    """Imports event modules, and those that installed packages offer as entry points.

    Raises:
        MisconfigurationException: a module cannot be found. What a module itself raises comes through.
    """
    for setting, module in event_modules(modules):
        import_module(setting, module)


def event_modules(modules: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each module that ``import_events`` imports, with who asks for it."""
    for module in modules:
        yield "EVENTS", module
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        yield f"entry point {entry.name!r} of {ENTRY_POINTS}", entry.module


def import_module(setting: str, module: str) -> Any:
    """Imports a module that a setting names.

    Raises:
        MisconfigurationException: it cannot be found. What the module itself raises comes through.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A module that is missing inside of the one asked for is that one's own trouble, and shows as such.
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        msg = f"{setting}: there is no module {module!r}"
        raise MisconfigurationException(msg) from error


def _get(obj: Any, name: str) -> Any:
    if is_mapping(obj):
        return obj.get(name, _ABSENT)
    if not isinstance(obj, type) and inspect.isfunction(inspect.getattr_static(obj, name, None)):
        # A function among a class's settings is a setting, not a method of the instance it is read from.
        return inspect.getattr_static(obj, name)
    return getattr(obj, name, _ABSENT)


def _warn_unknown(obj: Any, prefix: str, by_setting: Mapping[str, str]) -> None:
    names: list[Any] = list(obj) if is_mapping(obj) else dir(obj)
    for name in names:
        if isinstance(name, str) and prefix and name.startswith(prefix) and name not in by_setting:
            nearest = difflib.get_close_matches(name, by_setting, n=1)
            hint = f": did you mean {nearest[0]}?" if nearest else ""
            warnings.warn(f"{name} is no setting of typed_pubsub{hint}", stacklevel=4)
