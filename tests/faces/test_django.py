"""What is Django's own: system checks, management command as code, connections closed before each batch."""

import json
from typing import Any

from tests.faces.conftest import Service
from tests.support.children import Child
from tests.support.rabbit import get
from typed_pubsub import Publisher, PubSubConfig
from typed_pubsub.cli.options import params_of_run


def check(service: Service, **settings: Any) -> tuple[int, Child]:
    return service.python("-m", "django", "check", **settings)


def test_checks_pass_for_settings_that_are_right(service: Service) -> None:
    code, child = check(service)
    assert code == 0, child.output
    assert "no issues" in child.output


def test_a_wrong_setting_is_a_check_error(service: Service) -> None:
    code, child = check(service, prefetch=0, queue_type="stream")
    assert code == 1
    lines = [line for line in child.lines if "typed_pubsub.TP101" in line]
    assert ["PREFETCH: expected" in line for line in lines] == [True, False]
    assert ["QUEUE_TYPE: expected" in line for line in lines] == [False, True]


def test_a_mapping_that_is_nowhere_is_a_check_error(service: Service) -> None:
    code, child = check(service, task_mapping="service.NOWHERE")
    assert code == 1
    assert any("typed_pubsub.TP104" in line and "TASK_MAPPING" in line for line in child.lines), child.output


def test_a_row_that_is_declared_wrongly_is_a_check_error(service: Service) -> None:
    code, child = check(service, task_mapping=[{"routing_key": "a.key"}])
    assert code == 1
    assert any("typed_pubsub.TP301" in line and "PUBSUB_TASK_MAPPING[0]" in line for line in child.lines), child.output


def test_a_name_that_is_no_setting_is_a_check_warning(service: Service) -> None:
    code, child = check(service, prefecth=3)
    assert code == 0
    assert any("typed_pubsub.TP102" in line and "PUBSUB_PREFETCH" in line for line in child.lines), child.output


def test_a_publisher_only_service_needs_no_mapping(service: Service) -> None:
    code, child = check(service, queue_name=None, task_mapping=None, get_celery_app=None)
    assert code == 0, child.output


def test_called_from_code_the_command_raises_with_its_exit_code(service: Service) -> None:
    code = (
        "import django; django.setup()\n"
        "from django.core.management import CommandError, call_command\n"
        "try:\n    call_command('subscriber', log_format='json')\n"
        "except CommandError as error:\n    print(error.returncode, error)"
    )
    _, child = service.python("-c", code, exchange="")
    assert child.stdout == ["2 PubSubConfig: EXCHANGE: is missing"]


def test_stale_database_connections_are_closed_before_a_batch(service: Service, vhost_url: str) -> None:
    """Under CONN_MAX_AGE=0 a connection that a row has used is closed before the next batch runs, and made anew."""
    (service.directory / "dj_settings.py").write_text(
        (service.directory / "dj_settings.py").read_text()
        + 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}\n'
        + "PUBSUB_TASK_MAPPING = 'rows.ROWS'\n"
    )
    (service.directory / "rows.py").write_text(
        "from django.db import connection\n\n"
        "def get_args(routing_key, body):\n"
        "    was_open = connection.connection is not None\n"
        "    connection.ensure_connection()\n"
        "    return [was_open], {}\n\n"
        "ROWS = [{'routing_key': 'a.key', 'task': 'a.task', 'should_schedule': lambda key, body: True,"
        " 'get_args': get_args}]\n"
    )
    django = Service(service.directory, "django")
    with django.start(vhost_url) as child:
        child.wait_for("consuming")
        found = []
        with Publisher(PubSubConfig(broker_url=vhost_url, exchange="events", unroutable="raise")) as publisher:
            for _ in range(2):
                publisher.publish_event("a.key", {})
                found.append(json.loads(get(vhost_url, "celery").body)[0])
        assert child.terminate() == 0, child.output
    assert found == [[False], [False]]


def test_the_command_lists_the_options_of_every_face(service: Service) -> None:
    code, child = service.python("-m", "django", "subscriber", "--help")
    assert code == 0
    words = " ".join(child.output.split())
    assert "--log-level {debug,info,warning,error,critical}" in words
    for option in params_of_run():
        assert option.opts[0] in words
        assert f"env var: {option.envvar}" in words
