"""What is Flask's own: the entry point, and an app context for each batch."""

import json
from importlib import metadata
from textwrap import dedent

from tests.faces.conftest import Service
from tests.support.rabbit import get
from typed_pubsub import Publisher, PubSubConfig
from typed_pubsub.flask.commands import subscriber

WEB = """
    from flask import Flask, current_app, g

    from service import Settings
    from typed_pubsub.flask.commands import subscriber


    def get_args(routing_key, body):
        g.batch = getattr(g, "batch", 0) + 1
        return [current_app.name, g.batch], {}


    def create_app():
        app = Flask(__name__)
        app.config.from_object(Settings)
        app.config["PUBSUB_TASK_MAPPING"] = [
            {
                "routing_key": "a.key",
                "task": "a.task",
                "should_schedule": lambda routing_key, body: True,
                "get_args": get_args,
            }
        ]
        app.cli.add_command(subscriber)

        @app.teardown_appcontext
        def end(error):
            print("TEARDOWN", error, flush=True)

        return app
"""


def test_each_batch_has_an_app_context_of_its_own(service: Service, vhost_url: str) -> None:
    """Extensions end their database sessions with the context: nothing of one batch is held for the next."""
    (service.directory / "web.py").write_text(dedent(WEB))
    with Service(service.directory, "flask").start(vhost_url) as child:
        child.wait_for("consuming")
        found = []
        with Publisher(PubSubConfig(broker_url=vhost_url, exchange="events", unroutable="raise")) as publisher:
            for _ in range(3):
                publisher.publish_event("a.key", {})
                found.append(json.loads(get(vhost_url, "celery").body)[0])
        assert child.terminate() == 0, child.output
    assert found == [["web", 1]] * 3
    # Two between three batches, the last one, and the one around them all.
    assert child.stdout == ["Starting subscriber...", *["TEARDOWN None"] * 4]


def test_the_command_is_found_once_in_an_app_that_adds_it(service: Service) -> None:
    code, child = service.python("-m", "flask", "--app", "web", "--help")
    assert code == 0
    assert len([line for line in child.lines if line.split()[:1] == ["subscriber"]]) == 1


def test_the_entry_point_is_the_command() -> None:
    found = [entry for entry in metadata.entry_points(group="flask.commands") if entry.name == "subscriber"]
    # Not there in a source tree that is not installed.
    assert all(entry.load() is subscriber for entry in found)


def test_an_app_that_cannot_be_made_for_its_settings_is_one_line(service: Service) -> None:
    web = "from typed_pubsub import PubSubConfig\n\ndef create_app():\n    PubSubConfig()\n"
    (service.directory / "web.py").write_text(web)
    # As flask itself runs it where the entry point is installed: before any app is there.
    program = (
        "from flask.cli import FlaskGroup\n"
        "from typed_pubsub.flask.commands import subscriber\n"
        "flask = FlaskGroup()\nflask.add_command(subscriber)\nflask(prog_name='flask')\n"
    )
    code, child = service.python("-c", program, "--app", "web", "subscriber")
    assert (code, child.output) == (2, "Error: PubSubConfig: BROKER_URL: is missing; EXCHANGE: is missing")


def test_without_an_app_flask_says_so(service: Service) -> None:
    code, child = service.python("-c", "from typed_pubsub.flask.commands import subscriber; subscriber()")
    assert code == 2
    assert "Could not locate a Flask application" in child.output
