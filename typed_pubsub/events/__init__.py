"""What an event is and how it travels: keys, models, registry, codec, messages. Pure: no clock, no I/O, no logging."""

from typed_pubsub.events.models import Event
from typed_pubsub.events.registry import EventClass, EventMeta, EventType, Registry, default_registry
from typed_pubsub.events.structs import StructEvent
from typed_pubsub.events.upcasts import upcast

__all__ = ["Event", "EventClass", "EventMeta", "EventType", "Registry", "StructEvent", "default_registry", "upcast"]
