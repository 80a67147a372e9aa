"""The command ``typed-pubsub``, and the core that it shares with ``flask subscriber`` and ``manage.py subscriber``."""

from typed_pubsub.cli.commands import main

__all__ = ["main"]
