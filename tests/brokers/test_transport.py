"""Frames come out of what was read in any pieces; what is held back leaves in time, in its order."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from amqp.exceptions import UnexpectedFrame
from hypothesis import given
from hypothesis import strategies as st

from tests.support.amqp import TIMEOUT, linked
from tests.support.rabbit import eventually
from typed_pubsub.brokers.confirms import ConfirmChannel, Taken
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.brokers.transport import BufferedTCP
from typed_pubsub.brokers.waiting import wait_for_news

FRAMES = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 65_535), st.binary(max_size=200)), max_size=12)


class Pair:
    """A transport, and the broker's end of its connection."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.mine = socket.create_connection(server.getsockname())
            self.theirs, _ = server.accept()
        self.mine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for end in (self.mine, self.theirs):
            end.settimeout(TIMEOUT)
        self.transport = connected(self.mine)

    def close(self) -> None:
        self.mine.close()
        self.theirs.close()

    def came(self) -> bytes:
        """What has come by now."""
        self.theirs.setblocking(False)
        try:
            return self.theirs.recv(65_536)
        except BlockingIOError:
            return b""
        finally:
            self.theirs.settimeout(TIMEOUT)


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.close()


def connected(sock: socket.socket) -> Any:
    """A transport that uses a socket which is connected already."""
    kind: Any = BufferedTCP
    transport = kind("nowhere:1")
    transport.sock, transport.connected = sock, True
    transport._setup_transport()
    return transport


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


@given(frames=FRAMES, cuts=st.lists(st.integers(1, 60), max_size=40))
def test_frames_come_out_whole_however_they_were_cut(frames: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    pair = Pair()
    try:
        stream, found = b"".join(frame(*each) for each in frames), []
        while stream:
            size = cuts.pop() if cuts else len(stream)
            pair.theirs.sendall(stream[:size])
            stream = stream[size:]
            pair.transport.receive(TIMEOUT)
            while (each := pair.transport.take_frame()) is not None:
                found.append(each)
        assert found == frames
        assert not pair.transport.look()
    finally:
        pair.close()


def test_what_is_no_frame_is_an_error(pair: Pair) -> None:
    pair.theirs.sendall(frame(1, 1, b"payload")[:-1] + b"!")
    pair.transport.receive(TIMEOUT)
    with pytest.raises(UnexpectedFrame, match="0x21"):
        pair.transport.take_frame()


def test_a_whole_frame_that_was_read_with_another_is_news_without_a_look_at_the_socket(pair: Pair) -> None:
    pair.theirs.sendall(frame(1, 1, b"a") + frame(1, 1, b"b") + frame(1, 1, b"c")[:5])
    eventually(pair.transport.look)
    assert pair.transport.take_frame() == (1, 1, b"a")
    pair.mine.shutdown(socket.SHUT_RD)
    assert pair.transport.look()
    assert pair.transport.take_frame() == (1, 1, b"b")
    with pytest.raises(OSError, match="closed"):
        pair.transport.look()


def test_a_part_of_a_frame_is_no_news_and_a_look_does_not_wait(pair: Pair) -> None:
    assert not pair.transport.look()
    pair.theirs.sendall(frame(1, 1, b"c")[:5])
    pair.transport.receive(TIMEOUT)
    assert not pair.transport.look()
    with pytest.raises(TimeoutError):
        pair.transport.receive(0.01)
    assert pair.mine.gettimeout() == TIMEOUT


def test_a_connection_that_ends_is_told(pair: Pair) -> None:
    pair.theirs.close()
    with pytest.raises(OSError, match="closed"):
        pair.transport.receive(TIMEOUT)
    assert not pair.transport.connected


def wait_in_vain(transport: BufferedTCP) -> None:
    with pytest.raises(TimeoutError):
        transport.receive(0.001)


@pytest.mark.parametrize(
    "then",
    [
        pytest.param(lambda transport: transport.write(b"3"), id="another write"),
        pytest.param(lambda transport: transport.flush(), id="asked for"),
        pytest.param(wait_in_vain, id="a wait"),
    ],
)
@pytest.mark.alone
@pytest.mark.parametrize("pushed", [False, True], ids=["held", "given to the kernel"])
def test_what_is_held_back_leaves_before_anything_else(
    pair: Pair, then: Callable[[BufferedTCP], object], pushed: bool
) -> None:
    for part in (b"1", b"2"):
        pair.transport.hold(part)
        if pushed:
            pair.transport.push()
    assert pair.came() == b""
    assert pair.transport.held == (0 if pushed else 2)
    begun = time.monotonic()
    then(pair.transport)
    assert pair.theirs.recv(10).startswith(b"12")
    assert time.monotonic() - begun < 0.15, "it did not leave by the kernel's own clock"
    assert pair.transport.held == 0


def test_what_was_given_to_the_kernel_leaves_by_itself(pair: Pair) -> None:
    pair.transport.hold(b"1")
    pair.transport.push()
    begun = time.monotonic()
    assert pair.theirs.recv(10) == b"1"
    assert time.monotonic() - begun < 2


def test_publications_of_any_size_arrive_as_they_were(vhost_url: str) -> None:
    with linked(vhost_url) as link, linked(vhost_url) as other:
        channel = other.channel()
        queue, *_ = channel.queue_declare("", exclusive=True)
        confirming: ConfirmChannel[int] = ConfirmChannel(link)
        most = link.raw.frame_max - 8
        sizes = [0, 1, most - 1, most, most + 1, 3 * most]
        for number, size in enumerate(sizes):
            confirming.put(number, ReadyMessage(b"x" * size, {"message_id": str(number)}), "", queue)
        confirming.flush(TIMEOUT, lambda: None)
        assert confirming.take_outcomes() == dict.fromkeys(range(len(sizes)), Taken())
        found = [channel.basic_get(queue, no_ack=True) for _ in sizes]
        assert [(each.properties["message_id"], len(each.body or b"")) for each in found] == [
            (str(number), size) for number, size in enumerate(sizes)
        ]


def test_news_of_either_connection_end_the_wait_and_so_does_a_broken_one(vhost_url: str) -> None:
    with linked(vhost_url) as first, linked(vhost_url) as second:
        confirming: ConfirmChannel[int] = ConfirmChannel(second)
        begun = time.monotonic()
        wait_for_news([first, second], 0.05)
        assert time.monotonic() - begun >= 0.05
        confirming.put(1, ReadyMessage(b"", {}), "", "", mandatory=False)
        second.send_held()
        begun = time.monotonic()
        wait_for_news([first, second], TIMEOUT)
        assert second.is_readable()
        first.close()
        wait_for_news([first, second], TIMEOUT)
        assert time.monotonic() - begun < TIMEOUT / 2
