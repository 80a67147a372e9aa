"""A RabbitMQ with TLS: reached with a certificate that is right, refused with any other, and the error says why."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisError

from tests.conftest import need
from tests.support.certificates import Authority
from tests.support.rabbit import eventually, get
from tests.support.services import celery_app, running
from typed_pubsub import MisconfigurationException, Publisher, PublishFailed, PubSubConfig, TaskMapping
from typed_pubsub.brokers.connection import describe
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.ops.doctor.service import examine
from typed_pubsub.tasks.task_outlet import AmqpTaskOutlet, task_outlet
from typed_pubsub.testing.nodes import RabbitMQNode, RedisNode, rabbitmq_available, redis_available

pytestmark = [pytest.mark.broker, pytest.mark.xdist_group("tls")]

WRONG_NAME = "Hostname mismatch, certificate is not valid for 'localhost'"
UNKNOWN = "self-signed certificate in certificate chain"
NOBODY = "amqps://guest:guest@localhost:1//"


class Server:
    """The node, and the certificate that it shows from the next connection on."""

    def __init__(self, node: RabbitMQNode, authority: Authority, shown: Path) -> None:
        self.node = node
        self.authority = authority
        self._shown = shown

    def show(self, name: str, *, days: int = 2) -> str:
        """Shows a certificate for a name; the URL of ``localhost`` with the authority that issued it."""
        certificate = self.authority.issue(name, days=days).read_text()
        self._shown.write_text(certificate)
        return f"{self.url}?ssl_ca_certs={self.authority.path}"

    @property
    def url(self) -> str:
        return f"amqps://guest:guest@localhost:{self.node.tls_port}//"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    need(rabbitmq_available())
    directory = tmp_path_factory.mktemp("tls")
    authority = Authority(directory)
    shown = directory / "shown.pem"
    shown.write_text(authority.issue("DNS:localhost").read_text())
    # A client may show a certificate too.
    settings = {
        "ssl_options.cacertfile": str(authority.path),
        "ssl_options.verify": "verify_peer",
        "ssl_options.fail_if_no_peer_cert": "false",
    }
    with RabbitMQNode(certificate=shown, settings=settings) as node:
        yield Server(node, authority, shown)


def publish(url: str, *, timeout: float = 2.0) -> str:
    config = PubSubConfig(broker_url=url, exchange="events", publish_timeout=timeout, unroutable="ignore")
    with Publisher(config) as publisher:
        return publisher.publish_event("a.key", {"a": 1})


def refusal(url: str) -> str:
    """What a publisher and a subscriber's connection say of the broker: the same."""
    with pytest.raises(PublishFailed) as failed:
        publish(url)
    assert failed.value.confirmed == 0
    assert len(failed.value.unsent) == 1, "not a byte of the event was written"
    with pytest.raises(ssl.SSLError) as refused:
        EventBroker(url).connect(20.0)
    said = describe(refused.value)
    assert said in str(failed.value)
    return said


def test_the_right_name_from_a_known_authority_is_published_to(server: Server) -> None:
    url = server.show("DNS:localhost")
    publish(url, timeout=20.0)
    link = EventBroker(url).connect(20.0)
    assert link.raw.sock.version() in {"TLSv1.2", "TLSv1.3"}
    link.close()


def test_events_and_tasks_go_over_tls_from_end_to_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.show("DNS:localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority.path))
    row = {
        "routing_key": "a.key",
        "task": "a.task",
        "should_schedule": lambda _key, _body: True,
        "get_args": lambda _key, body: ([body["a"]], {}),
    }
    config = PubSubConfig(TaskMapping().add_legacy([row]), lambda: celery_app(server.url), server.url, "events", "q")
    with running(config) as subscriber:
        with Publisher(config) as publisher:
            ids = [publisher.publish_event("a.key", {"a": "x" * 20_000 * number}) for number in range(4)]
        eventually(lambda: subscriber.outcomes.get("scheduled") == len(ids))
        listed = server.node.ctl("list_connections", "ssl").split()
        assert set(listed) - {"ssl"} == {"true"}
    assert [get(server.url, "celery").headers["ce-id"] for _ in ids] == ids


def test_a_certificate_for_another_name_is_refused(server: Server) -> None:
    assert WRONG_NAME in refusal(server.show("DNS:wrong.example"))


def test_a_name_is_not_its_address(server: Server) -> None:
    url = server.show("DNS:localhost").replace("localhost", "127.0.0.1")
    assert "IP address mismatch, certificate is not valid for '127.0.0.1'" in refusal(url)
    publish(server.show("IP:127.0.0.1").replace("localhost", "127.0.0.1"), timeout=20.0)


def test_an_unknown_authority_is_refused(server: Server, tmp_path: Path) -> None:
    server.show("DNS:localhost")
    assert UNKNOWN in refusal(server.url)
    assert "certificate verify failed" in refusal(f"{server.url}?ssl_ca_certs={Authority(tmp_path).path}")


def test_an_expired_certificate_is_refused(server: Server) -> None:
    assert "certificate has expired" in refusal(server.show("DNS:localhost", days=-1))


def test_a_port_without_tls_is_told_as_such(server: Server) -> None:
    said = refusal(f"amqps://guest:guest@localhost:{server.node.port}//")
    assert "WRONG_VERSION_NUMBER" in said
    assert said.endswith(": this port does not speak TLS, or amqps:// is meant to be amqp://")


def test_the_next_host_is_checked_by_its_own_name(server: Server) -> None:
    url = server.show("IP:127.0.0.1").replace("localhost", "127.0.0.1")
    publish(f"{NOBODY};{url}", timeout=20.0)
    # The other way round: the first host's certificate is no good for the second.
    url = server.show("DNS:localhost")
    wrong = url.replace("localhost", "127.0.0.1")
    with pytest.raises(PublishFailed, match="not confirmed within 2 s"):
        publish(f"{NOBODY};{wrong}")
    publish(f"{wrong};{url}", timeout=20.0)


def test_a_client_may_show_a_certificate_of_its_own(server: Server) -> None:
    url = server.show("DNS:localhost")
    client = server.authority.issue("DNS:client.example", subject="a-service")
    link = EventBroker(f"{url}&ssl_certfile={client}").connect(20.0)
    assert "CN=a-service" in eventually(lambda: server.node.ctl("list_connections", "peer_cert_subject"))
    link.close()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("ssl_ca_certs=/no/such.pem", "ssl_ca_certs: no certificates can be read from this file: [Errno 2]"),
        ("ssl_ca_certs=/etc/hostname", "ssl_ca_certs: no certificates can be read from this file: "),
        ("ssl_certfile=/etc/hostname", "ssl_certfile, ssl_keyfile: no certificate with its key can be read: "),
    ],
)
def test_a_file_that_is_none_is_told_before_anything_is_connected(options: str, problem: str) -> None:
    with pytest.raises(MisconfigurationException) as raised:
        Publisher(PubSubConfig(broker_url=f"amqps://u:s3cret@h//?{options}", exchange="events"))
    assert str(raised.value).startswith(f"BROKER_URL: {problem}")


