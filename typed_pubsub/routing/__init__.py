"""What a delivery means: mapping, routes, ``decide`` and ``settle``. Pure: no clock, no I/O, no logging, no Celery."""

from typed_pubsub.routing.calls import CallOptions, RemoteTask, TaskCall, call, remote_task
from typed_pubsub.routing.decisions import Ack, DeadLetter, Decision, HandBack, RetryAfter, Schedule, Settlement, Skip
from typed_pubsub.routing.mapping import TaskMapping
from typed_pubsub.routing.rows import LegacyRow
from typed_pubsub.routing.settle import settle
from typed_pubsub.routing.table import NAMESPACE, Policy, RoutingTable

__all__ = [
    "NAMESPACE",
    "Ack",
    "CallOptions",
    "DeadLetter",
    "Decision",
    "HandBack",
    "LegacyRow",
    "Policy",
    "RemoteTask",
    "RetryAfter",
    "RoutingTable",
    "Schedule",
    "Settlement",
    "Skip",
    "TaskCall",
    "TaskMapping",
    "call",
    "remote_task",
    "settle",
]
