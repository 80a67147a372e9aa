"""Pydantic's encoded types (``Base64Bytes`` and the like): bodies have them encoded, and code decoded."""

import functools
from collections.abc import Mapping
from typing import Any

from pydantic import EncodedBytes, EncodedStr
from pydantic_core import CoreConfig, PydanticSerializationError, SchemaError, SchemaSerializer

from typed_pubsub.events.shapes import is_items, is_mapping
from typed_pubsub.schema.vocabulary import LIMITS

_BYTES = {"min_length": "min_bytes", "max_length": "max_bytes"}
_LETTERS = {"min_bytes": "minLength", "max_bytes": "maxLength"}


def as_written(schema: Any, default: Any, config: CoreConfig) -> Any:
    """The default of a core schema, encoded where that has encoded types in it; any other as it is."""
    if not _has_encoder(schema):
        return default
    try:
        return SchemaSerializer(schema, config).to_python(default, mode="json")
    except (SchemaError, PydanticSerializationError):
        # It needs definitions that are not here, or is no value of its type.
        return default


def counts_bytes(schema: Any) -> bool:
    """Whether a core schema is pydantic's own function that counts what bytes decoded to."""
    return isinstance(_encoder_below(schema), EncodedBytes)


def with_lengths(found: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    """The JSON schema of a function of pydantic's own: its lengths are those of texts only where it counts letters."""
    below = _encoder_below(schema)
    if below is not None:
        said = {word: value for word, value in found.items() if word not in _LETTERS.values()}
        if isinstance(below, EncodedStr):
            return said
        counted = {_BYTES[name]: value for name, value in schema["function"]["function"].keywords.items()}
        return said | {LIMITS: {**found.get(LIMITS, {}), **counted}}
    if isinstance(_encoder(schema), EncodedBytes) and _LETTERS.keys() >= found.get(LIMITS, {}).keys():
        # Limits of bytes before they are decoded: those are letters.
        said = {word: value for word, value in found.items() if word != LIMITS}
        return said | {_LETTERS[name]: value for name, value in found.get(LIMITS, {}).items()}
    return dict(found)


def _encoder_below(schema: Any) -> EncodedBytes | EncodedStr | None:
    """What decodes the value that pydantic's own function counts; None where it is no such function."""
    if not _counts(schema):
        return None
    while _counts(schema):
        schema = schema["schema"]
    return _encoder(schema)


def _counts(schema: Any) -> bool:
    function = _function(schema)
    return isinstance(function, functools.partial) and function.keywords.keys() <= _BYTES.keys()


def _encoder(schema: Any) -> EncodedBytes | EncodedStr | None:
    encoder = getattr(_function(schema), "__self__", None)
    return encoder if isinstance(encoder, EncodedBytes | EncodedStr) else None


def _function(schema: Any) -> Any:
    function = schema.get("function")
    return function.get("function") if is_mapping(function) else function


def _has_encoder(schema: Any) -> bool:
    if is_mapping(schema):
        return _encoder(schema) is not None or any(map(_has_encoder, schema.values()))
    return is_items(schema) and any(map(_has_encoder, schema))
