"""``Event``: a fact as a frozen pydantic model, bound to a routing key by class keyword."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, dataclass_transform, overload

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from typing_extensions import Unpack

from typed_pubsub.events.binding import Keywords, bind, describe, name_to_be, refuse_unfrozen, refuse_unknown
from typed_pubsub.events.codec import PydanticCodec
from typed_pubsub.events.registry import EventMeta, Registry

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

# Handed through the metaclass by pydantic itself when it makes a generic model's parametrisation.
_PYDANTIC_OWN = ("__pydantic_generic_metadata__", "__pydantic_reset_parent_namespace__", "_create_model_module")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field, PrivateAttr))
class EventModelMeta(ModelMetaclass):
    """Takes the class keywords of events, and tells type checkers that events are frozen (pydantic's says not)."""

    def __new__(  # noqa: D102  # the class statement's keywords
        mcls,
        name: str,
        bases: tuple[type[Any], ...],
        namespace: dict[str, Any],
        *,
        routing_key: str | None = None,
        version: int = 1,
        abstract: bool = False,
        registry: Registry | None = None,
        deprecated: str | None = None,
        **kwargs: Any,
    ) -> Any:
        named = name_to_be(name, namespace)
        refuse_unknown(named, kwargs, [*ConfigDict.__annotations__, *_PYDANTIC_OWN])
        refuse_unfrozen(named, kwargs)
        cls: Any = super().__new__(mcls, name, bases, namespace, **kwargs)
        generic = cls.__pydantic_generic_metadata__
        if generic["origin"] is not None:
            # Changed[int], made by subscription: a step on the way to a bound subclass.
            cls.__event_meta__ = None
            return cls
        keywords = Keywords(routing_key, version, abstract, registry, deprecated)
        bind(cls, PydanticCodec(cls), cls.model_fields, generic=bool(generic["parameters"]), keywords=keywords)
        return cls

    def __repr__(cls) -> str:  # noqa: N805  # a class is its self
        """The class with its key and version."""
        return describe(cls)


class Event(BaseModel, metaclass=EventModelMeta, abstract=True):
    """Base of events that are pydantic models: frozen, unknown fields of a body ignored, NaN and Infinity refused.

    ::

        class MatchesPublished(Event, routing_key="app1.matches.published", version=1):
            match_id: UUID
            title: str | None = None

    Class keywords: ``routing_key`` (a template may name fields: ``"etl.{source}.loaded"``), ``version`` (counts
    breaking changes, from 1), ``abstract=True`` for a base without a key, ``registry`` (default: the library's),
    ``deprecated="use ... instead"`` (publishers warn; subclasses do not inherit it), and pydantic's own configuration.
    A generic event is abstract; a subclass with a key binds it.

    Raises (at the class statement):
        DefinitionError: no key, a wrong key, or a key that another class holds.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    __event_meta__: ClassVar[EventMeta | None]

    if TYPE_CHECKING:

        @overload
        def __init_subclass__(
            cls,
            *,
            routing_key: str,
            version: int = 1,
            registry: Registry | None = None,
            deprecated: str | None = None,
            **config: Unpack[ConfigDict],
        ) -> None: ...
        @overload
        def __init_subclass__(
            cls, *, abstract: Literal[True], registry: Registry | None = None, **config: Unpack[ConfigDict]
        ) -> None: ...
        def __init_subclass__(cls, **kwargs: Any) -> None: ...
