"""The subscriber of the service ``query``: the two lines at the end are all that a service needs.

The rest is the demo's: it writes down every outcome from the subscriber's log records, and, when it is told to, stops
at the worst moment: the tasks of a batch are confirmed, their events are not acknowledged. There it is killed.
"""

import logging
import os
import signal

from typed_pubsub import Subscriber
from typed_pubsub.demo.ledger import Ledger
from typed_pubsub.demo.query import config


class Outcomes(logging.Handler):
    """The subscriber logs one record a delivery, when it is settled and before it is acknowledged."""

    def __init__(self, stop_at: int) -> None:
        super().__init__()
        self._ledger = Ledger.of_this_demo()
        self._left = stop_at

    def emit(self, record: logging.LogRecord) -> None:
        outcome = getattr(record, "outcome", None)
        if outcome is None:
            if record.getMessage().startswith("consuming"):
                self._ledger.write("ready", pid=os.getpid())
            return
        fields = ("routing_key", "event_id", "task_ids")
        self._ledger.write("outcomes", outcome=outcome, **{name: getattr(record, name) for name in fields})
        self._left -= 1
        if self._left == 0:
            self._ledger.write("stuck", pid=os.getpid())
            signal.pause()


def main() -> None:
    logger = logging.getLogger("typed_pubsub")
    logger.setLevel(logging.INFO)
    logger.addHandler(Outcomes(int(os.environ.get("DEMO_STOP_AT", "-1"))))
    logger.addHandler(logging.StreamHandler())

    Subscriber(config).start()


if __name__ == "__main__":
    main()
