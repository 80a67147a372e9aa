"""The embedded broker: AMQP's channels, exchanges and queues on one sqlite3 file, with no server.

For the demo, for development and for tests, on one machine: docs/embedded.md. From the bottom up: ``database`` (the
file), ``entities`` (exchanges, queues, bindings), ``routes``, ``messages``, ``sessions`` (who holds what), ``outbox``
and ``inbox`` (the two sides of a channel), ``channel`` and ``connection`` (py-amqp's interface, so that all above is
the same code as on RabbitMQ), ``transport`` (kombu's door).
"""
