"""RabbitMQ's management API, read: what AMQP cannot tell, above all which bindings there are."""

import base64
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import msgspec

from typed_pubsub.events.shapes import is_mapping

#: Seconds for each answer.
TIMEOUT = 5.0
_PORTS = {"amqp": ("http", 15672), "amqps": ("https", 15671)}
_MAX_BYTES = 64 * 1024 * 1024
_NOT_FOUND = 404
_ADVICE = {
    401: "user name or password are wrong, or the user has no tag 'management'",
    403: "the user may not see this virtual host",
}


class Unreachable(Exception):
    """The API gives no answer; the text says why and holds no password."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:  # noqa: ARG002, PLR0917
        # The password would go wherever the answer says.
        return


@dataclass(frozen=True, slots=True)
class Management:
    """The API at ``base`` (a URL without user and password), for one virtual host."""

    base: str
    vhost: str
    user: str
    password: str

    def __repr__(self) -> str:
        """Without the password."""
        return f"Management({self.base!r})"

    def require(self, cluster: str | None) -> None:
        """Makes sure that it answers, and for the cluster of this name, where one is known. Raises Unreachable."""
        found = self._get("overview")
        if not is_mapping(found) or "rabbitmq_version" not in found:
            raise Unreachable(f"what answers at {self.base} is no management API")
        name = found.get("cluster_name")
        if cluster is not None and name != cluster:
            raise Unreachable(f"the management API at {self.base} is of another cluster: {name!r}, not {cluster!r}")

    def queue(self, name: str) -> Mapping[str, Any] | None:
        """What it says of a queue; None: there is none. Raises Unreachable."""
        found: Mapping[str, Any] | None = self._get("queues", self.vhost, name)
        return found

    def exchange(self, name: str) -> Mapping[str, Any] | None:
        """What it says of an exchange; None: there is none. Raises Unreachable."""
        found: Mapping[str, Any] | None = self._get("exchanges", self.vhost, name)
        return found

    def bindings(self, queue: str) -> list[Mapping[str, Any]]:
        """What it says of the bindings of a queue that exists. Raises Unreachable."""
        found = self._get("queues", self.vhost, queue, "bindings")
        return [] if found is None else found

    def _get(self, *path: str) -> Any:
        where = "/".join(quote(part, safe="") for part in path)
        request = urllib.request.Request(f"{self.base}/api/{where}")  # noqa: S310  # http or https: management_of
        secret = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
        try:
            return msgspec.json.decode(self._read(request))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == _NOT_FOUND:
                return None
            told = _ADVICE.get(error.code, str(error.reason))
            raise Unreachable(f"the management API at {self.base} answers {error.code}: {told}") from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", None) or error
            raise Unreachable(f"the management API at {self.base} does not answer: {why}") from None
        except ValueError:
            raise Unreachable(f"what answers at {self.base} is no management API") from None

    @staticmethod
    def _read(request: urllib.request.Request) -> bytes:
        # No proxy: a broker is a neighbour, and the password is nobody else's.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
        with opener.open(request, timeout=TIMEOUT) as answer:
            read: bytes = answer.read(_MAX_BYTES)
            return read


def management_of(broker_url: str, given: str | None) -> Iterator[Management]:
    """The API beside each host of a broker's URL, or the one at ``given``, with the broker's user and password.

    Raises:
        ValueError: ``given`` is no http:// or https:// URL; the text repeats nothing of it.
    """
    for url in broker_url.split(";"):
        parts = urlsplit(url.partition("?")[0])
        vhost = unquote(parts.path[1:]) or "/"
        user, password = _credentials(parts.username, parts.password) or ("guest", "guest")
        if given is None:
            scheme, port = _PORTS[parts.scheme]
            yield Management(f"{scheme}://{_host(parts.hostname or 'localhost')}:{port}", vhost, user, password)
            continue
        base, own = _read_given(given)
        yield Management(base, vhost, *(own or (user, password)))
        return


def vhost_of(broker_url: str) -> str:
    """The virtual host of the first host of a broker's URL; ``/`` for the embedded broker, which has none."""
    first = broker_url.split(";", maxsplit=1)[0].partition("?")[0]
    return "/" if first.startswith("sqlite") else unquote(urlsplit(first).path[1:]) or "/"


def _read_given(url: str) -> tuple[str, tuple[str, str] | None]:
    """A URL without user and password, and those."""
    there = urlsplit(url.rstrip("/"))
    try:
        port = f":{there.port}" if there.port is not None else ""
    except ValueError:
        port = None
    if there.scheme not in ("http", "https") or not there.hostname or there.query or there.fragment or port is None:
        raise ValueError("expected http://HOST:PORT or https://HOST:PORT of the management API")
    base = urlunsplit((there.scheme, f"{_host(there.hostname)}{port}", there.path, "", ""))
    return base, _credentials(there.username, there.password)


def _credentials(user: str | None, password: str | None) -> tuple[str, str] | None:
    return None if user is None else (unquote(user), unquote(password or ""))


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name
