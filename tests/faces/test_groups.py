"""The commands under Flask and Django: the same ones, with the settings of the app."""

import json

import pytest

from tests.faces.conftest import Service

pytestmark = pytest.mark.once

FACES = {
    "flask": ("-m", "flask", "--app", "web", "pubsub"),
    "django": ("-m", "django", "pubsub"),
}


@pytest.fixture(params=FACES)
def group(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return FACES[request.param]


def test_a_command_has_the_settings_of_the_app(service: Service, group: tuple[str, ...], nobody_there: str) -> None:
    code, child = service.python(*group, "health", "--format", "json", url=nobody_there)
    assert code == 1, child.output
    (problem,) = json.loads("\n".join(child.stdout))["problems"]
    assert "no answer from the event broker amqp://guest:**@127.0.0.1" in problem


def test_a_wrong_setting_is_one_line_and_exit_code_2(service: Service, group: tuple[str, ...]) -> None:
    code, child = service.python(*group, "health", exchange="")
    assert code == 2
    assert any(line.startswith("Error: PubSubConfig: EXCHANGE") for line in child.lines), child.output


def test_a_typo_has_a_suggestion(service: Service, group: tuple[str, ...]) -> None:
    code, child = service.python(*group, "helth")
    assert code == 2
    assert "Did you mean 'health'?" in child.output


def test_no_command_asks_for_the_app(service: Service, group: tuple[str, ...]) -> None:
    code, child = service.python(*group, "subscribe", "--help")
    assert code == 0
    assert "--app" not in child.output


def test_djangos_own_options_may_stand_anywhere(service: Service) -> None:
    code, child = service.python(
        "-m", "django", "pubsub", "--settings=dj_settings", "health", "--pythonpath", ".", "-h"
    )
    assert code == 0, child.output
    assert "django pubsub health" in child.output or "__main__.py pubsub health" in child.output


def test_from_code_what_djangos_command_prints_goes_where_it_is_told(service: Service) -> None:
    script = (
        "import io, django; django.setup()\n"
        "from django.core.management import CommandError, call_command\n"
        "out = io.StringIO()\n"
        "call_command('pubsub', 'version', stdout=out)\n"
        "print('FIRST', out.getvalue().split()[0])\n"
        "try:\n    call_command('pubsub', 'health', '--timeout', '0', stderr=out)\n"
        "except CommandError as error:\n    print('CODE', error.returncode)"
    )
    _, child = service.python("-c", script)
    assert "FIRST typed-pubsub" in child.lines
    assert "CODE 2" in child.lines


def test_events_are_those_of_the_app(service: Service, group: tuple[str, ...]) -> None:
    code, child = service.python(*group, "schema", "show", events=["typed_pubsub.demo.events"])
    assert code == 0, child.output
    assert "app1.matches.published version 1: typed_pubsub.demo.events.MatchesPublished" in child.stdout
