"""What one writes without a library: a ConsumerMixin, ``apply_async``, acknowledge. With some care.

A body that does not fit is rejected, a task that cannot be sent is requeued, SIGTERM is waited for. ``confirmed`` as
its argument: each task is sent with ``confirm_publish``, too.
"""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import kombu
import msgspec
from kombu.mixins import ConsumerMixin

from tests.faults.service import QUEUE, Happened, app, first, second


class HandWritten(ConsumerMixin):
    """The loop."""

    def __init__(self, connection: kombu.Connection) -> None:
        self.connection = connection

    def get_consumers(self, Consumer: Any, channel: Any) -> Sequence[Any]:  # noqa: N803  # kombu's signature
        """One consumer, with our prefetch."""
        queue = kombu.Queue(QUEUE, no_declare=True)
        return [Consumer([queue], on_message=self.on_message, prefetch_count=200)]

    def on_message(self, message: Any) -> None:
        """One event."""
        try:
            event = msgspec.json.decode(message.body, type=Happened)
        except msgspec.MsgspecError:
            message.reject()
            return
        try:
            first.apply_async((event.number,))
            if event.number % 2 == 0:
                second.apply_async((event.number,))
        except Exception:  # noqa: BLE001  # whatever it is, the event is not done
            message.requeue()
            return
        message.ack()

    def stop(self, *_: object) -> None:
        """As asked."""
        self.should_stop = True


if __name__ == "__main__":
    if "confirmed" in sys.argv:
        app.conf.broker_transport_options = {"confirm_publish": True}
    with kombu.Connection(os.environ["FAULTS_EVENTS"], heartbeat=30) as connection:
        loop = HandWritten(connection)
        signal.signal(signal.SIGTERM, loop.stop)
        loop.run()
