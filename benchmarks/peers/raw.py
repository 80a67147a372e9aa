"""The floor: what plain py-amqp can do at best, with nothing on top. Nothing is decoded, one message a delivery.

Deliveries go out again as they come, the body of the event between the ends of a Celery task's, the properties and
the arguments of ``basic.publish`` serialized once. Confirms and deliveries are both numbered from one, so what is
confirmed up to a number is acknowledged up to it, a batch at a time, while the next is under way.
"""

import select
from typing import Any

import amqp
from amqp import spec
from amqp.serialization import dumps

from benchmarks.broker import EVENTS, TASKS, connect
from benchmarks.program import Job, run

BATCH = 100
BODY = (b'[["', b'"], {"title": "x"}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]')
#: About what Celery writes.
HEADERS: dict[str, Any] = {
    "lang": "py", "task": "bench.tasks.execute", "id": "0" * 36, "shadow": None, "eta": None, "expires": None,
    "group": None, "group_index": None, "retries": 0, "timelimit": [None, None], "root_id": "0" * 36,
    "parent_id": None, "argsrepr": "x" * 48, "kwargsrepr": "x" * 100, "origin": "gen1234@hostname",
    "ignore_result": True, "replaced_task_nesting": 0, "stamped_headers": None, "stamps": {},
}  # fmt: skip


def _serialized(message: Any) -> Any:
    return message._serialize_properties()  # noqa: SLF001  # what py-amqp calls for every message


class Prepared(amqp.basic_message.Message):
    """A message whose properties are bytes already."""

    bytes_of_them = _serialized(
        amqp.basic_message.Message(
            application_headers=HEADERS, content_type="application/json", content_encoding="utf-8", delivery_mode=2
        )
    )

    def _serialize_properties(self) -> Any:
        return self.bytes_of_them


class HandOff:
    """Consumes, publishes confirmed and mandatory, acknowledges."""

    def __init__(self, job: Job) -> None:
        self._consuming, self._sending = connect(job.url), connect(job.url)
        self._deliveries = self._consuming.channel()
        self._deliveries.auto_decode = False
        self._tasks = self._sending.channel()
        self._tasks.confirm_select()
        self._tasks.events["basic_ack"].add(self._on_confirm)
        self._arguments = dumps("Bssbb", (0, "", TASKS, True, False))
        self._written = self._confirmed = 0
        self._early: set[int] = set()
        self._deliveries.basic_qos(0, job.prefetch, False)  # noqa: FBT003  # py-amqp's signature
        self._deliveries.basic_consume(EVENTS, callback=self._on_delivery)

    def run(self) -> None:
        """Until it is killed: what has come, then its confirms, then one ack for all."""
        read, read_confirms = self._consuming.drain_events, self._sending.drain_events
        # A blocking socket that is asked first: with a timeout on it each of py-amqp's reads is two system calls.
        more = select.poll()
        more.register(self._consuming.transport.sock, select.POLLIN)
        acknowledged = 0
        while True:
            read()
            while self._written - acknowledged < BATCH and more.poll(0):
                read()
            while self._confirmed < self._written:
                read_confirms()
            self._deliveries.basic_ack(self._written, multiple=True)
            acknowledged = self._written

    def _on_delivery(self, message: Any) -> None:
        self._written += 1
        prepared = Prepared(BODY[0] + message.body + BODY[1])
        self._sending.frame_writer(1, self._tasks.channel_id, spec.Basic.Publish, self._arguments, prepared)

    def _on_confirm(self, tag: int, multiple: bool) -> None:  # noqa: FBT001  # py-amqp's callback
        if multiple:
            self._confirmed = max(self._confirmed, tag)
            self._early = {one for one in self._early if one > tag}
        else:
            self._early.add(tag)
        while self._confirmed + 1 in self._early:
            self._confirmed += 1
            self._early.discard(self._confirmed)


def hand_off(job: Job) -> None:
    """The floor."""
    HandOff(job).run()


if __name__ == "__main__":
    run({"hand_off": hand_off})
