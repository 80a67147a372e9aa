"""What both kinds of event class do with their class keywords."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.codec import EventCodec, check_placeholder
from typed_pubsub.events.keys import KeyTemplate
from typed_pubsub.events.registry import EventMeta, Registry, name_of, registry_of

#: Called with each event class when it is bound: for registers of others, such as Hypothesis' of types.
on_bound: list[Callable[[Any], None]] = []

_KEYWORDS = ("routing_key", "version", "abstract", "registry", "deprecated")


@dataclass(frozen=True, slots=True)
class Keywords:
    """The class keywords of an event, as given: no checker looks at those of a class with a metaclass."""

    routing_key: Any
    version: Any
    abstract: bool
    registry: Registry | None
    deprecated: Any


def name_to_be(name: str, namespace: Mapping[str, Any]) -> str:
    """Module and qualified name of a class that is about to be made."""
    return f"{namespace.get('__module__')}.{namespace.get('__qualname__', name)}"


def refuse_unknown(name: str, given: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Raises DefinitionError for a class keyword that nobody knows, with the nearest name that somebody does."""
    known = [*_KEYWORDS, *allowed]
    for keyword in given:
        if keyword not in known:
            nearest = difflib.get_close_matches(keyword, known, n=1)
            hint = f": did you mean {nearest[0]!r}?" if nearest else ""
            msg = f"{name}: unknown class keyword {keyword!r}{hint}"
            raise DefinitionError(msg)


def refuse_unfrozen(name: str, given: Mapping[str, Any]) -> None:
    """Raises DefinitionError for ``frozen=False``: what happened does not change."""
    if given.get("frozen") is False:
        raise DefinitionError(f"{name}: an event is frozen, frozen=False cannot be had")


def bind(cls: Any, codec: EventCodec[Any], fields: Iterable[str], *, generic: bool, keywords: Keywords) -> None:
    """Binds a new event class to its key, or marks it abstract.

    Raises:
        DefinitionError: the keywords contradict each other, the key is none, or the registry refuses it.
    """
    cls.__event_meta__ = None
    if keywords.registry is not None:
        cls.__event_registry__ = keywords.registry
    bound = _is_bound(cls, generic=generic, keywords=keywords)
    _check_deprecated(name_of(cls), keywords.deprecated, bound=bound)
    if not bound:
        return
    key = _key_of(cls, keywords.routing_key)
    known = set(fields)
    for name in key.fields:
        if name not in known:
            msg = f"{name_of(cls)}: routing key {key.text!r} names {name!r}, which is no field of it"
            raise DefinitionError(msg)
        check_placeholder(cls, codec, name)
    meta = EventMeta(key, keywords.version, codec, keywords.deprecated)
    registry_of(cls).add(cls, meta)
    cls.__event_meta__ = meta
    for call in on_bound:
        call(cls)


def describe(cls: Any) -> str:
    """The repr of an event class: its name, key and version."""
    meta = getattr(cls, "__event_meta__", None)
    if isinstance(meta, EventMeta):
        return f"<event {name_of(cls)} {meta.key.text!r} v{meta.version}>"
    return f"<abstract event {name_of(cls)}>"


def _key_of(cls: Any, text: str) -> KeyTemplate:
    try:
        return KeyTemplate.parse(text)
    except DefinitionError as error:
        raise DefinitionError(f"{name_of(cls)}: routing_key: {error}") from error


def _check_deprecated(name: str, text: Any, *, bound: bool) -> None:
    if text is None:
        return
    if not isinstance(text, str) or not text.strip():
        raise DefinitionError(f"{name}: deprecated= says what to use instead, in a str that is not empty; got {text!r}")
    if not bound:
        raise DefinitionError(f"{name}: deprecated= is for events with a routing_key, and not inherited from a base")


def _is_bound(cls: Any, *, generic: bool, keywords: Keywords) -> bool:
    name = name_of(cls)
    routing_key, version = keywords.routing_key, keywords.version
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        msg = f"{name}: version= is a whole number from 1, got {version!r}"
        raise DefinitionError(msg)
    if routing_key is None:
        if generic or keywords.abstract:
            return False
        msg = f"{name}: give it a routing_key='...', or abstract=True if it is only a base of other events"
        raise DefinitionError(msg)
    if not isinstance(routing_key, str):
        msg = f"{name}: routing_key= is a str, got {routing_key!r}"
        raise DefinitionError(msg)
    if keywords.abstract:
        msg = f"{name}: an abstract event has no routing_key"
        raise DefinitionError(msg)
    if generic:
        msg = (
            f"{name}: a generic event is abstract; bind it by a subclass such as "
            f"class X({cls.__qualname__}[int], routing_key=...)"
        )
        raise DefinitionError(msg)
    return True
