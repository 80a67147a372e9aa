"""Findings of the event broker: TP7xx."""

from collections.abc import Iterator

from typed_pubsub.brokers.survey import Refused, exchange_exists, queue_state
from typed_pubsub.brokers.topology import dead_letter_queue
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import ConnectFailed, MisconfigurationException
from typed_pubsub.ops.checks.rules import Finding, finding
from typed_pubsub.ops.connect import connected

_START = "a publisher makes the exchange, a subscriber all of it, when it starts"


def check_broker(config: PubSubConfig, timeout: float) -> Iterator[Finding]:
    """What is not at the broker of what the service declares."""
    try:
        missing = list(_missing(config, timeout))
    except (ConnectFailed, MisconfigurationException) as error:
        yield finding("TP701", "BROKER_URL", str(error), "'typed-pubsub doctor' looks closer")
        return
    for what, problem in missing:
        yield finding("TP702", what, problem, _START)


def _missing(config: PubSubConfig, timeout: float) -> Iterator[tuple[str, str]]:
    with connected(config.broker_url, timeout) as link:
        found = exchange_exists(link, config.exchange)
        if found is not True:
            yield f"exchange {config.exchange}", found.text if isinstance(found, Refused) else "there is none"
        if not config.queue_name:
            return
        for queue in (config.queue_name, dead_letter_queue(config.queue_name)):
            state = queue_state(link, queue)
            if state is None or isinstance(state, Refused):
                yield f"queue {queue}", "there is none" if state is None else state.text
