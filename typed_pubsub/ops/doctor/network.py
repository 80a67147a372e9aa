"""Below AMQP: the name, the port, and TLS with its certificate."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any

from typed_pubsub.brokers.addresses import Address
from typed_pubsub.ops.doctor.lines import Line, ok, problem

_DAY = 86_400.0
#: Days before the end of a certificate that are a problem.
SOON = 14.0


def look_at_network(address: Address, timeout: float) -> Iterator[Line]:
    """Host, port and TLS; what comes after a problem is not looked at."""
    line = _resolved(address)
    yield line
    if line.verdict == "ok":
        begun = time.monotonic()
        try:
            plain = socket.create_connection((address.host, address.port), timeout)
        except OSError as error:
            yield _unreachable(address, error)
            return
        with plain:
            yield ok("port", f"{address.port} answers within {(time.monotonic() - begun) * 1000:.0f} ms")
            if address.tls is not None:
                yield from _tls(address, address.tls, plain)


def _resolved(address: Address) -> Line:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        fix = "correct the host in the URL, or look at DNS and /etc/hosts"
        return problem("host", f"{address.host} is not known here: {error}", fix)
    numbers = sorted({str(one[4][0]) for one in found})
    return ok("host", f"{address.host} is {', '.join(numbers)}")


def _unreachable(address: Address, error: OSError) -> Line:
    if isinstance(error, ConnectionRefusedError):
        return problem("port", f"nobody listens on {address.port}", "is the broker running, and is this its port?")
    if isinstance(error, TimeoutError):
        return problem(
            "port", f"{address.port} does not answer", "is this the host, and does a firewall let it through?"
        )
    return problem("port", f"{address.port} cannot be reached: {error}", "look at the route to this host")


def _tls(address: Address, options: Mapping[str, Any], plain: socket.socket) -> Iterator[Line]:
    context = _context(options)
    name = str(options.get("server_hostname") or address.host)
    try:
        with context.wrap_socket(plain, server_hostname=name) as wrapped:
            version, cipher = wrapped.version(), wrapped.cipher()
            certificate = wrapped.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        yield problem("TLS", f"the certificate is refused: {error.verify_message}", _mend(error))
        return
    except (OSError, ValueError) as error:
        fix = (
            "is this the TLS port (5671 by default)? Another TLS version or a missing client certificate ends here too"
        )
        yield problem("TLS", f"no handshake: {error}", fix)
        return
    yield ok("TLS", f"{version}, {cipher[0] if cipher else 'no cipher'}, the certificate is for {name}")
    yield from _certificate(certificate)


def _certificate(found: Mapping[str, Any]) -> Iterator[Line]:
    issuer = dict(pair[0] for pair in found.get("issuer", ()))
    authority = issuer.get("organizationName") or issuer.get("commonName") or "an authority without a name"
    ends = found.get("notAfter")
    if not isinstance(ends, str):
        return
    days = (ssl.cert_time_to_seconds(ends) - time.time()) / _DAY
    told = f"issued by {authority}, ends in {days:.0f} days ({ends})"
    yield ok("certificate", told) if days > SOON else problem("certificate", told, "renew it")


def _context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """As py-amqp makes it of these options."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    wanted = options.get("cert_reqs", ssl.CERT_REQUIRED)
    context.check_hostname = bool(options.get("server_hostname")) and wanted != ssl.CERT_NONE
    context.verify_mode = wanted
    if options.get("ca_certs"):
        context.load_verify_locations(options["ca_certs"])
    else:
        context.load_default_certs()
    if options.get("certfile"):
        with contextlib.suppress(OSError):
            context.load_cert_chain(options["certfile"], options.get("keyfile"), password="")
    return context


def _mend(error: ssl.SSLCertVerificationError) -> str:
    text = error.verify_message.lower()
    if "mismatch" in text:
        return "reach the broker by a name that its certificate has"
    if "expired" in text:
        return "renew the certificate"
    return "name the authority that issued it: ssl_ca_certs= in the URL"