def outlet(url: str, use_ssl: Any = None) -> AmqpTaskOutlet[int]:
    app = celery_app(url)
    app.conf.broker_use_ssl = use_ssl
    return AmqpTaskOutlet(app)


def is_reached(tasks: AmqpTaskOutlet[int]) -> bool:
    tasks.open(20.0)
    tasks.close()
    return True


@pytest.fixture
def trusted(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Shows a certificate that this process trusts; the URL as a Celery app has it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority.path))
    return lambda name: server.show(name).partition("?")[0]


@pytest.mark.parametrize("use_ssl", [None, False, True])
def test_celerys_broker_is_checked_by_its_name_where_the_app_says_no_more(
    trusted: Callable[[str], str], use_ssl: bool | None
) -> None:
    url = trusted("DNS:localhost")
    tasks = outlet(url, use_ssl)
    assert is_reached(tasks)
    assert is_reached(tasks), "and again, by the same name"
    assert is_reached(outlet(url.replace("amqps", "amqp"), use_ssl=True))
    url = trusted("DNS:wrong.example")
    with pytest.raises(ssl.SSLCertVerificationError, match=WRONG_NAME):
        outlet(url, use_ssl).open(20.0)
    with pytest.raises(ssl.SSLCertVerificationError, match=WRONG_NAME):
        outlet(url.replace("amqps", "amqp"), use_ssl=True).open(20.0)


def test_what_the_app_says_of_tls_is_honoured(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    server.show("DNS:wrong.example")
    chain: dict[str, Any] = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": str(server.authority.path)}
    assert is_reached(outlet(server.url, {"cert_reqs": ssl.CERT_NONE}))
    assert is_reached(outlet(server.url, chain))
    assert is_reached(outlet(server.url, {**chain, "server_hostname": "wrong.example"}))
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate is not valid for '127"):
        # kombu's own way to ask for the URL's host name.
        outlet(server.url, {**chain, "server_hostname": None}).open(20.0)
    with pytest.raises(ssl.SSLCertVerificationError, match=UNKNOWN):
        outlet(server.url, {"cert_reqs": ssl.CERT_REQUIRED}).open(20.0)


def test_each_of_celerys_hosts_is_checked_by_its_own_name(trusted: Callable[[str], str]) -> None:
    for name, here in (("DNS:localhost", "localhost"), ("IP:127.0.0.1", "127.0.0.1")):
        url = trusted(name).replace("localhost", here)
        other = NOBODY.replace("localhost", "127.0.0.1" if here == "localhost" else "localhost")
        tasks = outlet(f"{other};{url}")
        with pytest.raises(ConnectionRefusedError):
            tasks.open(20.0)
        assert is_reached(tasks)
        assert is_reached(tasks)


def test_redis_is_checked_too_unless_the_url_or_the_app_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(redis_available())
    authority = Authority(tmp_path)

    def reach(url: str, use_ssl: Any = None) -> None:
        app = celery_app(url)
        app.conf.broker_use_ssl = use_ssl
        tasks = task_outlet(app)
        tasks.open(10.0)
        tasks.close()

    with RedisNode(certificate=authority.issue("DNS:localhost")) as node:
        url, other = (f"rediss://{host}:{node.tls_port}/0" for host in ("localhost", "127.0.0.1"))
        with pytest.raises(RedisError, match="certificate verify failed"):
            reach(url)
        reach(f"{other}?ssl_cert_reqs=none")
        reach(other, {"ssl_cert_reqs": "none"})
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        reach(url)
        with pytest.raises(RedisError, match="certificate is not valid for '127"):
            reach(other)


def test_the_doctor_goes_all_the_way_by_tls_and_tells_of_the_certificate(server: Server) -> None:
    config = PubSubConfig(broker_url=server.show("DNS:localhost", days=90), exchange="events")
    (found,) = examine(config, 20.0)
    said = {line.subject: line.verdict for line in found.lines}
    assert found.connected
    assert [said[name] for name in ("TLS", "certificate", "login", "round trip")] == ["ok"] * 4


def test_the_doctor_stops_at_a_certificate_for_another_host(server: Server) -> None:
    config = PubSubConfig(broker_url=server.show("DNS:elsewhere.example"), exchange="events")
    (found,) = examine(config, 20.0)
    assert not found.connected
    assert found.lines[-1].subject == "TLS"
    assert WRONG_NAME in found.lines[-1].text
