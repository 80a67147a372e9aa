"""Exchange, queues and bindings: what is declared, what the broker has, and how one becomes the other."""
