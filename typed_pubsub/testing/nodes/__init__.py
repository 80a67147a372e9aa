"""Private servers for tests, demos and benchmarks: a RabbitMQ node or a Redis of one's own, gone with the process.

Each listens on loopback only, on free ports, with its own data directory, so any number of them run side by side and
beside the machine's own servers::

    with RabbitMQNode() as node:
        url = node.vhost()    # a fresh virtual host: isolation for one test, at no cost
        node.kill()           # kill -9 ...
        node.start()          # ... and up again, on the same data and port

Nothing is left behind, even when the process that made a node is killed: a watchdog notices, kills the node and
removes its directory.
"""

from typed_pubsub.testing.nodes.base import Node, NodeError
from typed_pubsub.testing.nodes.rabbitmq import RabbitMQNode, rabbitmq_available
from typed_pubsub.testing.nodes.redis import RedisNode, redis_available

__all__ = ["Node", "NodeError", "RabbitMQNode", "RedisNode", "rabbitmq_available", "redis_available"]
