"""Event brokers: RabbitMQ through py-amqp, and the embedded one, which kombu knows as ``sqlite://`` from here on."""

from kombu.transport import TRANSPORT_ALIASES

TRANSPORT_ALIASES.setdefault("sqlite", "typed_pubsub.brokers.sqlite.transport:Transport")
