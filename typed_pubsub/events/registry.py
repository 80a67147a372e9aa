"""Which model is bound to which routing key, in which version."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias
from urllib.parse import quote

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.keys import BindingTrie, KeyTemplate

if TYPE_CHECKING:
    from typed_pubsub.events.codec import EventCodec


def data_schema(template: str, version: int) -> str:
    """The URI that names the contract of a key template and version."""
    return f"urn:typed-pubsub:{quote(template, safe='')}:{version}"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A field whose value is a word of the key: the member of a body that it is read from, and whether as a number."""

    field: str
    member: str
    is_number: bool


@dataclass(frozen=True, eq=False)
class EventMeta:
    """What a class says of its events: the key template, the version (from 1), and how bodies are read and written.

    ``deprecated``: what to use instead, or None where it may be published.
    """

    key: KeyTemplate
    version: int
    codec: "EventCodec[Any]"
    deprecated: str | None = None

    @cached_property
    def data_schema(self) -> str:
        """The URI that names the contract."""
        return data_schema(self.key.text, self.version)

    @cached_property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The fields that are words of the key. Raises DefinitionError for a forward reference that stays open."""
        codec = self.codec
        codec.prepare()
        # The name that the model looks at last, so that a body that uses another alias of the field wins.
        return tuple(Placeholder(name, codec.read_names[name][-1], codec.is_number(name)) for name in self.key.fields)


class EventType(Protocol):
    """What an event is to the library: an object whose class carries its binding (None: abstract)."""

    __event_meta__: ClassVar[EventMeta | None]


EventClass: TypeAlias = type[EventType]


@dataclass(frozen=True, slots=True)
class Upcast:
    """One step up: the function that makes of what ``version`` of a key says what version ``to`` of it says.

    A model step takes an ``event`` and returns a ``result``. A body step has no ``result``: it takes and returns dicts,
    and ``event`` only tells which key it is for.
    """

    function: Callable[[Any], Any]
    event: EventClass
    version: int
    to: int
    result: EventClass | None = None

    def __str__(self) -> str:
        """Function and versions, as errors name it."""
        return f"upcast {name_of(self.function)} (version {self.version} to {self.to})"


def meta_of(event: object) -> EventMeta:
    """The binding of an event class.

    Raises:
        DefinitionError: the class is no event, or abstract.
    """
    meta = getattr(event, "__event_meta__", None)
    if isinstance(meta, EventMeta):
        return meta
    if isinstance(event, type) and hasattr(event, "__event_meta__"):
        msg = f"{event.__qualname__} is abstract: it is bound to no routing key"
    else:
        msg = f"{event!r} is not an event: expected a subclass of Event or StructEvent with a routing_key="
    raise DefinitionError(msg)


def registry_of(event: EventClass) -> "Registry":
    """Where a class is bound, or would be."""
    registry: Registry = getattr(event, "__event_registry__", default_registry)
    return registry


def name_of(named: Any) -> str:
    """Module and qualified name of a class or function."""
    return f"{named.__module__}.{named.__qualname__}"


class Registry:
    """An explicit set of event classes, each under its routing key and version, and of the upcasts between them.

    Classes enter the default registry, or the one named by ``registry=`` on the class or on an abstract base of it.
    Several versions of one key live side by side. Defining a class again under the same module and qualname (a module
    imported twice, a notebook cell run twice) replaces it; so with upcasts.
    """

    def __init__(self) -> None:
        """An empty registry."""
        self._versions: dict[str, dict[int, EventClass]] = {}
        self._trie: BindingTrie[str] = BindingTrie()
        self._upcasts: dict[str, dict[int, Upcast]] = {}

    def add(self, event: EventClass, meta: EventMeta) -> None:
        """Binds ``event`` to its key and version. Class statements do this by themselves.

        Raises:
            DefinitionError: another class holds this key and version, or another key that can match the same routing
                key; both classes are named.
        """
        held = self._versions.get(meta.key.text, {}).get(meta.version)
        if held is not None and not _is_redefinition(held, event):
            msg = f"{name_of(event)}: {meta.key.text!r} version {meta.version} is already bound to {name_of(held)}"
            raise DefinitionError(msg)
        if meta.key.text not in self._versions:
            self._refuse_overlap(event, meta.key)
            self._trie.add(meta.key.binding_key, meta.key.text)
        self._versions.setdefault(meta.key.text, {})[meta.version] = event

    def add_upcast(self, upcast: Upcast) -> None:
        """Files a step under the version that it starts from. The decorators do this by themselves.

        Raises:
            DefinitionError: another function starts from this version; both are named. Or the key is in no class here.
        """
        template = meta_of(upcast.event).key.text
        if template not in self._versions:
            msg = f"{name_of(upcast.function)}: {name_of(upcast.event)} is not in this registry"
            raise DefinitionError(msg)
        steps = self._upcasts.setdefault(template, {})
        held = steps.get(upcast.version)
        if held is not None and not _is_redefinition(held.function, upcast.function):
            msg = (
                f"{name_of(upcast.function)}: {template!r} version {upcast.version} is already upcast by "
                f"{name_of(held.function)}"
            )
            raise DefinitionError(msg)
        steps[upcast.version] = upcast

    def chains(self, template: str) -> dict[int, tuple[Upcast, ...]]:
        """For each version of this very template that an upcast starts from the steps up to the newest, in order.

        Raises:
            DefinitionError: a chain ends before or beyond the newest version, or a class of it was defined again.
        """
        return {version: tuple(self._climbed(template, version)) for version in sorted(self._upcasts.get(template, {}))}

    def find(self, routing_key: str) -> EventClass | None:
        """The newest model bound to the template that takes ``routing_key``, or None."""
        found = self._trie.find(routing_key)
        return self.newest(found[0]) if found else None

    def newest(self, template: str) -> EventClass | None:
        """The model of the highest version bound to this very template, or None."""
        versions = self._versions.get(template)
        return versions[max(versions)] if versions else None

    def versions(self, template: str) -> dict[int, EventClass]:
        """Every version bound to this very template, by number."""
        return dict(sorted(self._versions.get(template, {}).items()))

    def prepare(self) -> None:
        """Makes every class ready to read and write, at start-up rather than at the first message.

        Raises:
            DefinitionError: a forward reference of a class leads nowhere, or a chain of upcasts does (see ``chains``).
        """
        for event in self:
            meta_of(event).codec.prepare()
        for template in self._upcasts:
            self.chains(template)

    def __iter__(self) -> Iterator[EventClass]:
        """Every class, by key and version."""
        for template in sorted(self._versions):
            yield from self.versions(template).values()

    def __len__(self) -> int:
        """How many classes it holds."""
        return sum(len(versions) for versions in self._versions.values())

    def __repr__(self) -> str:
        """One line: every key and version with its class."""
        entries = (f"{meta_of(event).key.text} v{meta_of(event).version}: {event.__qualname__}" for event in self)
        return f"Registry({', '.join(entries)})"

    def _refuse_overlap(self, event: EventClass, key: KeyTemplate) -> None:
        # Not held against every key: importing ten thousand events stays cheap.
        for rival in self._trie.crossing(key.binding_key):
            other = next(iter(self._versions[rival].values()))
            msg = f"{name_of(event)}: {key.text!r} and {rival!r} of {name_of(other)} can match the same routing key"
            raise DefinitionError(msg)

    def _climbed(self, template: str, version: int) -> Iterator[Upcast]:
        steps, held = self._upcasts[template], self._versions[template]
        while (step := steps.get(version)) is not None:
            if step.result is not None:
                _refuse_stale(step, held.get(step.version), held.get(step.to))
            yield step
            version = step.to
            if version not in steps and version != max(held):
                msg = (
                    f"{name_of(step.function)}: the upcasts of {template!r} end at version {version}, to which it "
                    f"leads; the newest version is {max(held)}"
                )
                raise DefinitionError(msg)


#: Where event classes go that name no registry of their own.
default_registry = Registry()


def _is_redefinition(held: Any, new: Any) -> bool:
    return held is new or name_of(held) == name_of(new)


def _refuse_stale(step: Upcast, event: EventClass | None, result: EventClass | None) -> None:
    """A step holds on to its classes: those of a module imported again are others."""
    for named, held in ((step.event, event), (step.result, result)):
        if named is not held:
            msg = f"{name_of(step.function)}: {name_of(named)} was defined again after it: define the upcast again too"
            raise DefinitionError(msg)
