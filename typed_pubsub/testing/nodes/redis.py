"""A private Redis."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from typed_pubsub.testing.nodes.base import LOOPBACK, Node, Word, asks


def redis_available() -> str | None:
    """``None`` where a Redis can be started, else the reason why not."""
    return None if shutil.which("redis-server") else "redis-server is not installed"


class RedisNode(Node):
    """A Redis that writes every command to disk before it answers, so that a kill loses nothing.

    Args:
        durable: False: it keeps everything in memory alone, as a Redis does out of the box between two snapshots.
        certificate: PEM file of the server's certificate, its key in it: it then speaks TLS on ``tls_port`` too.
        start_timeout: Seconds that a start may take.
    """

    def __init__(self, *, durable: bool = True, certificate: Path | None = None, start_timeout: float = 60.0) -> None:
        super().__init__(start_timeout=start_timeout)
        self._durable = durable
        self._certificate = certificate

    @property
    def tls_port(self) -> int:
        """The port for ``rediss://``, where the server has a certificate."""
        return self.port + 1

    @property
    def url(self) -> str:
        """The URL of database 0."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def flush(self) -> None:
        """Empty every database."""
        if not asks(self.port, b"FLUSHALL\r\n").startswith(b"+OK"):
            raise self._failure("did not flush")

    def _unavailable(self) -> str | None:
        return redis_available()

    def _prepare(self, directory: Path) -> None:
        (directory / "data").mkdir()

    def _command(self) -> Sequence[Word]:
        settings = {
            "port": str(self.port),
            "bind": LOOPBACK,
            "dir": str(self.directory / "data"),
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "always",
            "save": "",
        }
        if self._certificate is not None:
            file = str(self._certificate)
            tls = {"port": str(self.tls_port), "cert-file": file, "key-file": file, "auth-clients": "no"}
            settings |= {f"tls-{key}": value for key, value in tls.items()}
        return ["redis-server", *(word for key, value in settings.items() for word in (f"--{key}", value))]

    def _answers(self) -> bool:
        return asks(self.port, b"PING\r\n").startswith(b"+PONG")
