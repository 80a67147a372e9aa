"""From recorded bodies of an event that has no class to a draft of one: guesses, and what each rests on."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from typed_pubsub.errors import DefinitionError, SchemaError
from typed_pubsub.events.keys import WORD, KeyTemplate
from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.generate import source
from typed_pubsub.schema.source.names import is_name
from typed_pubsub.schema.vocabulary import NAIVE, ROUTING_KEY, VERSION

#: Texts are taken for the values of an enumeration if there are this many, each of few comes again, and all are short.
_ENUM_TEXTS, _ENUM_VALUES, _ENUM_LENGTH = 20, 10, 32
#: Objects are taken for mappings if they have this many different members, and each has at most a third of them.
_MAPPING_MEMBERS, _MAPPING_SHARE = 10, 3

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_OF_DECIMALS: dict[str, Any] = {"anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"}]}
#: Beyond it not every whole number is a float.
_EXACT = 2**53


def infer(bodies: Iterable[Any], *, key: str, name: str | None = None) -> str:
    """The source of a draft ``Event`` that accepts every one of the bodies; what it guesses is told beside each member.

    ``bodies`` are parsed JSON objects, ``key`` the template of their routing key, ``name`` the name of the class (the
    last two words of the key that are no placeholders, if None). The rules, of all values of a member together:

    - A member that some bodies lack, or have as null, may be None; a word of the key that they lack is taken from it.
    - Texts are UUIDs, dates, times with or without an offset, or decimals (one of them with a point) if all are such;
      at least 20 texts of 2 to 10 values, each of them seen twice and at most 32 characters long, are a Literal; any
      others, addresses of mail among them, are str.
    - Whole numbers are int, and float where others come among them; different kinds of values are a union.
    - Objects are models of their own, or a dict if they have 10 or more different members altogether and each has at
      most a third of these. Arrays are lists.

    Raises:
        SchemaError: there is no body, or one is no object or has something that is not JSON or no word of the key where
            one is due; the body is named by its number, from 1. Or key or name are none.
    """
    template = template_of(key)
    given = _checked(bodies, template)
    top = _object(given, "bodies", "$")
    members: dict[str, Any] = {**top["properties"], **{field: _word(field, given) for field in template.fields}}
    required = [*dict.fromkeys([*template.fields, *top.get("required", ())])]
    named = {"title": _class(template, name), ROUTING_KEY: template.text, VERSION: 1}
    text = f"A draft: guessed from {_count(len(given), 'body', 'bodies')}, what each guess rests on beside it."
    return source([{**top, **named, "properties": members, "required": required}], text=text)


@dataclass(frozen=True, slots=True)
class _Guess:
    """A schema and what it rests on; empty if there was nothing to guess."""

    schema: dict[str, Any]
    reason: str = ""


def template_of(key: str) -> KeyTemplate:
    """The template of the event to draft. Raises SchemaError: the text is none."""
    try:
        return KeyTemplate.parse(key)
    except DefinitionError as error:
        raise SchemaError(f"$.{ROUTING_KEY}", str(error)) from error


def _class(template: KeyTemplate, name: str | None) -> str:
    if name is None:
        words = [word for index, word in enumerate(template.words) if index not in template.fields.values()]
        parts = re.split(r"[_-]+", "_".join(words[-2:]))
        name = "".join(part[:1].upper() + part[1:] for part in parts)
    if not is_name(name):
        raise SchemaError("$.title", f"expected the name of a class as name=, got {name!r}")
    return name


def _checked(bodies: Iterable[Any], template: KeyTemplate) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for number, body in enumerate(bodies, 1):
        if not is_mapping(body):
            raise SchemaError("$", f"expected body {number} to be an object, got {type(body).__name__}")
        _refuse_others(body, "$", number)
        for field in template.fields:
            _refuse_no_word(body, field, number)
        found.append(body)
    if not found:
        raise SchemaError("$", "expected bodies to guess from, got none")
    return found


def _refuse_others(value: Any, path: str, number: int) -> None:
    """Raises SchemaError for what is not JSON."""
    if is_mapping(value):
        for name, part in value.items():
            _refuse_others(part, f"{path}.{name}", number)
        for other in _no_texts(value):
            raise SchemaError(path, f"expected names of members in body {number}, got {other!r}")
    elif is_list(value):
        for index, part in enumerate(value):
            _refuse_others(part, f"{path}[{index}]", number)
    elif not (value is None or isinstance(value, str | bool | int | float)):
        raise SchemaError(path, f"expected JSON in body {number}, got {type(value).__name__}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise SchemaError(path, f"expected JSON in body {number}, got {value}")


def _no_texts(names: Iterable[object]) -> list[object]:
    return [name for name in names if not isinstance(name, str)]


def _refuse_no_word(body: Mapping[str, Any], field: str, number: int) -> None:
    if field not in body:
        return
    value = body[field]
    is_word = isinstance(value, str | int) and not isinstance(value, bool) and WORD.fullmatch(str(value)) is not None
    if not is_word:
        raise SchemaError(f"$.{field}", f"expected a word of the routing key in body {number}, got {value!r}")


def _word(field: str, bodies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A member that is a word of the key: a text, or a whole number; keys of bodies that lack it may have any."""
    values = [body[field] for body in bodies if field in body]
    missing = len(bodies) - len(values)
    is_whole, is_text = any(isinstance(value, int) for value in values), any(isinstance(value, str) for value in values)
    kinds = [*(["integer"] if is_whole else []), *(["string"] if is_text or missing else [])]
    reasons = ["a word of the routing key", *_lack(missing, len(bodies), "bodies")]
    return {"anyOf": [{"type": kind} for kind in kinds], "$comment": "; ".join(reasons)}


