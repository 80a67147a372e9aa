"""Connecting within a deadline, TLS with the host name checked, and no secret in what is said of it."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from amqp.exceptions import ConnectionForced

from tests.support.amqp import linked
from tests.support.proxy import Proxy
from tests.support.rabbit import eventually
from typed_pubsub import ConnectFailed, MisconfigurationException, PubSubConfig
from typed_pubsub.brokers.connection import FAULTS, Link, describe
from typed_pubsub.brokers.event_broker import EventBroker, event_connection, masked, unencrypted_hosts
from typed_pubsub.brokers.transport import NoAnswer
from typed_pubsub.ops.connect import require_broker
from typed_pubsub.testing.nodes import RabbitMQNode


@contextmanager
def black_hole() -> Iterator[int]:
    """A port where the kernel takes connections and nobody ever says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener.getsockname()[1]


@pytest.mark.alone
@pytest.mark.parametrize("scheme", ["amqp", "amqps"])
def test_connecting_to_a_black_hole_gives_up_within_the_timeout(scheme: str) -> None:
    with black_hole() as port:
        begun = time.monotonic()
        with pytest.raises(NoAnswer):
            Link(event_connection(f"{scheme}://127.0.0.1:{port}//"), timeout=2.0)
        assert time.monotonic() - begun < 2.2


@contextmanager
def firewall() -> Iterator[int]:
    """A port where the kernel drops what would connect: its queue of connections is full."""
    with ExitStack() as held:
        listener = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        where = listener.getsockname()
        with suppress(TimeoutError):
            while True:
                held.enter_context(socket.create_connection(where, timeout=0.3))
        yield where[1]


def refusal(url: str) -> str:
    """Why a command gets no connection; empty: it gets one."""
    try:
        require_broker(PubSubConfig(broker_url=url, exchange="events", publish_timeout=1.0))
    except ConnectFailed as error:
        return str(error)
    return ""


def test_a_broker_that_does_not_answer_is_told_apart_from_a_firewall() -> None:
    with black_hole() as port:
        assert "it takes connections but does not answer" in refusal(f"amqp://127.0.0.1:{port}//")
    with firewall() as port:
        assert refusal(f"amqp://127.0.0.1:{port}//").endswith("is this the host, and does a firewall let it through?")


def test_a_broker_that_is_frozen_takes_connections_and_does_not_answer(rabbitmq: RabbitMQNode, vhost_url: str) -> None:
    with rabbitmq.paused():
        # Its threads do not stop all at once.
        assert "it takes connections but does not answer" in eventually(lambda: refusal(vhost_url))
    assert eventually(lambda: refusal(vhost_url) == "")


def test_a_port_where_nobody_listens_is_refused_at_once() -> None:
    with black_hole() as port:
        pass
    begun = time.monotonic()
    with pytest.raises(ConnectionRefusedError):
        Link(event_connection(f"amqp://127.0.0.1:{port}//"), timeout=30.0)
    assert time.monotonic() - begun < 10


def test_a_call_that_nobody_answers_ends_at_the_limit(vhost_url: str) -> None:
    with Proxy(vhost_url) as proxy, linked(proxy.url) as link:
        proxy.hold_down()
        link.limit(0.5)
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            link.channel()
        assert 0.4 < time.monotonic() - begun < 5


def test_draining_tells_of_nothing_new_and_raises_for_a_broken_connection(vhost_url: str) -> None:
    with Proxy(vhost_url) as proxy, linked(proxy.url) as link:
        assert not link.drain(0)
        proxy.cut()
        with pytest.raises(FAULTS):
            eventually(lambda: link.drain(0.1) and None)
        link.close()
        with pytest.raises(FAULTS):
            link.drain(0.1)
        with pytest.raises(FAULTS):
            link.limit(1)


def test_closing_does_not_wait_for_a_broker_that_does_not_answer(vhost_url: str) -> None:
    with Proxy(vhost_url) as proxy, linked(proxy.url) as link:
        proxy.hold_down()
        begun = time.monotonic()
        link.close(timeout=0.3)
        assert time.monotonic() - begun < 3
        assert not link.raw.connected


def test_a_connection_that_the_broker_closes_is_a_fault(rabbitmq: RabbitMQNode, vhost_url: str) -> None:
    with linked(vhost_url) as link:
        rabbitmq.ctl("close_all_connections", "--vhost", vhost_url.rpartition("/")[2], "a reason")
        with pytest.raises(ConnectionForced, match="a reason"):
            eventually(lambda: link.drain(1) and None)


