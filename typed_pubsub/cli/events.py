"""The events that a command is about: those of modules, or of a service's settings."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType

import click

from typed_pubsub.cli.service import Service
from typed_pubsub.cli.target import import_module
from typed_pubsub.events import EventClass, default_registry
from typed_pubsub.events.keys import matches
from typed_pubsub.events.registry import EventMeta, meta_of, name_of


def find_events(modules: Sequence[str], service: Service | None) -> list[EventClass]:
    """The event classes of the modules, or of the service; by key and version.

    A module's are those that are defined in it or below it, and those that it has by name. A service's: all that the
    import of its events brings into the default registry.

    Raises:
        click.UsageError: neither is given, or there is no event.
        click.BadParameter: a module is not there.
        MisconfigurationException: a setting is missing or wrong.
    """
    if modules:
        found = [event for name in modules for event in _of_module(import_module(name))]
        where = ", ".join(modules)
    elif service is not None:
        service.read_config().load_events()
        found, where = list(default_registry), service.name
    else:
        raise click.UsageError("Missing option '--events', or '-A' / '--app'.")
    if not found:
        raise click.UsageError(f"there is no event in {where}")
    by_contract = {(meta_of(event).key.text, meta_of(event).version): event for event in found}
    return [by_contract[contract] for contract in sorted(by_contract)]


def named(text: str, events: Sequence[EventClass]) -> EventClass:
    """The event that a routing key or its template names, the newest version of it, or the name of a class.

    Args:
        text: a key, or ``Class``, ``module.Class`` or ``module:Class``; a class comes before a key with placeholders.
        events: to look among, by key and version.

    Raises:
        click.UsageError: none is named so, or several classes are.
    """
    wanted = text.replace(":", ".")
    by_key = [event for event in events if meta_of(event).key.text == text]
    classes = [event for event in events if wanted in (event.__qualname__, name_of(event))]
    if len(classes) > 1 and not by_key:
        raise click.UsageError(f"{text!r} may be {' or '.join(map(name_of, classes))}: name the module too")
    found = by_key or classes or [event for event in events if matches(meta_of(event).key.binding_key, text)]
    if not found:
        raise click.UsageError(f"there is no event of {text!r}{_nearest(wanted, events)}")
    return found[-1]


def _nearest(text: str, events: Iterable[EventClass]) -> str:
    known = [name for event in events for name in (meta_of(event).key.text, event.__qualname__, name_of(event))]
    close = difflib.get_close_matches(text, known, n=1)
    return f": did you mean {close[0]!r}?" if close else ""


def _of_module(module: ModuleType) -> Iterable[EventClass]:
    yield from _by_name(module)
    for event in default_registry:
        if f"{event.__module__}.".startswith(f"{module.__name__}."):
            yield event


def _by_name(module: ModuleType) -> Iterator[EventClass]:
    for value in vars(module).values():
        if isinstance(value, type) and isinstance(getattr(value, "__event_meta__", None), EventMeta):
            yield value
