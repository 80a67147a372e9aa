"""What the doctor says of the way to a broker: ports, names, TLS and certificates."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ops.examining import TIMEOUT, problems, service
from tests.support.certificates import Authority
from typed_pubsub import PubSubConfig
from typed_pubsub.brokers.addresses import event_addresses
from typed_pubsub.ops.doctor.lines import exit_code
from typed_pubsub.ops.doctor.network import look_at_network
from typed_pubsub.ops.doctor.service import examine


def test_a_port_where_nobody_listens_is_told_and_the_command_ends_with_3() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"amqp://guest:s3cret@127.0.0.1:{taken.getsockname()[1]}//"
        events, tasks = examine(service(url), TIMEOUT)
    assert [line.subject for line in problems(events)] == ["port"]
    assert "nobody listens" in problems(events)[0].text
    assert exit_code([events, tasks]) == 3


def test_of_several_hosts_one_that_is_away_is_a_problem_and_no_lost_connection(vhost_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = f"amqp://guest:guest@127.0.0.1:{taken.getsockname()[1]}//"
        found = list(examine(PubSubConfig(broker_url=f"{away};{vhost_url}", exchange="events"), TIMEOUT))
    assert [one.connected for one in found] == [False, True]
    assert exit_code(found) == 1


def test_a_host_that_nobody_knows_is_told() -> None:
    ((_, address),) = event_addresses("amqp://nowhere.invalid//")
    (line,) = look_at_network(address, TIMEOUT)
    assert (line.subject, line.verdict) == ("host", "problem")
    assert "nowhere.invalid is not known here" in line.text


@contextmanager
def tls_server(certificate: Path | None) -> Iterator[int]:
    """A port that shakes hands with this certificate, or, with none, takes connections and says something else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                accepted, _ = listening.accept()
                if certificate is None:
                    accepted.sendall(b"AMQP\x00\x00\x09\x01")
                else:
                    accepted = context.wrap_socket(accepted, server_side=True)
                accepted.close()
            except OSError:
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            thread.join(TIMEOUT)


@pytest.mark.parametrize(
    ("name", "days", "text", "fix"),
    [
        ("DNS:elsewhere.example", 30, "Hostname mismatch", "reach the broker by a name that its certificate has"),
        ("DNS:localhost", -1, "certificate has expired", "renew the certificate"),
        ("DNS:localhost", 2, "ends in 2 days", "renew it"),
    ],
)
def test_a_certificate_that_is_not_right_is_told(tmp_path: Path, name: str, days: int, text: str, fix: str) -> None:
    authority = Authority(tmp_path)
    with tls_server(authority.issue(name, days=days)) as port:
        url = f"amqps://guest:guest@localhost:{port}//?ssl_ca_certs={authority.path}"
        ((_, address),) = event_addresses(url)
        lines = list(look_at_network(address, TIMEOUT))
    (line,) = [line for line in lines if line.verdict == "problem"]
    assert text in line.text
    assert line.fix == fix


def test_a_certificate_that_is_right_tells_its_authority_and_its_end(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "the-authority")
    with tls_server(authority.issue("DNS:localhost", days=90)) as port:
        ((_, address),) = event_addresses(f"amqps://localhost:{port}//?ssl_ca_certs={authority.path}")
        said = {line.subject: line.text for line in look_at_network(address, TIMEOUT)}
    assert said["TLS"].startswith("TLSv1.")
    assert said["TLS"].endswith("the certificate is for localhost")
    assert said["certificate"].startswith("issued by the-authority, ends in ")


def test_an_unknown_authority_and_a_port_without_tls_are_told_apart(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    found = []
    for certificate in (authority.issue("DNS:localhost"), None):
        with tls_server(certificate) as port:
            ((_, address),) = event_addresses(f"amqps://localhost:{port}//")
            found.append(next(line for line in look_at_network(address, TIMEOUT) if line.verdict == "problem"))
    assert [line.text.partition(":")[0] for line in found] == ["the certificate is refused", "no handshake"]
    assert found[0].fix == "name the authority that issued it: ssl_ca_certs= in the URL"
    assert "is this the TLS port" in found[1].fix
