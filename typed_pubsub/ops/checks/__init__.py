"""What can be known of a service without a message: each finding has an id, and a section in docs/checks.md."""
