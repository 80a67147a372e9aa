"""Defaults of pydantic's encoded types (``Base64Bytes`` and the like): as bodies have them, not as code does."""

from typing import Any

from pydantic import EncodedBytes, EncodedStr
from pydantic_core import CoreConfig, PydanticSerializationError, SchemaError, SchemaSerializer

from typed_pubsub.events.shapes import is_items, is_mapping


def as_written(schema: Any, default: Any, config: CoreConfig) -> Any:
    """The default of a core schema, encoded where that has encoded types in it; any other as it is."""
    if not _has_encoder(schema):
        return default
    try:
        return SchemaSerializer(schema, config).to_python(default, mode="json")
    except (SchemaError, PydanticSerializationError):
        # It needs definitions that are not here, or is no value of its type.
        return default


def _has_encoder(schema: Any) -> bool:
    if is_mapping(schema):
        encoder = getattr(schema.get("function"), "__self__", None)
        return isinstance(encoder, EncodedBytes | EncodedStr) or any(map(_has_encoder, schema.values()))
    return is_items(schema) and any(map(_has_encoder, schema))
