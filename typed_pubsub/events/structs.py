"""``StructEvent``: a fact as a frozen msgspec Struct, the fast path with the same API."""

from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

import msgspec

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.binding import Keywords, bind, describe, name_to_be, refuse_unfrozen, refuse_unknown
from typed_pubsub.events.codec import StructCodec
from typed_pubsub.events.registry import EventMeta, Registry

_STRUCT_OPTIONS = (
    "tag_field",
    "tag",
    "rename",
    "omit_defaults",
    "forbid_unknown_fields",
    "frozen",
    "eq",
    "order",
    "kw_only",
    "repr_omit_defaults",
    "array_like",
    "gc",
    "weakref",
    "dict",
    "cache_hash",
)


class StructEventMeta(msgspec.StructMeta):
    """Takes the class keywords of events before msgspec sees them."""

    def __new__(  # noqa: D102  # the class statement's keywords
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        routing_key: str | None = None,
        version: int = 1,
        abstract: bool = False,
        registry: Registry | None = None,
        deprecated: str | None = None,
        **options: Any,
    ) -> Any:
        named = name_to_be(name, namespace)
        refuse_unknown(named, options, _STRUCT_OPTIONS)
        if options.get("array_like"):
            msg = f"{named}: array_like=True makes the body a JSON array; the body of an event is an object"
            raise DefinitionError(msg)
        refuse_unfrozen(named, options)
        # msgspec inherits 'frozen' but not 'kw_only'.
        options.setdefault("kw_only", True)
        cls: Any = super().__new__(mcls, name, bases, namespace, **options)
        keywords = Keywords(routing_key, version, abstract, registry, deprecated)
        generic = bool(getattr(cls, "__parameters__", ()))
        bind(cls, StructCodec(cls), cls.__struct_fields__, generic=generic, keywords=keywords)
        return cls

    def __repr__(cls) -> str:  # noqa: N805  # a class is its self
        """The class with its key and version."""
        return describe(cls)


# On the class: msgspec.Struct has a transform of its own, before which mypy does not ask the metaclass.
@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class StructEvent(msgspec.Struct, metaclass=StructEventMeta, frozen=True, abstract=True):
    """Base of events that are msgspec Structs: several times faster to read and write than ``Event``.

    Class keywords are those of ``Event``, and msgspec's own (``rename=``, ``forbid_unknown_fields=``, ...).

    Raises (at the class statement):
        DefinitionError: no key, a wrong key, or a key that another class holds.
    """

    __event_meta__: ClassVar[EventMeta | None]

    if TYPE_CHECKING:

        def __init_subclass__(
            cls,
            *,
            routing_key: str | None = None,
            version: int = 1,
            abstract: bool = False,
            registry: Registry | None = None,
            deprecated: str | None = None,
            rename: Any = None,
            omit_defaults: bool = False,
            forbid_unknown_fields: bool = False,
        ) -> None: ...