def test_after_a_failure_the_next_host_of_the_url_is_tried(vhost_url: str) -> None:
    with black_hole() as port:
        pass
    broker = EventBroker(f"amqp://guest:guest@127.0.0.1:{port}//;{vhost_url}")
    with pytest.raises(FAULTS):
        broker.connect(10.0)
    broker.connect(10.0).close()
    broker.connect(10.0).close()


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("amqp://user:secret@host/vhost", "amqp://user:**@host/vhost"),
        ("amqp://user:se@cr/et#@host/vhost", "amqp://user:**@host/vhost"),
        ("amqp://us/er:secret@host//", "amqp://us/er:**@host//"),
        ("amqp://:secret@host//", "amqp://:**@host//"),
        ("amqp://host/vhost", "amqp://host/vhost"),
        ("amqp://user:secret@a//;amqps://user:secret@b//", "amqp://user:**@a//;amqps://user:**@b//"),
        ("amqp://user:sec;ret@a//", "amqp://user:**@a//"),
        ("amqp://user:sec;amqp://ret@a//", "**;amqp://ret@a//"),
        ("amqp://me@corp:secret@host//", "amqp://me@corp:**@host//"),
        ("amqp://user@[::1]:5672/vhost", "amqp://user@[::1]:5672/vhost"),
        ("amqps://user:secret@host//?ssl_certfile=secret", "amqps://user:**@host//?**"),
        ("amqp://user:sec?ret@host//", "**"),
        ("user:secret@host", "**"),
        ("amqp://user:secret", "**"),
    ],
)
def test_a_masked_url_has_no_password(url: str, safe: str) -> None:
    assert masked(url) == safe


def test_a_url_that_cannot_be_read_is_told_without_its_password() -> None:
    with pytest.raises(MisconfigurationException, match="BROKER_URL cannot be read") as raised:
        EventBroker("amqp://user:secret@host:no-port//")
    assert "secret" not in str(raised.value)
    assert raised.value.__context__ is None


OPTIONS = "expected only the options heartbeat=SECONDS and, with amqps://, ssl_ca_certs=, ssl_certfile=, ssl_keyfile="
UNQUOTED = "in user and password / is written %2F, ? %3F and # %23; in a virtual host @ is written %40"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("amqp://h//?ssl_ca_certs=/a.pem", OPTIONS),
        ("amqps://h//?ssl_cert_reqs=CERT_NONE", OPTIONS),
        ("amqps://h//?ssl_check_hostname=false", OPTIONS),
        ("amqps://h//?ssl_ca_certs=", OPTIONS),
        ("amqps://h//?ssl_ca_certs", OPTIONS),
        ("amqps://h//?ssl_keyfile=/a.pem", "ssl_keyfile= needs ssl_certfile="),
        ("amqp://a//;amqp://b//?transport=redis", OPTIONS),
        ("amqp://h//?heartbeat=0", "expected a heartbeat of 1 to 3600 seconds: without one a dead broker shows late"),
        ("amqp://h//?heartbeat=x", "expected a heartbeat of 1 to 3600 seconds: without one a dead broker shows late"),
        ("amqp://user:12/34@host//", UNQUOTED),
        ("amqp://user:12?34=5@host//", UNQUOTED),
        ("amqp://user:#34@host//", UNQUOTED),
    ],
)
def test_a_url_that_would_be_read_as_something_else_is_a_setting_refused(url: str, problem: str) -> None:
    with pytest.raises(MisconfigurationException) as raised:
        PubSubConfig(broker_url=url, exchange="events")
    assert str(raised.value) == f"PubSubConfig: BROKER_URL: {problem}"
    with pytest.raises(MisconfigurationException) as raised:
        EventBroker(url)
    assert str(raised.value) == f"BROKER_URL: {problem}"


