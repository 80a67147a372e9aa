"""Bodies of events, with the routing keys under which they travel. Needs Hypothesis."""

import json
from typing import Any

import msgspec
from hypothesis import strategies as st

from typed_pubsub.events.keys import WORD, KeyTemplate
from typed_pubsub.events.shapes import is_mapping
from typed_pubsub.schema.instances import instances
from typed_pubsub.schema.unions import Schema
from typed_pubsub.schema.vocabulary import NOTES


class Sent(msgspec.Struct, frozen=True):
    """What a publisher with some schema may send: ``value`` is the parsed body."""

    routing_key: str
    value: dict[str, Any]

    @property
    def body(self) -> bytes:
        """The bytes."""
        return json.dumps(self.value, ensure_ascii=False).encode()


def sent_by(writer: Schema, template: KeyTemplate, *, beside: Any = None) -> st.SearchStrategy[Sent]:
    """Every key and body that a publisher may send; see ``instances`` for ``beside``.

    Args:
        writer: the closed form of a schema.
        template: its routing key, whose placeholders the members of these names fill.
        beside: another schema, whose bounds are of interest.
    """
    members = dict(writer.get("properties", {}))
    for name in template.fields:
        members[name] = _word(members.get(name, {"type": "string"}))
    schema = {**writer, "properties": members}
    return (
        instances(schema, beside=beside)
        .filter(lambda value: _is_keyed(template, value))
        .map(lambda value: Sent(template.fill(_words(template, value)), value))
    )


def _word(schema: Any) -> Any:
    """A text becomes a word of a key; whatever else makes words already, or is left out where it does not."""
    bare = schema.keys() - NOTES if is_mapping(schema) else set[str]()
    if bare == {"type"} and schema["type"] == "string":
        return {"type": "string", "pattern": rf"^{WORD.pattern}$", "maxLength": 12}
    return schema


def _words(template: KeyTemplate, value: dict[str, Any]) -> dict[str, str]:
    return {name: str(value.get(name, "")) for name in template.fields}


def _is_keyed(template: KeyTemplate, value: dict[str, Any]) -> bool:
    try:
        template.fill(_words(template, value))
    except ValueError:
        return False
    return True
