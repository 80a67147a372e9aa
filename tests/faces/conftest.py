"""One service with three faces, under ``typed-pubsub``, Flask and Django with the same settings; and dead letters."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.faces.dead_letters import Run, running
from tests.support.children import Child, environment, run
from tests.support.dead_letters import leave

FILES = {
    "service.py": """
        import json
        import os

        from celery import Celery


        def get_celery_app():
            return Celery("service", broker=os.environ.get("CELERY_BROKER", os.environ["BROKER"]))


        def broken():
            raise RuntimeError("no app today")


        ROW = {
            "routing_key": "a.key",
            "task": "service.tasks.a_task",
            "should_schedule": lambda routing_key, body: body["wanted"],
            "get_args": lambda routing_key, body: ([1 // body["divisor"]], {}),
        }


        class Settings:
            PUBSUB_BROKER_URL = os.environ["BROKER"]
            PUBSUB_EXCHANGE = "events"
            PUBSUB_QUEUE_NAME = "a-queue"
            PUBSUB_GET_CELERY_APP = "service.get_celery_app"
            PUBSUB_TASK_MAPPING = [ROW]


        for name, value in json.loads(os.environ["SETTINGS"]).items():
            setattr(Settings, name, value)
    """,
    # A condition that does not come back while there is a file named hold.
    "held.py": """
        import threading
        import time
        from pathlib import Path

        HOLD = Path(__file__).with_name("hold")


        def work_of_mine():
            while HOLD.exists():
                time.sleep(0.01)


        def should_schedule(routing_key, body):
            threading.Thread(target=work_of_mine, name="mine", daemon=True).start()
            HOLD.with_name("held").touch()
            while HOLD.exists():
                time.sleep(0.01)
            return True


        ROWS = [
            {
                "routing_key": "a.key",
                "task": "a.task",
                "should_schedule": should_schedule,
                "get_args": lambda routing_key, body: ([body["number"]], {}),
            }
        ]
    """,
    "web.py": """
        from flask import Flask

        from service import Settings
        from typed_pubsub.flask.commands import subscriber


        def create_app():
            app = Flask(__name__)
            app.config.from_object(Settings)
            app.cli.add_command(subscriber)
            return app
    """,
    "dj_settings.py": """
        from service import Settings

        SECRET_KEY = "not in production"
        INSTALLED_APPS = ["typed_pubsub.django"]
        globals().update({name: getattr(Settings, name) for name in dir(Settings) if name.startswith("PUBSUB_")})
    """,
}

COMMANDS = {
    "cli": ("-m", "typed_pubsub.cli", "subscribe", "-A", "service:Settings"),
    "flask": ("-m", "flask", "--app", "web", "subscriber"),
    "django": ("-m", "django", "subscriber"),
}


@dataclass(frozen=True)
class Service:
    """The service's code in a directory, and how to start its subscriber by one of its faces."""

    directory: Path
    face: str = "cli"

    def variables(self, url: str, settings: dict[str, Any]) -> dict[str, str]:
        """What the service's code reads; settings are without their prefix."""
        names = {f"PUBSUB_{name.upper()}": value for name, value in settings.items()}
        return {"BROKER": url, "SETTINGS": json.dumps(names), "DJANGO_SETTINGS_MODULE": "dj_settings"}

    def environment(self, url: str, settings: dict[str, Any], more: dict[str, str]) -> dict[str, str]:
        """What a process in the service's directory gets."""
        return environment(self.directory, **self.variables(url, settings), **more)

    def start(self, url: str, *options: str, env: dict[str, str] | None = None, **settings: Any) -> Child:
        """The subscriber's process; keywords are settings without their prefix."""
        given = self.environment(url, settings, env or {})
        return Child(*COMMANDS[self.face], *options, cwd=self.directory, env=given)

    def run(self, url: str, *options: str, env: dict[str, str] | None = None, **settings: Any) -> tuple[int, Child]:
        """Exit code and output of a subscriber that ends by itself."""
        with self.start(url, *options, env=env, **settings) as child:
            return child.wait(), child

    def python(self, *args: str, url: str = "amqp://127.0.0.1//", **settings: Any) -> tuple[int, Child]:
        """Exit code and output of any other program in the service's directory."""
        child = run(*args, cwd=self.directory, env=self.environment(url, settings, {}))
        return child.wait(), child


@pytest.fixture
def service(tmp_path: Path) -> Service:
    for name, text in FILES.items():
        (tmp_path / name).write_text(dedent(text))
    return Service(tmp_path)


@pytest.fixture(params=COMMANDS)
def any_face(request: pytest.FixtureRequest, service: Service) -> Service:
    """The service, by each of its faces."""
    return Service(service.directory, request.param)


@pytest.fixture
def nobody_there() -> Iterator[str]:
    """The URL of a broker that is not there: a port that is taken and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"amqp://guest:s3cret@127.0.0.1:{taken.getsockname()[1]}//"


@pytest.fixture(params=["embedded", *(pytest.param(kind, marks=pytest.mark.broker) for kind in ("classic", "quorum"))])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of queue that has dead letters."""
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    """The URL of its broker."""
    return f"sqlite:///{tmp_path}/broker.db" if kind == "embedded" else str(request.getfixturevalue("vhost_url"))


@pytest.fixture
def put(url: str, kind: str) -> Callable[..., None]:
    """Leaves dead letters there."""
    return lambda events, *verdict, **how: leave(url, events, *verdict, quorum=kind == "quorum", **how)


@pytest.fixture(name="run")
def run_dlq(url: str) -> Run:
    """Runs ``dlq`` there."""
    return running(url)
