"""Event brokers over kombu and py-amqp: connections, topology, confirms, consuming, dead letters."""
