"""AMQP's basic properties, to bytes and back: py-amqp's own result, in about half of its time.

Written are the values that events and tasks have (texts, small numbers, lists and tables of them); whatever else AMQP
can carry goes the way of py-amqp, and what it cannot carry raises py-amqp's error.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from struct import Struct, pack
from typing import Any, TypeAlias, TypeGuard

from amqp import serialization
from amqp.basic_message import Message

_WORD, _LONG, _LONG_LONG, _TEXT = Struct(">H"), Struct(">I"), Struct(">Q"), Struct(">cI")
_SHORTEST, _LARGEST = -(2**31) + 1, 2**31 - 1
_LONGEST_NAME = 255
_IS_TEXT = ord("S")

# py-amqp's reader of values, which its stubs do not have.
_read_item: Callable[[bytes, int], tuple[Any, int]] = vars(serialization)["_read_item"]

# Header names as they are written: few, and the same ones for each message. Bounded, since anyone may invent some.
_names: dict[str, bytes] = {}
_MOST_NAMES = 1_000


#: A property that is written if it is there: its name, its flag, and how.
_Step: TypeAlias = tuple[str, int, Callable[[Any], bytes]]


class _Unusual(Exception):  # nothing failed: py-amqp does it
    """A value that is left to py-amqp."""


def encode(properties: Mapping[str, Any]) -> bytes:
    """The property flags and list of a content header, with ``application_headers`` among the properties.

    Raises:
        ValueError, TypeError, struct.error, AMQPError: AMQP cannot carry a value.
    """
    return _encode(properties, _WRITTEN)


class Form:
    """The properties of messages that have much in common: that is written once."""

    def __init__(self, properties: Mapping[str, Any], *, headers: Collection[str], others: Collection[str]) -> None:
        """``properties`` are those of any such message, in which these ``headers`` and ``others`` may differ."""
        try:
            self._plan = [self._step(step, properties.get(step[0]), headers, others) for step in _WRITTEN]
        except _Unusual:
            self._plan = [*_WRITTEN]

    def encode(self, properties: Mapping[str, Any]) -> bytes:
        """As ``encode``, of such a message; its headers may come in another order."""
        return _encode(properties, self._plan)

    @staticmethod
    def _step(step: _Step, value: Any, headers: Collection[str], others: Collection[str]) -> _Step:
        name, flag, write = step
        if value is None or name in others:
            return step
        if name != "application_headers":
            written = write(value)
            return name, flag, lambda _: written
        same = _write_items(value, [one for one in value if one not in headers])
        varying = [one for one in value if one in headers]
        return name, flag, lambda table: _sized(same + _write_items(table, varying))


def _encode(properties: Mapping[str, Any], plan: Iterable[_Step]) -> bytes:
    flags, parts = 0, [b""]
    try:
        for name, flag, write in plan:
            value = properties.get(name)
            if value is not None:
                flags |= flag
                parts.append(write(value))
    except _Unusual:
        content: Any = Message(b"", **properties)
        written: bytes = content._serialize_properties()  # noqa: SLF001  # py-amqp's own road to its writer
        return written
    parts[0] = _WORD.pack(flags)
    return b"".join(parts)


def decode(buffer: bytes, offset: int) -> dict[str, Any]:
    """The properties of a content header whose flags are at ``offset``.

    Raises what frames.UNREADABLE names for what cannot be read.
    """
    (flags,) = _WORD.unpack_from(buffer, offset)
    offset += 2
    properties: dict[str, Any] = {}
    for name, flag, kind in _READ:
        if not flags & flag:
            continue
        if kind == "s":
            start = offset + 1
            offset = start + buffer[offset]
            properties[name] = buffer[start:offset].decode("utf-8", "surrogatepass")
        elif kind == "F":
            properties[name], offset = _read_table(buffer, offset)
        elif kind == "o":
            properties[name] = buffer[offset]
            offset += 1
        else:
            (properties[name],) = _LONG_LONG.unpack_from(buffer, offset)
            offset += 8
    return properties


def _read_table(buffer: bytes, begin: int) -> tuple[dict[Any, Any], int]:
    (size,) = _LONG.unpack_from(buffer, begin)
    offset = begin + 4
    limit = offset + size
    table: dict[Any, Any] = {}
    try:
        while offset < limit:
            start = offset + 1
            offset = start + buffer[offset]
            name = buffer[start:offset].decode("utf-8", "surrogatepass")
            if buffer[offset] == _IS_TEXT:
                start = offset + 5
                offset = start + _LONG.unpack_from(buffer, offset + 1)[0]
                table[name] = buffer[start:offset].decode("utf-8", "surrogatepass")
            else:
                table[name], offset = _read_item(buffer, offset)
    except UnicodeDecodeError:
        # py-amqp leaves such a text as bytes.
        (table,), offset = serialization.loads("F", buffer, begin)
    return table, offset


def _write_short(value: Any) -> bytes:
    if type(value) is not str:
        raise _Unusual
    written = value.encode("utf-8", "surrogatepass")
    if len(written) > _LONGEST_NAME:
        raise _Unusual
    return bytes((len(written),)) + written


def _write_octet(value: Any) -> bytes:
    if type(value) is not int or not 0 <= value <= 255:  # noqa: PLR2004
        raise _Unusual
    return bytes((value,))


def _write_timestamp(value: Any) -> bytes:
    if type(value) is not int or not 0 <= value < 2**64:
        raise _Unusual
    return value.to_bytes(8)


def _write_table(table: Any) -> bytes:
    if not _is_dict(table):
        raise _Unusual
    return _sized(_write_items(table, table))


def _sized(written: bytes) -> bytes:
    return _LONG.pack(len(written)) + written


def _write_items(table: Mapping[Any, Any], names: Iterable[Any]) -> bytes:
    parts: list[bytes] = []
    for name in names:
        value = table[name]
        parts.append(_names.get(name) or _write_name(name))
        # As _write_item does, without the call: nearly all headers are texts or nothing.
        if type(value) is str:
            written = value.encode("utf-8", "surrogatepass")
            parts += (_TEXT.pack(b"S", len(written)), written)
        elif value is None:
            parts.append(b"V")
        else:
            parts.append(_write_value(value))
    return b"".join(parts)


def _write_name(name: Any) -> bytes:
    written = _write_short(name)
    if len(_names) < _MOST_NAMES:
        _names[name] = written
    return written


def _write_value(value: Any) -> bytes:
    if type(value) is int:
        if not _SHORTEST <= value <= _LARGEST:
            raise _Unusual
        return pack(">ci", b"I", value)
    if type(value) is bool:
        return b"t\x01" if value else b"t\x00"
    if _is_dict(value):
        return b"F" + _write_table(value)
    if _is_list(value):
        return b"A" + _sized(b"".join([_write_item(each) for each in value]))
    raise _Unusual


def _write_item(value: Any) -> bytes:
    if value is None:
        return b"V"
    if type(value) is str:
        written = value.encode("utf-8", "surrogatepass")
        return _TEXT.pack(b"S", len(written)) + written
    return _write_value(value)


def _is_dict(value: Any) -> TypeGuard[dict[Any, Any]]:
    return type(value) is dict


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return type(value) is list or type(value) is tuple


_WRITERS = {"s": _write_short, "o": _write_octet, "L": _write_timestamp, "F": _write_table}
_READ = tuple((name, 1 << 15 - bit, kind) for bit, (name, kind) in enumerate(Message.PROPERTIES))
_WRITTEN: tuple[_Step, ...] = tuple((name, flag, _WRITERS[kind]) for name, flag, kind in _READ)
