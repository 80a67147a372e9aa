"""Which model is bound to which routing key, in which version."""

from collections.abc import Iterator
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
    """What a class says of its events: the key template, the version (from 1), and how bodies are read and written."""

    key: KeyTemplate
    version: int
    codec: "EventCodec[Any]"

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


class Registry:
    """An explicit set of event classes, each under its routing key and version.

    Classes enter the default registry, or the one named by ``registry=`` on the class or on an abstract base of it.
    Several versions of one key live side by side. Defining a class again under the same module and qualname (a module
    imported twice, a notebook cell run twice) replaces it.
    """

    def __init__(self) -> None:
        """An empty registry."""
        self._versions: dict[str, dict[int, EventClass]] = {}
        self._trie: BindingTrie[str] = BindingTrie()

    def add(self, event: EventClass, meta: EventMeta) -> None:
        """Binds ``event`` to its key and version. Class statements do this by themselves.

        Raises:
            DefinitionError: another class holds this key and version, or another key that can match the same routing
                key; both classes are named.
        """
        held = self._versions.get(meta.key.text, {}).get(meta.version)
        if held is not None and not _is_redefinition(held, event):
            msg = f"{_name(event)}: {meta.key.text!r} version {meta.version} is already bound to {_name(held)}"
            raise DefinitionError(msg)
        if meta.key.text not in self._versions:
            self._refuse_overlap(event, meta.key)
            self._trie.add(meta.key.binding_key, meta.key.text)
        self._versions.setdefault(meta.key.text, {})[meta.version] = event

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
            DefinitionError: a forward reference of a class leads nowhere.
        """
        for event in self:
            meta_of(event).codec.prepare()

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
            msg = f"{_name(event)}: {key.text!r} and {rival!r} of {_name(other)} can match the same routing key"
            raise DefinitionError(msg)


#: Where event classes go that name no registry of their own.
default_registry = Registry()


def _name(event: EventClass) -> str:
    return f"{event.__module__}.{event.__qualname__}"


def _is_redefinition(held: EventClass, event: EventClass) -> bool:
    return held is event or _name(held) == _name(event)
