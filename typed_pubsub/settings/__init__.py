"""Where settings come from and what they must look like: the plumbing of ``PubSubConfig``."""
