"""``python -m typed_pubsub.cli``: the command where its script is not installed."""

from typed_pubsub.cli.commands import main

main(prog_name="typed-pubsub")
