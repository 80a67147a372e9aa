"""Task calls to confirmed Celery messages."""

from typed_pubsub.tasks.declare import task

__all__ = ["task"]
