"""Messages of tasks as values, and the producer on which Celery writes them without sending any."""

from types import SimpleNamespace
from typing import Any

import kombu
import msgspec

from typed_pubsub.brokers.properties import Form


class TaskMessage(msgspec.Struct, frozen=True):
    """A message of Celery's, ready for any transport: what ``kombu.Producer.publish`` would have written.

    ``declare`` holds the entities that have to exist; ``mandatory`` is false for Celery's own task-sent events;
    ``form`` is that of its properties, if there are others like it.
    """

    body: Any
    content: dict[str, Any]
    headers: dict[str, Any]
    properties: dict[str, Any]
    exchange: str = ""
    routing_key: str = ""
    mandatory: bool = False
    declare: tuple[Any, ...] = ()
    form: Form | None = None

    def basic_properties(self) -> dict[str, Any]:
        """AMQP's, with the headers among them."""
        return {**self.content, **self.properties, "application_headers": self.headers}


class Prepared(msgspec.Struct, frozen=True):
    """What a message was made of: its body before it was serialized, and how it was."""

    body: Any
    serializer: str | None
    compression: str | None


class RecordingProducer(kombu.Producer):
    """A producer whose channel and declarations are lists.

    ``prepared`` tells what the message that was recorded last was made of.
    """

    def __init__(self, connection: kombu.Connection) -> None:
        self.recorded: list[TaskMessage] = []
        self.prepared: Prepared | None = None
        self._declare: list[Any] = []
        channel: Any = _RecordingChannel(self, connection)
        super().__init__(channel, auto_declare=False)

    def maybe_declare(self, entity: Any, retry: bool = False, **retry_policy: Any) -> Any:  # noqa: ARG002, FBT001, FBT002
        """Notes what the next message needs."""
        self._declare.append(entity)

    def record(self, message: TaskMessage, exchange: str, routing_key: str, *, mandatory: bool) -> None:
        """Keeps a message of the channel, with what was declared for it."""
        declare, self._declare = tuple(self._declare), []
        self.recorded.append(
            msgspec.structs.replace(
                message, exchange=exchange, routing_key=routing_key, mandatory=mandatory, declare=declare
            )
        )

    def _prepare(  # noqa: PLR0917  # kombu's signature
        self,
        body: Any,
        serializer: str | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        compression: str | None = None,
        headers: dict[str, Any] | None = None,
    ) -> Any:
        # With a content type of its own the body is no work of a serializer.
        self.prepared = Prepared(body, None if content_type else serializer, compression)
        theirs: Any = super()
        return theirs._prepare(body, serializer, content_type, content_encoding, compression, headers)  # noqa: SLF001


class _RecordingChannel:
    """As much of a kombu channel as ``Producer.publish`` uses."""

    def __init__(self, producer: RecordingProducer, connection: kombu.Connection) -> None:
        self.connection = SimpleNamespace(client=connection)
        self._producer = producer

    def prepare_message(  # noqa: PLR0917  # kombu's signature
        self,
        body: Any,
        priority: int | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        headers: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
    ) -> TaskMessage:
        content = {"priority": priority, "content_type": content_type, "content_encoding": content_encoding}
        return TaskMessage(body, content, dict(headers or {}), dict(properties or {}))

    def basic_publish(self, message: TaskMessage, exchange: Any, routing_key: str, **options: Any) -> None:
        mandatory = bool(options.get("mandatory"))
        self._producer.record(message, str(exchange or ""), routing_key or "", mandatory=mandatory)
