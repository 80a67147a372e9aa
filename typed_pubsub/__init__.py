"""typed_pubsub: typed events over RabbitMQ, handed to Celery, never lost on the way."""

from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import (
    BrokerError,
    ConnectFailed,
    DefinitionError,
    EventError,
    MisconfigurationException,
    PublishFailed,
    PubSubError,
    TooManyFaults,
    TopologyRefused,
)
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.publisher import Publisher
from typed_pubsub.routing import TaskCall, TaskMapping, call, remote_task
from typed_pubsub.subscriber import Subscriber
from typed_pubsub.tasks import task

__all__ = [
    "BrokerError",
    "ConnectFailed",
    "DefinitionError",
    "Event",
    "EventError",
    "MisconfigurationException",
    "PubSubConfig",
    "PubSubError",
    "PublishFailed",
    "Publisher",
    "Registry",
    "StructEvent",
    "Subscriber",
    "TaskCall",
    "TaskMapping",
    "TooManyFaults",
    "TopologyRefused",
    "call",
    "remote_task",
    "task",
]
