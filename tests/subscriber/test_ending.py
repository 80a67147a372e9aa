"""How a subscriber's process ends on a signal."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.subscriber.kit import EXCHANGE, QUEUE
from tests.support.amqp import message, send, take_all, wait_for_count
from tests.support.children import Child
from tests.support.proxy import Proxy

SERVICE = """
import logging, sys
from celery import Celery
from typed_pubsub import ConnectFailed, PubSubConfig, Subscriber

logging.basicConfig(level="INFO", stream=sys.stdout)
row = {"routing_key": "#", "task": "t", "should_schedule": lambda k, b: True, "get_args": lambda k, b: ([], {})}
events, celery, timeout = sys.argv[1:]
config = PubSubConfig([row], lambda: Celery(broker=celery), events, "an_exchange", "a_queue",
                      drain_timeout=float(timeout))
Subscriber(config).start()
print("returned", flush=True)
"""
Serve = Callable[..., Child]


@pytest.fixture
def serve(tmp_path: Path, vhost_url: str) -> Serve:
    (tmp_path / "service.py").write_text(SERVICE)

    def started(celery: str = vhost_url, drain_timeout: float = 10.0) -> Child:
        return Child("service.py", vhost_url, celery, str(drain_timeout), cwd=tmp_path)

    return started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_settles_what_is_in_hand_and_ends_it_well(
    serve: Serve, vhost_url: str, number: signal.Signals
) -> None:
    with Proxy(vhost_url) as celery, serve(celery.url) as child:
        child.wait_for("consuming")
        send(vhost_url, EXCHANGE, "a.key", message(b"{}"))
        child.wait_for("scheduled")
        celery.hold_down()
        send(vhost_url, EXCHANGE, "a.key", message(b"{}"))
        wait_for_count(vhost_url, "celery", 2)
        child.signal(number)
        celery.release()
        assert child.wait() == 0
        assert child.stdout[-1] == "returned"
    assert take_all(vhost_url, QUEUE) == []
    assert len(take_all(vhost_url, "celery")) == 2


@contextmanager
def celerys_broker_away(serve: Serve, vhost_url: str, drain_timeout: float) -> Iterator[Child]:
    """A subscriber with an event in hand that it cannot hand off; when it has ended, the event is back in its queue."""
    with Proxy(vhost_url) as celery, serve(celery.url, drain_timeout) as child:
        child.wait_for("consuming")
        celery.close()
        send(vhost_url, EXCHANGE, "a.key", message(b"{}"))
        child.wait_for("Celery's broker")
        yield child
    wait_for_count(vhost_url, QUEUE, 1)


def test_a_signal_while_celerys_broker_is_away_ends_it_within_the_drain_timeout(serve: Serve, vhost_url: str) -> None:
    with celerys_broker_away(serve, vhost_url, 1.5) as child:
        begun = time.monotonic()
        assert child.terminate() == 0
        assert time.monotonic() - begun < 5
        assert child.stdout[-1] == "returned"


def test_a_second_signal_ends_it_at_once(serve: Serve, vhost_url: str) -> None:
    with celerys_broker_away(serve, vhost_url, 60.0) as child:
        child.signal(signal.SIGTERM)
        child.wait_for("stopping")
        child.signal(signal.SIGTERM)
        assert child.wait() == 128 + signal.SIGTERM
