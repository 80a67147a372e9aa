"""Events to bytes and back: pydantic-core and msgspec on JSON bytes, nothing in between.

One codec per class. ``read`` raises ``BodyError`` for any bytes that are no such event, and beside it only what a
validator of the model raises that is neither ValueError nor AssertionError. What a ``BodyError`` says may be logged:
see ``problems``.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import msgspec.inspect as mi
import pydantic_core
from pydantic import BaseModel, ValidationError

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.core_schema import has_float_keys, holds_no_floats, strings, writes_as_it_reads, writes_endless
from typed_pubsub.events.hints import alias_names, holds_decimals, holds_float_keys, is_number, undecodable
from typed_pubsub.events.problems import (
    BodyError,
    from_pydantic,
    from_struct,
    not_json,
    unserializable,
)
from typed_pubsub.events.values import says_endless

__all__ = ["BodyError", "EventCodec", "PydanticCodec", "StructCodec", "check_placeholder", "read_json"]

E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)


class EventCodec(Protocol[E_co]):
    """How bodies of one event class are written and read."""

    @property
    def read_names(self) -> Mapping[str, tuple[str, ...]]:
        """For each field the names that a body may give it, the one that is looked at last coming last."""
        ...

    def write(self, event: Any, /) -> bytes:
        """The event's JSON. Raises ValueError or TypeError for what has none."""
        ...

    def read(self, body: bytes, /) -> E_co:
        """The event in ``body``. Raises BodyError."""
        ...

    def plain(self, event: Any, /) -> Iterable[Any]:
        """The event as Python values, floats and Decimals still such; more than once, if JSON is written of others."""
        ...

    def rewritten(self, back: Any, body: bytes, /) -> bytes:
        """How ``back``, which was read from ``body``, is written, if values of its fields' types need not be."""
        ...

    def is_number(self, field: str, /) -> bool:
        """Whether the field's JSON form is a whole number."""
        ...

    def prepare(self) -> None:
        """Resolves forward references now. Raises DefinitionError for one that stays open."""
        ...

    @property
    def unread(self) -> frozenset[str]:
        """The fields that are written under a name that the model does not read."""
        ...

    @property
    def exact(self) -> bool:
        """Whether no event can lose anything on the way: what is read back need not be held against it."""
        ...

    def is_suspect(self, body: bytes, /) -> bool:
        """Whether NaN or Infinity may have been written, which reading it back would not show."""
        ...


class PydanticCodec(Generic[E]):
    """The codec of ``Event`` classes."""

    def __init__(self, model: type[E]) -> None:
        """``model`` may still have forward references; they are resolved at the first use."""
        self._model: Any = model

    @property
    def read_names(self) -> Mapping[str, tuple[str, ...]]:
        """See EventCodec; a field that is read by an AliasPath only has no name."""
        return self._read_names

    @cached_property
    def _read_names(self) -> dict[str, tuple[str, ...]]:
        by_name = bool(
            self._model.model_config.get("validate_by_name") or self._model.model_config.get("populate_by_name")
        )
        by_alias = self._model.model_config.get("validate_by_alias") is not False
        fields: Iterable[tuple[str, Any]] = self._model.model_fields.items()
        return {name: alias_names(name, field, by_name=by_name, by_alias=by_alias) for name, field in fields}

    @property
    def unread(self) -> frozenset[str]:
        """See EventCodec: a ``validation_alias`` alone does it."""
        return self._unread

    @cached_property
    def _unread(self) -> frozenset[str]:
        return frozenset(
            name
            for name, field in self._model.model_fields.items()
            if not field.exclude and (field.serialization_alias or field.alias or name) not in self.read_names[name]
        )

    @property
    def exact(self) -> bool:
        """See EventCodec; of a class whose forward references are resolved."""
        return self._exact

    @cached_property
    def _exact(self) -> bool:
        return not self.unread and holds_no_floats(self._model.__pydantic_core_schema__)

    def is_suspect(self, body: bytes, /) -> bool:
        """See EventCodec: every number of what is written and not read is."""
        return self._computes or (self._endless and says_endless(body))

    @cached_property
    def _computes(self) -> bool:
        schema = self._model.__pydantic_core_schema__
        return not writes_as_it_reads(schema) or has_float_keys(schema)

    @cached_property
    def _endless(self) -> bool:
        return writes_endless(self._model.__pydantic_core_schema__)

    @cached_property
    def _read(self) -> Callable[..., E]:
        try:
            self._model.model_rebuild()
        except NameError as error:
            raise _unresolved(self._model, error) from error
        read: Callable[..., E] = self._model.__pydantic_validator__.validate_json
        return read

    @cached_property
    def _declared(self) -> frozenset[str]:
        """Every name in the model's schema, those of all its fields among them."""
        return frozenset(strings(self._model.__pydantic_core_schema__))

    def prepare(self) -> None:
        """See EventCodec."""
        self._read  # noqa: B018  # read for its effect

    def write(self, event: BaseModel, /) -> bytes:
        """See EventCodec; a value that is not of its field's type (``model_construct``) is a ValueError."""
        try:
            return event.__pydantic_serializer__.to_json(event, by_alias=True, warnings="error")
        except pydantic_core.PydanticSerializationError as error:
            # The original quotes the value, and would be printed as the cause.
            raise ValueError(unserializable(str(error))) from None

    def read(self, body: bytes, /) -> E:
        """See EventCodec."""
        read = self._read
        if b"NaN" in body or b"Infinity" in body:
            # pydantic's parser takes these words for numbers; JSON does not know them (RFC 8259, 6).
            read_json(body)
        # Nowhere here 'from error': a traceback in a log would print the input with the cause.
        try:
            return read(body)
        except ValidationError as error:
            raise from_pydantic(error, body, self._declared) from None

    def plain(self, event: BaseModel, /) -> Iterable[Any]:
        """See EventCodec; a serializer may be for JSON only."""
        return (event.model_dump(), event.model_dump(mode="json")) if self._computes else (event.model_dump(),)

    def rewritten(self, back: BaseModel, body: bytes, /) -> bytes:  # noqa: ARG002  # EventCodec's
        """See EventCodec: pydantic refuses to write values of other types."""
        return body

    def is_number(self, field: str, /) -> bool:
        """See EventCodec."""
        return is_number(self._model.model_fields[field].annotation)


