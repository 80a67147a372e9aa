"""typed_pubsub: typed events over RabbitMQ, handed to Celery, never lost on the way."""

import importlib
from typing import TYPE_CHECKING, Any

# kombu knows sqlite:// from here on.
importlib.import_module(f"{__name__}.brokers")

if TYPE_CHECKING:
    from typed_pubsub.config import PubSubConfig
    from typed_pubsub.errors import (
        BrokerError,
        ConnectFailed,
        DefinitionError,
        EventError,
        MisconfigurationException,
        PublishFailed,
        PubSubError,
        SchemaError,
        TooManyFaults,
        TopologyRefused,
    )
    from typed_pubsub.events import Event, Registry, StructEvent, upcast
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
    "SchemaError",
    "StructEvent",
    "Subscriber",
    "TaskCall",
    "TaskMapping",
    "TooManyFaults",
    "TopologyRefused",
    "call",
    "remote_task",
    "task",
    "upcast",
]

# Each is imported with the first use of one of its names: a publisher's process never pays for Celery, nor a health
# probe for either broker's client. What is in no other is looked for in errors.
_HOMES = {
    "config": ("PubSubConfig",),
    "events": ("Event", "Registry", "StructEvent", "upcast"),
    "publisher": ("Publisher",),
    "routing": ("TaskCall", "TaskMapping", "call", "remote_task"),
    "subscriber": ("Subscriber",),
    "tasks": ("task",),
    "errors": __all__,
}

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the package's

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            return importlib.import_module(f"{__name__}.{name}")
        if name not in __all__:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        home = next(home for home, names in _HOMES.items() if name in names)
        found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{home}"), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
