"""A message whose properties are bytes already: what cannot be written fails before anything is."""

from typing import Any

from typed_pubsub.brokers import properties as amqp_properties


class ReadyMessage:
    """An AMQP message to publish, with as much of py-amqp's ``Message`` as its writer uses."""

    __slots__ = ("body", "properties", "written_properties")

    def __init__(self, body: bytes, properties: dict[str, Any], form: amqp_properties.Form | None = None) -> None:
        """``properties`` are AMQP's basic ones by name, with ``application_headers`` among them; ``form`` is theirs.

        Raises:
            ValueError, TypeError, struct.error, AMQPError: AMQP cannot carry a property or a header.
        """
        self.body = body
        self.properties = properties
        self.written_properties = amqp_properties.encode(properties) if form is None else form.encode(properties)

    def _serialize_properties(self) -> bytes:
        return self.written_properties