class StructCodec(Generic[E]):
    """The codec of ``StructEvent`` classes."""

    #: Of no Struct is it known: comparing two of them costs next to nothing.
    exact = False
    _encode = staticmethod(msgspec.json.Encoder().encode)

    def __init__(self, struct: type[E]) -> None:
        """``struct`` may still have forward references; they are resolved at the first use."""
        self._struct: Any = struct

    @property
    def read_names(self) -> Mapping[str, tuple[str, ...]]:
        """See EventCodec."""
        return self._read_names

    @cached_property
    def _read_names(self) -> dict[str, tuple[str, ...]]:
        return dict(
            zip(self._struct.__struct_fields__, ((n,) for n in self._struct.__struct_encode_fields__), strict=True)
        )

    def is_suspect(self, body: bytes, /) -> bool:
        """See EventCodec."""
        return self._float_keys or (self._decimals and says_endless(body))

    @cached_property
    def _float_keys(self) -> bool:
        return holds_float_keys(mi.type_info(self._struct))

    @cached_property
    def _decimals(self) -> bool:
        return holds_decimals(mi.type_info(self._struct))

    @property
    def unread(self) -> frozenset[str]:
        """See EventCodec: a Struct has one name for both ways."""
        return frozenset()

    @cached_property
    def _decode(self) -> Callable[[bytes], E]:
        try:
            return msgspec.json.Decoder(self._struct).decode
        except NameError as error:
            raise _unresolved(self._struct, error) from error
        except TypeError as error:
            raise DefinitionError(f"{undecodable(self._struct)}: {error}") from error

    def prepare(self) -> None:
        """See EventCodec."""
        self._decode  # noqa: B018  # read for its effect

    def write(self, event: E, /) -> bytes:
        """See EventCodec."""
        return self._encode(event)

    def read(self, body: bytes, /) -> E:
        """See EventCodec."""
        decode = self._decode
        # Nowhere here 'from error': a traceback in a log would print the input with the cause.
        try:
            if not body.isascii():
                # msgspec looks at the encoding only where it makes a str, not in what the Struct ignores.
                body.decode()
            return decode(body)
        except msgspec.ValidationError as error:
            # msgspec stops at the first misfit; what comes after it may be no JSON.
            read_json(body)
            raise from_struct(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise not_json(error) from None

    def plain(self, event: E, /) -> Iterable[Any]:
        """See EventCodec."""
        return (msgspec.to_builtins(event, builtin_types=(Decimal,)),)

    def rewritten(self, back: E, body: bytes, /) -> bytes:  # noqa: ARG002  # EventCodec's
        """See EventCodec: msgspec looks at no type when it writes, be it a subclass's."""
        return self._encode(back)

    def is_number(self, field: str, /) -> bool:
        """See EventCodec."""
        return is_number({f.name: f.type for f in msgspec.structs.fields(self._struct)}[field])


def read_json(body: bytes) -> Any:
    """Plain JSON as RFC 8259 has it: UTF-8, no NaN, nothing after the value.

    Raises:
        BodyError: it is not.
    """
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise not_json(error) from None


def _unresolved(model: type[Any], error: NameError) -> DefinitionError:
    return DefinitionError(f"{model.__module__}.{model.__qualname__}: {str(error).partition(chr(10))[0]}")


def check_placeholder(cls: type[Any], codec: EventCodec[Any], field: str) -> None:
    """Raises DefinitionError for a placeholder's field that no single name in the body stands for."""
    if not codec.read_names[field]:
        name = f"{cls.__module__}.{cls.__qualname__}.{field}"
        msg = f"{name} is read by an AliasPath and so can be no word of the routing key"
        raise DefinitionError(msg)
