"""A private RabbitMQ node."""

import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from typed_pubsub.testing.nodes.base import LOOPBACK, POLL, Node, NodeError, Word, asks, listens

#: Where Debian's and Team RabbitMQ's packages put the plain scripts; those on the PATH change the user.
_RABBITMQ_SCRIPTS: Final = Path("/usr/lib/rabbitmq/bin")


def rabbitmq_available() -> str | None:
    """``None`` where a RabbitMQ can be started, else the reason why not."""
    if _rabbitmq_script("rabbitmq-server") is None:
        return "rabbitmq-server is not installed"
    if shutil.which("epmd") is None:
        return "epmd, which comes with Erlang, is not on the PATH"
    return None


class RabbitMQNode(Node):
    """A RabbitMQ node with its own name, cookie, port mapper and data. RabbitMQ 3.10 to 4.x.

    Args:
        plugins: Plugins to enable, such as ``rabbitmq_management``; their own ports are not made private.
        settings: Further lines of ``rabbitmq.conf``.
        certificate: PEM file of the node's certificate, its key in it: the node then speaks TLS on ``tls_port`` too.
            What is written to the file later is shown from the next connection on.
        vhosts: How many virtual hosts ``vhost()`` finds ready; more are made, as many again, when these are used up.
        start_timeout: Seconds that a start may take.
    """

    def __init__(
        self,
        *,
        plugins: Iterable[str] = (),
        settings: Mapping[str, str] | None = None,
        certificate: Path | None = None,
        vhosts: int = 20,
        start_timeout: float = 60.0,
    ) -> None:
        super().__init__(start_timeout=start_timeout)
        self._plugins = tuple(plugins)
        self._settings = dict(settings or {})
        self._certificate = certificate
        self._batch = max(vhosts, 1)
        self._spare: list[str] = []
        self._over: list[str] = []
        self._made = 0
        self._epmd: subprocess.Popen[bytes] | None = None
        self.name = ""

    @property
    def url(self) -> str:
        """The URL of the default virtual host, ``/``."""
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}//"

    @property
    def tls_port(self) -> int:
        """The port for ``amqps://``, where the node has a certificate."""
        return self.port + 3

    def vhost_url(self, name: str) -> str:
        """The URL of a virtual host."""
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}/{quote(name, safe='')}"

    @property
    def pid(self) -> int:
        """The process id of the Erlang machine itself, not of the script around it."""
        self._running()
        return int((self.directory / "pid").read_text())

    def vhost(self, name: str | None = None) -> str:
        """A fresh virtual host's URL: a ready one, or, in about a second, one of the given name."""
        if name is not None:
            self._change_vhosts((), [name])
            return self.vhost_url(name)
        if not self._spare:
            names, over = self._next_names(), self._over
            self._change_vhosts(over, names)
            self._spare, self._over = names, []
        return self.vhost_url(self._spare.pop(0))

    def give_back(self, url: str) -> None:
        """Say that one of ``vhost()`` is used no more: it is deleted before more are made, with all that is in it.

        Each one that stays makes those that are made later dearer: RabbitMQ then looks at the exchanges of all.
        """
        self._over.append(self._vhost_name(url))

    def delete_vhost(self, name_or_url: str) -> None:
        """Delete a virtual host, its connections and queues with it."""
        self.ctl("delete_vhost", self._vhost_name(name_or_url))

    def ctl(self, *args: str, timeout: float = 60.0) -> str:
        """What ``rabbitmqctl`` prints for these arguments; raises `NodeError` where it fails."""
        command: list[Word] = [_required_script("rabbitmqctl"), "--quiet", "--node", self.name, *args]
        done = subprocess.run(
            command,
            check=False,
            cwd=self.directory,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode:
            raise NodeError(f"rabbitmqctl {' '.join(args)} failed ({done.returncode}): {done.stdout}{done.stderr}")
        return done.stdout

    def close(self) -> None:
        """Kill the node and its port mapper and remove all they left on disk."""
        self.kill()
        if self._epmd is not None:
            self._end_process(self._epmd, signal.SIGKILL)
            self._epmd = None
        self._spare, self._over, self._made = [], [], 0
        super().close()

    def _unavailable(self) -> str | None:
        return rabbitmq_available()

    def _prepare(self, directory: Path) -> None:
        self.name = f"tp-{os.getpid()}-{secrets.token_hex(4)}@localhost"
        cookie = directory / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(10).upper())
        cookie.chmod(0o400)
        self._spare = self._next_names()
        (directory / "definitions.json").write_text(json.dumps(_definitions(["/", *self._spare])))
        settings = {
            # Vhosts in the definitions are there as soon as the node answers; rabbitmqctl takes half a second for each.
            "load_definitions": str(directory / "definitions.json"),
            "disk_free_limit.absolute": "10MB",
            "vm_memory_high_watermark.absolute": "2GB",
            "log.console": "true",
            "log.console.level": "info",
            "log.file": "false",
        }
        if self._certificate is not None:
            settings |= {
                "listeners.ssl.1": f"{LOOPBACK}:{self.tls_port}",
                "ssl_options.certfile": str(self._certificate),
                "ssl_options.keyfile": str(self._certificate),
                "ssl_options.verify": "verify_none",
            }
        lines = [f"{key} = {value}\n" for key, value in (settings | self._settings).items()]
        (directory / "rabbitmq.conf").write_text("".join(lines))
        (directory / "enabled_plugins").write_text(f"[{','.join(self._plugins)}].\n")
        (directory / "rabbitmq-env.conf").write_text("" if self._plugins else _lean_home(directory))

    def _environment(self) -> Mapping[str, str]:
        directory, port = self.directory, self._base_port
        clean = {
            k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_")) and k != "NOTIFY_SOCKET"
        }
        return clean | {
            "HOME": str(directory),
            "ERL_CRASH_DUMP_BYTES": "0",
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(port + 2),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(directory / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_CTL_DIST_PORT_MAX": str(port + 15),
            "RABBITMQ_CTL_DIST_PORT_MIN": str(port + 4),
            "RABBITMQ_DIST_PORT": str(port + 1),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_LOG_BASE": str(directory / "logs"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_MNESIA_BASE": str(directory / "data"),
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            # Anything: the script then becomes the Erlang machine instead of starting and guarding it.
            "RUNNING_UNDER_SYSTEMD": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}"
            " -ssl bypass_pem_cache true",
        }

    def _command(self) -> Sequence[Word]:
        return [_required_script("rabbitmq-server")]

    def _spawn(self) -> subprocess.Popen[bytes]:
        if self._epmd is None or self._epmd.poll() is not None:
            self._epmd = self._run(["epmd"], "epmd.log")
            deadline = time.monotonic() + self._start_timeout
            while not listens(self._base_port + 2):
                if self._epmd.poll() is not None or time.monotonic() > deadline:
                    raise self._failure(f"has no port mapper: {(self.directory / 'epmd.log').read_text()}")
                time.sleep(POLL)
        return super()._spawn()

    def _answers(self) -> bool:
        """Whether the broker answers a protocol header with a method frame: ``connection.start``."""
        return asks(self.port, b"AMQP\x00\x00\x09\x01").startswith(b"\x01")

    def _next_names(self) -> list[str]:
        first, self._made = self._made, self._made + self._batch
        return [f"vhost-{number}" for number in range(first + 1, self._made + 1)]

    def _vhost_name(self, name_or_url: str) -> str:
        prefix = self.vhost_url("")
        return unquote(name_or_url.removeprefix(prefix)) if name_or_url.startswith(prefix) else name_or_url

    def _change_vhosts(self, over: Sequence[str], names: Sequence[str]) -> None:
        """Delete some virtual hosts and make others; rabbitmqctl has a command for each, and takes a second for any."""
        self.ctl(
            "eval",
            f"""[rabbit_vhost:delete(Name, <<"tests">>) || Name <- {_binaries(over)}],
            [begin
                ok = rabbit_vhost:add(Name, <<"tests">>),
                ok = rabbit_auth_backend_internal:set_permissions(
                    <<"guest">>, Name, <<".*">>, <<".*">>, <<".*">>, <<"tests">>)
            end || Name <- {_binaries(names)}].""",
        )


