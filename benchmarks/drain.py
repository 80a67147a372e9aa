"""``python -m benchmarks.drain URL``: takes messages off queues and counts them, as cheaply as Python can.

It stands in for Celery's workers. What comes is not parsed: the frames are searched for what begins a delivery, for the
events' ids and for the times at which they were sent. It acknowledges, so persistent messages go the way they go with
real workers. Commands, a line each: ``QUEUE COUNT`` takes so many, then says what it found as JSON; ``stop`` ends it.
"""

import json
import re
import secrets
import select
import struct
import sys
import time
from typing import Any

import amqp

from benchmarks.broker import connect

_PREFETCH, _ACK_EVERY, _CHUNK, _OVERLAP = 1_000, 200, 1 << 20, 64
_ID = re.compile(rb"00000000-0000-0000-0000-([0-9a-f]{12})")
_STAMP = re.compile(rb"T(\d{16});")
#: Seconds for more than was expected to show up: a message that came twice.
_LINGER = 0.05


class Drain:
    """One consumer on a connection of its own, whose socket is read past py-amqp."""

    def __init__(self, url: str, queue: str) -> None:
        self.count = 0
        self.ids: set[bytes] = set()
        self.seconds: dict[bytes, float] = {}
        self.last = 0.0
        self._acked = 0
        self._overlap = b""
        self._connection = connect(url)
        channel: Any = self._connection.channel()
        tag = f"drain-{secrets.token_hex(8)}".encode()
        # basic.deliver, then the consumer tag: nothing else in the stream looks like it.
        self._begins = struct.pack(">HHB", 60, 60, len(tag)) + tag
        channel.basic_qos(0, _PREFETCH, False)  # noqa: FBT003  # py-amqp's signature
        self._number = channel.channel_id
        self._socket: Any = self._connection.transport.sock
        self._begin(channel, queue, tag.decode())

    def _begin(self, channel: Any, queue: str, tag: str) -> None:
        # The first deliveries may come in the same packet as the answer: from here on nothing but this class reads.
        channel.send_method(amqp.spec.Basic.Consume, "BssbbbbF", (0, queue, tag, False, False, False, False, None))
        left = self._connection.transport._read_buffer  # noqa: SLF001  # what py-amqp has read too much
        self._take(bytes(left))

    def wait(self, expected: int, timeout: float) -> None:
        """Takes messages until there are so many, and for a moment more."""
        deadline, limit = time.monotonic() + timeout, None
        while True:
            now = time.monotonic()
            if limit is None and self.count >= expected:
                limit = now + _LINGER
            until = deadline if limit is None else limit
            if now >= until:
                return
            if self.count > self._acked and not select.select([self._socket], [], [], 0)[0]:
                self._ack()
            if select.select([self._socket], [], [], until - now)[0]:
                read = self._socket.recv(_CHUNK)
                if not read:
                    return
                self._take(read)

    def close(self) -> None:
        """Acknowledges and closes."""
        self._ack()
        self._socket.close()

    def _take(self, read: bytes) -> None:
        now = time.monotonic()
        # What is cut in two by the end of a chunk is found in the next; no overlap is long enough to count twice.
        short = self._overlap[-(len(self._begins) - 1) :]
        found = (short + read).count(self._begins)
        if found:
            self.count += found
            self.last = now
        text = self._overlap + read
        self.ids.update(_ID.findall(text))
        for stamp in _STAMP.findall(text):
            if stamp not in self.seconds:
                self.seconds[stamp] = now - int(stamp) / 1e9
        self._overlap = text[-_OVERLAP:]
        if self.count - self._acked >= _ACK_EVERY:
            self._ack()

    def _ack(self) -> None:
        if self.count > self._acked:
            self._acked = self.count
            frame = struct.pack(">BHIHHQBB", 1, self._number, 13, 60, 80, self.count, 1, 0xCE)
            self._socket.sendall(frame)


def main() -> None:
    """Obeys the commands."""
    url = sys.argv[1]
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "stop":
            return
        queue, expected, timeout = line.split()
        drain = Drain(url, queue)
        print("draining", flush=True)
        drain.wait(int(expected), float(timeout))
        drain.close()
        found = {"count": drain.count, "distinct": len(drain.ids), "at": drain.last}
        print(json.dumps(found | {"took": sorted(drain.seconds.values())}), flush=True)


if __name__ == "__main__":
    main()
