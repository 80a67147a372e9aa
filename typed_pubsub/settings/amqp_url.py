"""``amqp://`` and ``amqps://`` URLs: what may follow the ``?``."""

import re
from urllib.parse import parse_qsl

#: Each the path of a PEM file; the names are those of kombu's Redis URLs.
TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_FORMS = f"expected only the options heartbeat=SECONDS and, with amqps://, {'=, '.join(TLS_OPTIONS)}="
_MAX_HEARTBEAT = 3_600


def split(url: str) -> tuple[str, dict[str, str]]:
    """One host's URL without its options, and those: paths, and the heartbeat.

    Raises:
        ValueError: an option that nobody knows, or a value that it cannot have; the text repeats nothing of the URL.
    """
    _refuse_unquoted(url)
    bare, _, query = url.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    known = {"heartbeat", *(TLS_OPTIONS if url.startswith("amqps") else ())}
    if query and (not options or not options.keys() <= known or not all(options.values())):
        raise ValueError(_FORMS)
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        raise ValueError("ssl_keyfile= needs ssl_certfile=")
    heartbeat = options.get("heartbeat", "1")
    if not heartbeat.isdecimal() or not 1 <= int(heartbeat[:9]) <= _MAX_HEARTBEAT:
        raise ValueError(f"expected a heartbeat of 1 to {_MAX_HEARTBEAT} seconds: without one a dead broker shows late")
    return bare, options


def _refuse_unquoted(url: str) -> None:
    # user:12/34@host is host user, port 12, virtual host 34@host: read so, it goes astray with half of a password.
    host, *rest = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)
    if ":" in host and ":" not in host.rpartition("@")[0] and any("@" in text for text in rest):
        raise ValueError("in user and password / is written %2F, ? %3F and # %23; in a virtual host @ is written %40")
