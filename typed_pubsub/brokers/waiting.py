"""Waiting for whichever of several connections has news first."""

import select
from collections.abc import Sequence

from typed_pubsub.brokers.connection import Link


def wait_for_news(links: Sequence[Link], seconds: float) -> None:
    """Returns when one of the links can be read, and after ``seconds`` at the latest. A broken one has news, too."""
    poll = select.poll()
    for link in links:
        if link.is_readable():
            return
        poll.register(link.socket, select.POLLIN)
    poll.poll(max(seconds, 0.0) * 1000)
