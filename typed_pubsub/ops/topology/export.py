"""What a service declares as RabbitMQ's definitions: for ``rabbitmqctl import_definitions``, or a file at its start."""

import re
from typing import Any

from typed_pubsub.ops.topology.values import Declared, Queue

#: Deliveries of a message of a quorum dead-letter queue: in effect, no limit. RabbitMQ 4 has one of 20, beyond which a
#: message is dropped; before 4.0 a limit of -1 (none) cannot be set.
NO_LIMIT = 1_000_000


def definitions(declared: Declared, vhost: str) -> dict[str, Any]:
    """Exchange, queues, bindings and policies, of objects that ``vhost`` need not have yet; the vhost itself not."""
    return {
        "exchanges": [
            {
                "name": declared.exchange.name,
                "vhost": vhost,
                "type": declared.exchange.kind,
                "durable": declared.exchange.durable,
                "auto_delete": declared.exchange.auto_delete,
                "internal": False,
                "arguments": {},
            }
        ],
        "queues": [
            {
                "name": queue.name,
                "vhost": vhost,
                "durable": queue.durable,
                "auto_delete": queue.auto_delete,
                "arguments": dict(queue.arguments),
            }
            for queue in declared.queues
        ],
        "bindings": [
            {
                "source": binding.exchange,
                "vhost": vhost,
                "destination": binding.queue,
                "destination_type": "queue",
                "routing_key": binding.key,
                "arguments": dict(binding.arguments),
            }
            for binding in declared.bindings
        ],
        "policies": [_unlimited(queue, vhost) for queue in declared.queues[:-1] if _is_limited(queue)],
    }


def _is_limited(queue: Queue) -> bool:
    return queue.kind == "quorum" and "x-delivery-limit" not in queue.arguments


def _unlimited(queue: Queue, vhost: str) -> dict[str, Any]:
    """A policy by which the dead-letter queue keeps what was looked at often; arguments would make it another queue."""
    return {
        "name": f"typed_pubsub keeps {queue.name}",
        "vhost": vhost,
        "pattern": f"^{re.escape(queue.name)}$",
        "apply-to": "queues",
        "priority": 0,
        "definition": {"delivery-limit": NO_LIMIT},
    }
