"""The examples of the replaced library's README, as processes: nothing is changed but the package's name."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.children import Child, environment, run, worker

TASKS = """
    import json
    import os

    from celery import Celery

    celery_app = Celery("my_app", broker=os.environ["BROKER"])
    celery_app.conf.task_ignore_result = True

    @celery_app.task(bind=True)
    def a_task(self, *args, **kwargs):
        print("EXECUTED " + json.dumps(["a_task", args, kwargs, self.request.eta, self.request.id]))

    @celery_app.task(bind=True)
    def another_task(self, *args, **kwargs):
        print("EXECUTED " + json.dumps(["another_task", args, kwargs, self.request.eta, self.request.id]))
"""

PUBLISHER = """
    import os

    from typed_pubsub.config import PubSubConfig
    from typed_pubsub.publisher import Publisher

    config = PubSubConfig(broker_url=os.environ["BROKER"], exchange="an_exchange")
    publisher = Publisher(config=config)
    publisher.publish_event(routing_key="a_routing_key", body={"foo": "bar"})
    print("PUBLISHED")
"""

FLASK = {
    "my_app/__init__.py": """
        from flask import Flask

        from typed_pubsub.flask.commands import subscriber


        def create_app():
            app = Flask(__name__)
            app.config.from_object("my_app.config.Config")
            app.cli.add_command(subscriber)
            return app
    """,
    "my_app/config.py": """
        import os

        from flask import current_app

        from my_app.tasks import celery_app


        def get_celery_app():
            return celery_app


        class Config:
            SERVICE = "the service"
            PUBSUB_BROKER_URL = os.environ["BROKER"]
            PUBSUB_EXCHANGE = "an_exchange"
            PUBSUB_QUEUE_NAME = "a_queue"
            PUBSUB_GET_CELERY_APP = get_celery_app
            PUBSUB_TASK_MAPPING = [
                {
                    "routing_key": "a_routing_key",
                    "task": "my_app.tasks.a_task",
                    "should_schedule": lambda routing_key, body: current_app.name == "my_app",
                    "get_args": lambda routing_key, body: ([routing_key], {"body": body}),
                },
                {
                    "routing_key": "a_routing_key",
                    "task": "my_app.tasks.another_task",
                    "should_schedule": lambda routing_key, body: True,
                    "get_args": lambda routing_key, body: ([current_app.config["SERVICE"]], {}),
                    "celery_kwargs": lambda routing, body: {"countdown": 1},
                },
            ]
    """,
}

DJANGO = {
    "manage.py": """
        import os
        import sys

        from django.core.management import execute_from_command_line

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "my_app.settings")
        execute_from_command_line(sys.argv)
    """,
    "my_app/__init__.py": "",
    "my_app/settings.py": """
        import os

        from my_app.tasks import celery_app


        def get_celery_app():
            return celery_app


        SECRET_KEY = "not in production"
        INSTALLED_APPS = ["typed_pubsub.django"]
        SERVICE = "the service"

        PUBSUB_BROKER_URL = os.environ["BROKER"]
        PUBSUB_EXCHANGE = "an_exchange"
        PUBSUB_QUEUE_NAME = "a_queue"
        PUBSUB_GET_CELERY_APP = get_celery_app
        PUBSUB_TASK_MAPPING = "my_app.mapping.MAPPING"
    """,
    "my_app/mapping.py": """
        from django.conf import settings

        MAPPING = [
            {
                "routing_key": "a_routing_key",
                "task": "my_app.tasks.a_task",
                "should_schedule": lambda routing_key, body: True,
                "get_args": lambda routing_key, body: ([routing_key], {"body": body}),
            },
            {
                "routing_key": "a_routing_key",
                "task": "my_app.tasks.another_task",
                "should_schedule": lambda routing_key, body: True,
                "get_args": lambda routing_key, body: ([settings.SERVICE], {}),
                "celery_kwargs": lambda routing, body: {"countdown": 1},
            },
        ]
    """,
}

PLAIN = {
    "my_app/__init__.py": "",
    "my_app/subscriber.py": """
        import logging
        import os

        from typed_pubsub.config import PubSubConfig
        from typed_pubsub.subscriber import Subscriber

        from my_app.tasks import celery_app

        logging.basicConfig(level=logging.INFO)
        task_mapping = [
            {
                "routing_key": "a_routing_key",
                "task": "my_app.tasks.a_task",
                "should_schedule": lambda routing_key, body: True,
                "get_args": lambda routing_key, body: ([routing_key], {"body": body}),
            },
            {
                "routing_key": "a_routing_key",
                "task": "my_app.tasks.another_task",
                "should_schedule": lambda routing_key, body: True,
                "get_args": lambda routing_key, body: (["the service"], {}),
                "celery_kwargs": lambda routing, body: {"countdown": 1},
            },
        ]
        config = PubSubConfig(task_mapping, lambda: celery_app, os.environ["BROKER"], "an_exchange", "a_queue")
        Subscriber(config=config).start()
    """,
}

Start = Callable[[], Child]


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in {**files, "my_app/tasks.py": TASKS, "publish.py": PUBLISHER}.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))


@contextmanager
def service(files: dict[str, str], *command: str, cwd: Path, url: str) -> Generator[tuple[Child, Child]]:
    """The subscriber, consuming, and the worker of a service."""
    write(cwd, files)
    env = environment(cwd, BROKER=url)
    with Child(*command, cwd=cwd, env=env) as subscriber, worker("my_app.tasks", cwd=cwd, env=env) as celery:
        subscriber.wait_for("consuming queue 'a_queue' of exchange 'an_exchange'")
        yield subscriber, celery


@pytest.mark.parametrize(
    ("files", "command", "greeting"),
    [
        pytest.param(FLASK, ("-m", "flask", "--app", "my_app", "subscriber"), ["Starting subscriber..."], id="flask"),
        pytest.param(DJANGO, ("manage.py", "subscriber"), ["Starting subscriber..."], id="django"),
        pytest.param(PLAIN, ("-m", "my_app.subscriber"), [], id="plain"),
    ],
)
def test_the_example_schedules_both_rows_and_ends_well_on_sigterm(
    files: dict[str, str], command: tuple[str, ...], greeting: list[str], tmp_path: Path, vhost_url: str
) -> None:
    with service(files, *command, cwd=tmp_path, url=vhost_url) as (subscriber, celery):
        assert subscriber.stdout == greeting

        published = run("publish.py", cwd=tmp_path, env=environment(tmp_path, BROKER=vhost_url))
        assert published.wait() == 0, published.output
        assert published.output == "PUBLISHED"

        lines = celery.wait_for("EXECUTED", count=2)
        executed = {name: rest for name, *rest in (json.loads(line.partition("EXECUTED ")[2]) for line in lines)}
        args, kwargs, eta, first_id = executed["a_task"]
        assert (args, kwargs, eta) == (["a_routing_key"], {"body": {"foo": "bar"}}, None)
        args, kwargs, eta, second_id = executed["another_task"]
        assert (args, kwargs) == (["the service"], {})
        assert eta is not None, "the countdown of celery_kwargs is there"

        (line,) = subscriber.wait_for("scheduled a_routing_key")
        assert f"tasks={first_id},{second_id}" in line
        assert subscriber.terminate() == 0, subscriber.output