def test_the_host_name_that_is_checked_is_that_of_the_url_and_a_heartbeat_may_be_given() -> None:
    for host, name in (("localhost", "localhost"), ("127.0.0.1", "127.0.0.1"), ("", "localhost"), ("[::1]", "::1")):
        described = event_connection(f"amqps://{host}//?heartbeat=7")
        assert described.ssl == {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": name}
        assert described.heartbeat == 7
    assert event_connection("amqp://u:p@h:5672/v@x").ssl is False


def test_a_host_name_that_no_resolver_takes_cannot_be_read() -> None:
    for host in ("a..b", ".example", "a" * 64):
        with pytest.raises(MisconfigurationException, match="BROKER_URL cannot be read"):
            EventBroker(f"amqp://{host}//")


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("amqp://user:pw@rabbit.example:5672//", ["rabbit.example"]),
        ("amqp://10.0.0.1//;amqps://b.example//;pyamqp://c.example//", ["10.0.0.1", "c.example"]),
        ("amqps://rabbit.example//", []),
        ("amqp://localhost//;amqp://127.0.0.53//;amqp://[::1]//;amqp://", []),
    ],
)
def test_hosts_reached_in_plain_text_are_named(url: str, hosts: list[str]) -> None:
    assert unencrypted_hosts(url) == hosts


def test_a_fault_is_described_in_one_line() -> None:
    assert describe(TimeoutError()) == "TimeoutError"
    assert describe(OSError(110, "timed out")) == "TimeoutError: [Errno 110] timed out"


class TlsListener:
    """Does the TLS handshake of a server with a self-signed certificate, and remembers how each ended."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.handshakes: list[bool] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(10)
                try:
                    with self._context.wrap_socket(client, server_side=True) as secured:
                        self.handshakes.append(secured.recv(8) == b"AMQP\x00\x00\x09\x01")
                except OSError:
                    self.handshakes.append(False)


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], TlsListener]]:
    """Starts a listener whose certificate, trusted by this process, is for a name."""
    listeners: list[TlsListener] = []

    def serve(name: str) -> TlsListener:
        certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
        files = ["-keyout", str(key), "-out", str(certificate), "-addext", f"subjectAltName={name}"]
        subprocess.run([*command.split(), *files], check=True, capture_output=True)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        listeners.append(TlsListener(certificate, key))
        return listeners[-1]

    yield serve
    for listener in listeners:
        listener.close()


def test_amqps_accepts_the_certificate_of_the_host_itself(serving: Callable[[str], TlsListener]) -> None:
    listener = serving("IP:127.0.0.1")
    with pytest.raises(FAULTS):  # the listener speaks no AMQP
        Link(event_connection(f"amqps://127.0.0.1:{listener.port}//"), timeout=20.0)
    assert eventually(lambda: listener.handshakes) == [True]


def test_amqps_refuses_a_certificate_for_another_host(serving: Callable[[str], TlsListener]) -> None:
    listener = serving("DNS:wrong.example")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.1"):
        Link(event_connection(f"amqps://127.0.0.1:{listener.port}//"), timeout=20.0)
    assert eventually(lambda: listener.handshakes) == [False]


def test_amqps_refuses_a_certificate_that_nobody_vouches_for(
    serving: Callable[[str], TlsListener], monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = serving("IP:127.0.0.1")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        Link(event_connection(f"amqps://127.0.0.1:{listener.port}//"), timeout=20.0)


@pytest.mark.alone
def test_a_wait_ends_in_time_though_heartbeats_keep_coming(vhost_url: str) -> None:
    link = Link(event_connection(f"{vhost_url}?heartbeat=1"), timeout=10.0)
    try:
        assert link.raw.heartbeat == 1
        begun = time.monotonic()
        assert link.drain(1.6) is False
        assert 1.6 <= time.monotonic() - begun < 1.9
        link.beat()
        channel = link.channel()
        link.limit(1.6)
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            # An answer that never comes: nobody has asked.
            channel.wait([(50, 11)])
        assert 1.6 <= time.monotonic() - begun < 1.9
    finally:
        link.close()


def test_a_certificate_that_is_missing_for_a_moment_is_a_fault_that_passes(tmp_path: Path) -> None:
    authorities = tmp_path / "ca.pem"
    with pytest.raises(MisconfigurationException):
        EventBroker(f"amqps://localhost//?ssl_ca_certs={tmp_path}/none.pem")
    bundle = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    authorities.write_text(Path(bundle).read_text())
    broker = EventBroker(f"amqps://localhost//?ssl_ca_certs={authorities}")
    authorities.unlink()
    with pytest.raises(ConnectionError, match="ssl_ca_certs"):
        broker.connect(1.0)
