"""Upcasts: how what an old version of an event says is read as the newest.

``upcast`` declares one step. A ``Chain`` is the steps from one version up to the newest; it hands each step what the
one before it returned: models as they are, dicts as JSON where the next wants a model.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, final, get_type_hints

import pydantic_core

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.codec import BodyError, read_json
from typed_pubsub.events.keyed import key_words, read_event, with_words, write_event
from typed_pubsub.events.registry import (
    EventClass,
    EventMeta,
    EventType,
    Registry,
    Upcast,
    meta_of,
    name_of,
    registry_of,
)
from typed_pubsub.events.shapes import is_mapping

Old = TypeVar("Old", bound=EventType)
New = TypeVar("New", bound=EventType)
BodyStep: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


@final
class UpcastDecorator:
    """Declares that events of an old version are read as a newer one; routes see the newest only.

    ::

        @upcast
        def v2_to_v3(old: MatchPublishedV2) -> MatchPublished:
            return MatchPublished(match_id=old.match, title=old.name or "")

        @upcast.body(MatchPublished, version=1)  # its model is gone: from the JSON of one version to that of the next
        def v1_to_v2(body: dict[str, Any]) -> dict[str, Any]:
            return {"match": body["id"], "name": None}
    """

    def __call__(self, function: Callable[[Old], New], /) -> Callable[[Old], New]:
        """Decorates a function from one model to another of the same key; the annotations say which.

        Raises:
            DefinitionError: the function is not annotated with two events, these are not of one key and registry, the
                result is not of a higher version, or another function starts from the same version.
        """
        old, new = _annotated(function)
        before, after = meta_of(old), meta_of(new)
        between = f"{name_of(function)}: from {name_of(old)} to {name_of(new)}"
        if before.key.text != after.key.text:
            msg = f"{between}: an upcast stays with its key, {before.key.text!r} is not {after.key.text!r}"
            raise DefinitionError(msg)
        if registry_of(old) is not registry_of(new):
            raise DefinitionError(f"{between}: they are in different registries")
        if after.version <= before.version:
            msg = f"{between}: an upcast goes upwards, not from version {before.version} to {after.version}"
            raise DefinitionError(msg)
        registry_of(old).add_upcast(Upcast(function, old, before.version, after.version, new))
        return function

    def body(self, event: EventClass, /, *, version: int, to: int | None = None) -> Callable[[BodyStep], BodyStep]:
        """Decorates a function from the JSON of one version to the JSON of a newer one, both as dicts.

        Args:
            event: a class of the key, in its registry.
            version: whose bodies the function takes. They come unchecked, with the words of the key put in where they
                lack them.
            to: whose bodies it returns; default: the version after.

        Raises:
            DefinitionError: the class is no event, ``to`` is not a higher version, or another function starts from the
                same one.
        """
        template = meta_of(event).key.text
        target = version + 1 if to is None else to
        if version < 1 or target <= version:
            msg = f"{name_of(event)}: an upcast of {template!r} goes upwards, not from version {version} to {target}"
            raise DefinitionError(msg)

        def add(function: BodyStep) -> BodyStep:
            _refuse_nameless(function)
            registry_of(event).add_upcast(Upcast(function, event, version, target))
            return function

        return add


upcast = UpcastDecorator()


class StepFailed(Exception):
    """The user's code failed on an old version: ``error`` is what it raised, ``place`` says where and may be logged."""

    def __init__(self, place: str, error: BaseException) -> None:
        """``place`` names function and versions."""
        super().__init__(place)
        self.place = place
        self.error = error


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps from one version of a key to the newest, whose binding is ``newest``; at least one."""

    steps: tuple[Upcast, ...]
    newest: EventMeta

    def read(self, routing_key: str, body: bytes) -> Any:
        """The newest event that ``body``, of the version that the first step starts from, comes to.

        Raises:
            BodyError: the body does not fit its version, or what a step returned does not fit the next one.
            StepFailed: a step raised, or a validator of a model raised what is no ValueError.
        """
        value: Any = body
        place = f"version {self.steps[0].version}"
        for step in self.steps:
            value = _called(step, _handed(place, meta_of(step.event), routing_key, value, as_dict=step.result is None))
            place = f"{step}: its result"
        return _handed(place, self.newest, routing_key, value, as_dict=False)


def chains_to(newest: EventMeta, registry: Registry) -> Mapping[int, Chain]:
    """The chains up to the newest version of a key, each under the version that it starts from.

    Raises:
        DefinitionError: one of them does not lead there.
    """
    return {version: Chain(steps, newest) for version, steps in registry.chains(newest.key.text).items()}


def _annotated(function: Callable[..., Any]) -> tuple[Any, Any]:
    """The classes that a function is annotated to take and to return."""
    _refuse_nameless(function)
    try:
        hints = get_type_hints(function)
    except NameError as error:
        raise DefinitionError(f"{name_of(function)}: {error}") from error
    first = next(iter(inspect.signature(function).parameters), "return")
    if first == "return" or not {first, "return"} <= hints.keys():
        msg = f"{name_of(function)}: an upcast is annotated with the event that it takes and the one that it returns"
        raise DefinitionError(msg)
    return hints[first], hints["return"]


def _refuse_nameless(function: object) -> None:
    if not inspect.isfunction(function):
        raise DefinitionError(f"an upcast is a function, got {type(function).__name__}")


def _called(step: Upcast, taken: Any) -> Any:
    try:
        returned = step.function(taken)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise StepFailed(str(step), error) from error
    # Of models, as for routes: exactly this one, not a subclass.
    if not (isinstance(returned, dict) if step.result is None else type(returned) is step.result):
        expected = "dict" if step.result is None else step.result.__name__
        msg = f"{step}: expected that it returns a {expected}, got {type(returned).__name__}"
        raise BodyError(msg, readable=True)
    return returned


def _handed(place: str, meta: EventMeta, routing_key: str, value: Any, *, as_dict: bool) -> Any:
    """A body, or what a step returned, as the event of ``meta`` or as the dict of one; errors begin with ``place``."""
    try:
        return (_as_dict if as_dict else _as_event)(meta, routing_key, value)
    except BodyError as error:
        # Only what came over the wire can be no JSON.
        readable = error.readable or not isinstance(value, bytes)
        raise BodyError(f"{place}: {error}", readable=readable) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise StepFailed(place, error) from error


def _as_event(meta: EventMeta, routing_key: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return read_event(meta, routing_key, value)
    if is_mapping(value):
        return read_event(meta, routing_key, pydantic_core.to_json(value, inf_nan_mode="constants"))
    words = meta.key.read(routing_key)
    for name, word in key_words(meta, value).items():
        if words[name] != word:
            msg = f"$.{name}: expected the word of the routing key, got another value"
            raise BodyError(msg, readable=True)
    return value


def _as_dict(meta: EventMeta, routing_key: str, value: Any) -> dict[str, Any]:
    members = value
    if not is_mapping(value):
        members = read_json(value if isinstance(value, bytes) else write_event(value)[1])
    if not is_mapping(members):
        msg = f"$: expected a JSON object, got {type(members).__name__}"
        raise BodyError(msg, readable=True)
    words: dict[str, Any] = read_json(with_words(meta, meta.key.read(routing_key), b"{}"))
    return {**words, **members}