def _rabbitmq_script(name: str) -> Path | None:
    if (_RABBITMQ_SCRIPTS / name).exists():
        return _RABBITMQ_SCRIPTS / name
    found = shutil.which(name)
    return None if found is None else Path(found)


def _required_script(name: str) -> Path:
    script = _rabbitmq_script(name)
    if script is None:
        raise NodeError(f"{name} is not installed")
    return script


def _binaries(texts: Iterable[str]) -> str:
    """A list of Erlang's binaries, in UTF-8."""
    return "[" + ",".join(f"<<{','.join(map(str, text.encode()))}>>" for text in texts) + "]"


def _lean_home(directory: Path) -> str:
    """Make a home without the plugins, as a line for RabbitMQ's own settings of its environment.

    Half of the time that RabbitMQ takes to start, and half of its CPU, go into looking for Erlang's own modules in the
    directories of plugins that are not enabled.
    """
    installed = _required_script("rabbitmq-server").resolve().parent.parent / "plugins"
    if not any(installed.glob("rabbit-*")):
        return ""
    home = directory / "home"
    (home / "plugins").mkdir(parents=True)
    for library in installed.iterdir():
        if not library.name.startswith("rabbitmq_") or library.name.startswith("rabbitmq_prelaunch"):
            (home / "plugins" / library.name).symlink_to(library)
    return f"RABBITMQ_HOME={home}\n"


def _definitions(vhosts: Sequence[str]) -> dict[str, object]:
    """RabbitMQ's definitions: virtual hosts, and ``guest``, who may use them and whose password is its name."""
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    salt = secrets.token_bytes(4)
    digest = base64.b64encode(salt + hashlib.sha256(salt + b"guest").digest()).decode()
    algorithm = "rabbit_password_hashing_sha256"
    return {
        "vhosts": [{"name": vhost} for vhost in vhosts],
        "permissions": [{"user": "guest", "vhost": vhost} | everything for vhost in vhosts],
        "users": [
            {"name": "guest", "password_hash": digest, "hashing_algorithm": algorithm, "tags": ["administrator"]}
        ],
    }
