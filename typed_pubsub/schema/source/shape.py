"""Whether what calls itself a schema is one: each keyword of the vocabulary with a value of its kind."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from typed_pubsub.errors import SchemaError
from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.schema.source.problems import Problems
from typed_pubsub.schema.vocabulary import DEPRECATED, LIMITS, MAY_OMIT, READ_AS, VALIDATORS

_BY_NAME: Final = ("properties", "$defs")
_LISTS: Final = ("anyOf", "oneOf", "prefixItems")
_SINGLE: Final = ("items", "propertyNames", "contentSchema")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return is_list(value) and all(isinstance(part, str) for part in value)


def _is_type(value: Any) -> bool:
    return _is_text(value) or (_are_texts(value) and len(value) > 0)


def _is_discriminator(value: Any) -> bool:
    return is_mapping(value) and isinstance(value.get("propertyName"), str)


def _are_names(value: Any) -> bool:
    return is_list(value) and len(value) > 0 and all(isinstance(name, str) or _is_path(name) for name in value)


def _is_path(value: Any) -> bool:
    return is_list(value) and len(value) > 0 and all(isinstance(step, str | int) for step in value)


def _are_values(value: Any) -> bool:
    return is_list(value) and len(value) > 0


_A_NUMBER, _A_COUNT, _A_TEXT = ("a number", _is_number), ("a count", _is_count), ("a text", _is_text)
_TEXTS, _SCHEMAS = ("a list of texts", _are_texts), ("a list of schemas", _are_values)
_KINDS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _A_NUMBER),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _A_COUNT),
    **dict.fromkeys(("pattern", "format", "$ref", "description", DEPRECATED), _A_TEXT),
    **dict.fromkeys(("required", MAY_OMIT, VALIDATORS), _TEXTS),
    **dict.fromkeys(_LISTS, _SCHEMAS),
    **dict.fromkeys((*_BY_NAME, LIMITS), ("an object", is_mapping)),
    "type": ("a type, or a list of types", _is_type),
    "enum": ("a list of values", _are_values),
    "discriminator": ("an object with a propertyName", _is_discriminator),
    "uniqueItems": ("true or false", lambda value: isinstance(value, bool)),
    READ_AS: ("a list of names and paths", _are_names),
}


def check(schema: Mapping[str, Any]) -> None:
    """Raises SchemaError for all keywords that have a value of another kind than the vocabulary gives them."""
    problems = Problems()
    waiting: list[tuple[str, Any]] = [("$", schema)]
    while waiting:
        path, part = waiting.pop()
        if part is True:
            continue
        if not is_mapping(part):
            problems.add(SchemaError(path, f"expected a schema, got {part!r}"))
            continue
        for name, value in part.items():
            told, fits = _KINDS.get(name, ("", None))
            if fits is not None and not fits(value):
                problems.add(SchemaError(f"{path}.{name}", f"expected {told}, got {value!r}"))
            else:
                waiting += _inside(f"{path}.{name}", name, value)
    problems.end()


def _inside(path: str, name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The schemas in the value of a keyword, with their paths."""
    if name in _BY_NAME:
        yield from ((f"{path}.{member}", part) for member, part in value.items())
    elif name in _LISTS:
        yield from ((f"{path}[{at}]", part) for at, part in enumerate(value))
    elif name in _SINGLE or (name == "additionalProperties" and value is not False):
        yield path, value
