"""What a named evolution of an event is, and short ways to build one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Final

import msgspec
from pydantic import BaseModel

from typed_pubsub.events import Event, Registry

#: Bodies that a verdict "compatible" is tried with, at the least.
ENOUGH: Final = 6
#: Makes bodies of a field that has few values differ.
COUNTS: Final = (0, 1, -1, 7, 2**31, -(2**63))

_UNGIVEN: Final[Any] = object()


@dataclass(frozen=True, slots=True)
class Evolution:
    """One change of an event's class, with the truth about it.

    ``backward``: the new reader reads all that the old writer writes; ``forward``: the old reader all of the new
    writer's. A False has a counter-example, an event of the writer's class that the reader refuses; or the evolution is
    ``lax``: the reader happens to take what the contract has no place for (a text of digits for an int).
    """

    name: str
    old: Any
    new: Any
    backward: bool
    forward: bool
    refused_back: Any = None
    refused_forward: Any = None
    samples_old: tuple[Any, ...] = ()
    samples_new: tuple[Any, ...] = ()
    lax: bool = False


def event(fields: Mapping[str, Any], base: Any = Event, **keywords: Any) -> Any:
    """A class of ``base`` with these fields: a type each, or a type and a default."""
    given = {name: field if isinstance(field, tuple) else (field,) for name, field in fields.items()}
    namespace: dict[str, Any] = {name: field[1] for name, field in given.items() if len(field) > 1}
    namespace |= {"__module__": __name__, "__annotations__": {name: field[0] for name, field in given.items()}}
    keywords = {"routing_key": "happened", "registry": Registry(), **keywords}
    return type(base)("Happened", (base,), namespace, **keywords)


def instance(cls: Any, members: Mapping[str, Any]) -> Any:
    """An event of the class, from Python values by the names of the body."""
    return cls.model_validate(members) if issubclass(cls, BaseModel) else msgspec.convert(members, cls)


def evolution(
    name: str,
    old: Any,
    new: Any,
    *,
    samples: Sequence[Mapping[str, Any]] = (),
    samples_old: Sequence[Mapping[str, Any]] = (),
    samples_new: Sequence[Mapping[str, Any]] = (),
    refused_back: Any = _UNGIVEN,
    refused_forward: Any = _UNGIVEN,
    backward: bool | None = None,
    forward: bool | None = None,
    lax: bool = False,
) -> Evolution:
    """An evolution from members of bodies; a direction without a counter-example is compatible unless said otherwise.

    ``samples`` are those of both classes.
    """
    refused = {"refused_back": (old, refused_back), "refused_forward": (new, refused_forward)}
    return Evolution(
        name,
        old,
        new,
        backward=refused_back is _UNGIVEN if backward is None else backward,
        forward=refused_forward is _UNGIVEN if forward is None else forward,
        samples_old=tuple(instance(old, members) for members in (*samples, *samples_old)),
        samples_new=tuple(instance(new, members) for members in (*samples, *samples_new)),
        lax=lax,
        **{side: instance(cls, members) for side, (cls, members) in refused.items() if members is not _UNGIVEN},
    )


def retyped(
    name: str,
    old: Any,
    new: Any,
    *,
    values: Sequence[Any] = (),
    old_values: Sequence[Any] = (),
    new_values: Sequence[Any] = (),
    refused_back: Any = _UNGIVEN,
    refused_forward: Any = _UNGIVEN,
    base: Any = Event,
    **verdicts: Any,
) -> Evolution:
    """The evolution of one required field's type; values instead of members, those of both types as ``values``."""
    old_base, new_base = base if isinstance(base, tuple) else (base, base)
    return evolution(
        name,
        event({"x": old, "n": int}, old_base),
        event({"x": new, "n": int}, new_base),
        samples_old=list(_members([*values, *old_values])),
        samples_new=list(_members([*values, *new_values])),
        refused_back=_UNGIVEN if refused_back is _UNGIVEN else {"x": refused_back, "n": 0},
        refused_forward=_UNGIVEN if refused_forward is _UNGIVEN else {"x": refused_forward, "n": 0},
        **verdicts,
    )


def _members(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Members of a body for each value, and of at least six bodies if there are any."""
    given = list(values)
    wanted = max(ENOUGH, len(given)) if given else 0
    for value, count in zip(islice(cycle(given), wanted), cycle(COUNTS), strict=False):
        yield {"x": value, "n": count}