def _lack(missing: int, total: int, them: str) -> list[str]:
    return [f"{missing} of {total} {them} lack it"] if missing else []


def _object(values: Sequence[Mapping[str, Any]], them: str, path: str) -> dict[str, Any]:
    """The schema of objects that are one model; ``them`` is what the comments call them."""
    names = dict.fromkeys(name for value in values for name in value)
    members: dict[str, Any] = {}
    required: list[str] = []
    for name in names:
        held = [value[name] for value in values if name in value]
        members[name] = _member(held, len(values), them, f"{path}.{name}")
        if len(held) == len(values):
            required.append(name)
    return {"type": "object", "properties": members, **({"required": required} if required else {})}


def _member(held: list[Any], total: int, them: str, path: str) -> dict[str, Any]:
    guess = _guess(held, path)
    missing = total - len(held)
    nulls = sum(value is None for value in held)
    reasons = _lack(missing, total, them)
    if nulls:
        reasons.append(f"{nulls} of {total} {them} have null")
    if guess.reason:
        reasons.append(guess.reason)
    schema = dict(guess.schema)
    if missing:
        schema = {**_nullable(schema), "default": None}
    return {**schema, **({"$comment": "; ".join(reasons)} if reasons else {})}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    null = {"type": "null"}
    if schema == null or not schema or null in schema.get("anyOf", ()):
        return schema
    parts = schema["anyOf"] if "anyOf" in schema and schema != _OF_DECIMALS else [schema]
    return {"anyOf": [*parts, null]}


def _guess(values: Sequence[Any], path: str) -> _Guess:
    """The schema of values that stand in one place."""
    whole = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    guesses = [_Guess({"type": "boolean"})] if any(isinstance(value, bool) for value in values) else []
    guesses += _numbers(whole, [value for value in values if isinstance(value, float)])
    if texts := [value for value in values if isinstance(value, str)]:
        guesses.append(_texts(texts))
    if lists := [value for value in values if is_list(value)]:
        guesses.append(_lists(lists, path))
    if objects := [value for value in values if is_mapping(value)]:
        guesses.append(_objects(objects, path))
    return _joined(guesses, has_null=any(value is None for value in values), is_empty=not values)


