"""Findings of the events: TP2xx."""

from collections.abc import Iterable, Iterator

from typed_pubsub.errors import DefinitionError, MisconfigurationException
from typed_pubsub.events.registry import EventClass, Registry, meta_of, name_of
from typed_pubsub.ops.checks.failing import told
from typed_pubsub.ops.checks.places import place_of
from typed_pubsub.ops.checks.rules import Finding, finding
from typed_pubsub.routing.routes import Route
from typed_pubsub.schema.doubts import DOUBTED, doubts
from typed_pubsub.schema.export import schema_of
from typed_pubsub.schema.ignores import Ignore
from typed_pubsub.settings.sources import event_modules, import_module


def load_events(modules: Iterable[str]) -> Iterator[Finding]:
    """Imports every module of events, also after one that fails."""
    for setting, module in event_modules(modules):
        try:
            import_module(setting, module)
        except MisconfigurationException as error:
            yield finding("TP201", module, str(error), "install it, or correct its name in EVENTS")
        except DefinitionError as error:
            yield finding("TP202", module, str(error), "correct the class")
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a module does when it is imported
            yield finding("TP201", module, told(error), "mend the module: a subscriber would not start")


def check_events(registry: Registry, default_version: int, ignores: Iterable[Ignore]) -> Iterator[Finding]:
    """What each event of the registry says of itself, and its upcasts; ``ignores``: what a team lives with."""
    for event in registry:
        try:
            meta_of(event).codec.prepare()
        except DefinitionError as error:
            yield finding("TP202", name_of(event), str(error), "correct the class", place_of(event))
        else:
            yield from _schema(event, ignores)
    for template in dict.fromkeys(meta_of(event).key.text for event in registry):
        yield from _upcasts(registry, template, default_version)


def check_deprecated(routes: Iterable[Route]) -> Iterator[Finding]:
    """Routes for events that are to be published no more."""
    for route in routes:
        for event in route.events:
            text = meta_of(event).deprecated
            if text is not None:
                told = f"{name_of(event)} is deprecated: {text}"
                yield finding("TP204", f"route {route.name}", told, "route what takes its place", place_of(event))


def _schema(event: EventClass, ignores: Iterable[Ignore]) -> Iterator[Finding]:
    meta, where, place = meta_of(event), name_of(event), place_of(event)
    try:
        schema = schema_of(event)
    except DefinitionError as error:
        fix = "give the field a type that JSON Schema has; until then its contract cannot be kept, nor its routes tried"
        yield finding("TP206", where, str(error), fix, place)
        return
    for kind, path, text in sorted(set(doubts(schema))):
        if any(one.covers(meta.key.text, meta.version, DOUBTED[kind], path) for one in ignores):
            continue
        if kind == "naive":
            naive = f"{path}: it may have no offset from UTC, and then means another moment on another machine"
            yield finding("TP203", where, naive, "AwareDatetime, or Meta(tz=True), makes sure of one", place)
        else:
            yield finding("TP207", where, f"{path}: {text}", "check it where the event is made, or handled", place)


def _upcasts(registry: Registry, template: str, default_version: int) -> Iterator[Finding]:
    versions = registry.versions(template)
    newest = max(versions)
    try:
        upcast = registry.chains(template).keys()
    except DefinitionError as error:
        yield finding("TP202", template, str(error), "let the upcasts lead to the newest version")
        return
    old = ({*versions} | {default_version}) - {*upcast}
    for version in sorted(number for number in old if number < newest):
        told = f"version {version} has no upcast: what is of it is read as version {newest}, as it stands"
        fix = "write an @upcast, unless all of it fits the newest model"
        yield finding("TP205", template, told, fix, place_of(versions[newest]))
