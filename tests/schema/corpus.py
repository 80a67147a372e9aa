"""What classes are generated from in tests: the schemas of all kinds of events, and some by hand."""

import json
from typing import Any

from tests.schema import contracts_of_both as both
from tests.schema.contracts_of_names import MODELS
from tests.schema.contracts_of_structs import STRUCTS
from typed_pubsub.demo import events as demo
from typed_pubsub.events import StructEvent
from typed_pubsub.schema import canonical, schema_of

EVENTS: list[Any] = [
    *(both.Paid, both.StructPaid, both.Node, both.StructNode),
    *(demo.MatchesPublished, demo.MatchesDeleted, demo.TableLoaded, demo.ScoreChanged),
    *MODELS,
    *STRUCTS,
]
WHOLE = {"type": "integer"}
TEXT = {"type": "string"}
TEXTS_OF_BYTES: list[dict[str, Any]] = [
    {**TEXT, "format": "binary", "default": "a"},
    {**TEXT, "format": "hex", "default": "ff"},
    {**TEXT, "contentEncoding": "base64", "default": "YQ=="},
    {
        **TEXT,
        "contentEncoding": "base64",
        "contentMediaType": "application/json",
        "maxLength": 8,
        "default": "MQ==",
    },
    {**TEXT, "format": "base64", "default": "AA=="},
    {**TEXT, "format": "base64url", "default": "-_8="},
]
OF_STRUCTS: list[dict[str, Any]] = [{**TEXT, "format": "base64", "x-limits": {"max_bytes": 3}, "default": ""}]


def filed(event: Any) -> dict[str, Any]:
    """The schema as it is read from its file."""
    schema: dict[str, Any] = json.loads(canonical(schema_of(event)))
    return schema


def is_struct(event: Any) -> bool:
    """Which kind of event it is."""
    return issubclass(event, StructEvent)


def made(members: dict[str, Any], **others: Any) -> dict[str, Any]:
    """A schema by hand, of an event whose members are all required."""
    top = {"title": "Made", "x-routing-key": "made", "x-version": 1, "type": "object"}
    return {**top, "properties": members, "required": [*members], **others}
