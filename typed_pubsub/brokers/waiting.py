"""Waiting for whichever of several connections has news first."""

import selectors
from collections.abc import Sequence

from typed_pubsub.brokers.connection import Link


def wait_for_news(links: Sequence[Link], seconds: float) -> None:
    """Returns when one of the links can be read, and after ``seconds`` at the latest. A broken one has news, too."""
    with selectors.DefaultSelector() as selector:
        for link in links:
            if link.is_readable():
                return
            selector.register(link.socket, selectors.EVENT_READ)
        selector.select(max(seconds, 0.0))