def _joined(guesses: list[_Guess], *, has_null: bool, is_empty: bool) -> _Guess:
    if is_empty:
        return _Guess({})
    parts = [guess.schema for guess in guesses]
    reasons = [guess.reason for guess in guesses if guess.reason]
    schema: dict[str, Any] = parts[0] if len(parts) == 1 else {"anyOf": parts} if parts else {"type": "null"}
    if len(parts) > 1:
        reasons.insert(0, f"{len(parts)} kinds of values")
    return _Guess(_nullable(schema) if has_null else schema, "; ".join(reasons))


def _numbers(whole: list[int], others: list[float]) -> list[_Guess]:
    if not others:
        return [_Guess({"type": "integer"})] if whole else []
    number = _Guess({"type": "number"}, f"{len(whole)} of {len(whole) + len(others)} are whole" if whole else "")
    if any(abs(value) > _EXACT for value in whole):
        return [_Guess({"type": "integer"}), number]
    return [number]


def _texts(texts: list[str]) -> _Guess:
    for schema, one, more, fits in _FORMATS:
        if all(fits(text) for text in texts) and (schema is not _OF_DECIMALS or any("." in text for text in texts)):
            return _Guess(dict(schema), f"the only one is {one}" if len(texts) == 1 else f"all {len(texts)} are {more}")
    values = sorted(set(texts))
    is_few = len(texts) >= _ENUM_TEXTS and 1 < len(values) <= _ENUM_VALUES
    if is_few and all(_is_value(value, texts) for value in values):
        return _Guess({"enum": values, "type": "string"}, f"{len(values)} values in {len(texts)} texts")
    return _Guess({"type": "string"})


def _count(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _is_value(text: str, texts: list[str]) -> bool:
    return 0 < len(text) <= _ENUM_LENGTH and text.isprintable() and texts.count(text) > 1


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _reads(date, text)


def _is_date_time(text: str) -> bool:
    return _DATE_TIME.fullmatch(text) is not None and _reads(datetime, text)


def _has_offset(text: str) -> bool:
    return _is_date_time(text) and datetime.fromisoformat(text).tzinfo is not None


def _has_no_offset(text: str) -> bool:
    return _is_date_time(text) and datetime.fromisoformat(text).tzinfo is None


def _is_decimal_text(text: str) -> bool:
    return _DECIMAL.fullmatch(text) is not None


def _reads(kind: Any, text: str) -> bool:
    try:
        kind.fromisoformat(text)
    except ValueError:
        return False
    return True


_MOMENT = {"type": "string", "format": "date-time"}
_FORMATS: tuple[tuple[dict[str, Any], str, str, Callable[[str], bool]], ...] = (
    ({"type": "string", "format": "uuid"}, "a UUID", "UUIDs", _is_uuid),
    ({"type": "string", "format": "date"}, "a date", "dates", _is_date),
    (_MOMENT, "a time with an offset", "times with an offset", _has_offset),
    ({**_MOMENT, NAIVE: True}, "a time without an offset", "times without an offset", _has_no_offset),
    ({**_MOMENT, NAIVE: True}, "a time", "times, some with an offset", _is_date_time),
    (_OF_DECIMALS, "a decimal", "decimals", _is_decimal_text),
)


def _lists(lists: list[Sequence[Any]], path: str) -> _Guess:
    items = [item for values in lists for item in values]
    if not items:
        return _Guess({"type": "array", "items": {}}, "only empty lists")
    guess = _guess(items, f"{path}[]")
    return _Guess({"type": "array", "items": guess.schema}, guess.reason and f"of items: {guess.reason}")


def _objects(objects: list[Mapping[str, Any]], path: str) -> _Guess:
    names = {name for value in objects for name in value}
    if not names:
        return _Guess({"type": "object", "additionalProperties": True}, "only empty objects")
    is_sparse = all(len(value) * _MAPPING_SHARE <= len(names) for value in objects)
    if len(names) < _MAPPING_MEMBERS or not is_sparse:
        return _Guess(_object(objects, "objects", path))
    guess = _guess([part for value in objects for part in value.values()], f"{path}.*")
    reasons = [f"{len(names)} different members in {len(objects)} objects"]
    if guess.reason:
        reasons.append(f"of values: {guess.reason}")
    return _Guess({"type": "object", "additionalProperties": guess.schema or True}, "; ".join(reasons))
