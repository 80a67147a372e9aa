"""Every command when something is wrong: the answer is a line or two that say what to do, never a traceback."""

import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from celery import Celery
from click.testing import CliRunner, Result

from typed_pubsub import PubSubConfig
from typed_pubsub.cli.commands import main
from typed_pubsub.cli.service import Service

ROW = {
    "routing_key": "a.key",
    "task": "other.task",
    "should_schedule": lambda routing_key, body: True,
    "get_args": lambda routing_key, body: ([], {}),
}


def leaves(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from leaves(below, (*path, name))
    else:
        yield path


COMMANDS = sorted(leaves())
#: What asks a broker, with what else it wants, and its exit code where that is not there.
OF_BROKER: dict[tuple[str, ...], int] = {
    ("check", "--broker", "--no-run"): 1,
    ("dlq", "drop", "--all", "--yes"): 3,
    ("dlq", "list"): 3,
    ("dlq", "replay", "--yes"): 3,
    ("dlq", "show", "1"): 3,
    ("dlq", "stats"): 3,
    ("doctor",): 3,
    ("explain", "--dlq", "1"): 3,
    ("health",): 1,
    ("publish", "a.key", "{}"): 3,
    ("publish", "a.key", "{}", "--many"): 3,
    ("record", "FILE.new"): 3,
    ("replay", "FILE", "--yes"): 3,
    ("subscribe",): 3,
    ("tail",): 3,
    ("topology", "apply", "--yes"): 3,
    ("topology", "plan"): 3,
    ("topology", "show"): 3,
    ("version", "--broker"): 3,
}
WITHOUT_BROKER = {"demo", "schema", "topology export"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    recorded = tmp_path / "FILE"
    recorded.write_text('{"routing_key":"a.key","exchange":"e","received":"2026-03-01T12:30:15Z","body":{}}\n')

    def run(args: tuple[str, ...], read: Callable[[], PubSubConfig]) -> Result:
        given = [argument.replace("FILE", str(recorded)) for argument in args]
        return CliRunner().invoke(main, given, obj=Service(read))

    return run


def config(url: str, **more: Any) -> PubSubConfig:
    settings: dict[str, Any] = {"connect_timeout": 5.0, "publish_timeout": 1.0, **more}
    return PubSubConfig([ROW], lambda: Celery(broker=url, set_as_current=False), url, "events", "q", **settings)


def is_told(result: Result) -> None:
    """One line or a few that a person can read, and nothing secret."""
    assert isinstance(result.exception, SystemExit), result.exc_info
    assert "Traceback" not in result.output
    assert "s3cret" not in result.output
    assert result.output.strip()


def test_every_command_is_one_of_those_that_are_tried_here() -> None:
    tried = {" ".join(args) for args in OF_BROKER}
    for path in map(" ".join, COMMANDS):
        assert any(f"{one} ".startswith(f"{path} ") for one in tried) or any(
            f"{path} ".startswith(f"{name} ") for name in WITHOUT_BROKER
        ), path


@pytest.mark.parametrize("args", OF_BROKER, ids=" ".join)
def test_a_broker_that_is_down_is_told(run: Callable[..., Result], nobody_there: str, args: tuple[str, ...]) -> None:
    result = run(args, lambda: config(nobody_there))
    is_told(result)
    assert result.exit_code == OF_BROKER[args], result.output
    assert re.search("refused|nobody listens", result.output.lower()), result.output
    if result.exit_code == 3 and args != ("doctor",):
        assert result.stderr.endswith("; is the broker running, and is this its port?\n")


@pytest.mark.parametrize("args", OF_BROKER, ids=" ".join)
def test_a_wrong_password_is_told(run: Callable[..., Result], vhost_url: str, args: tuple[str, ...]) -> None:
    result = run(args, lambda: config(vhost_url.replace("guest:guest", "guest:s3cret")))
    is_told(result)
    assert result.exit_code == OF_BROKER[args], result.output
    assert "ACCESS_REFUSED" in result.output or "password" in result.output, result.output
    if result.exit_code == 3:
        assert re.search("user name or password of (BROKER_URL|Celery's broker_url) are wrong\n", result.output)


@pytest.mark.parametrize("args", OF_BROKER, ids=" ".join)
def test_a_wrong_setting_is_told_and_a_typo_has_a_suggestion(run: Callable[..., Result], args: tuple[str, ...]) -> None:
    settings = {"PUBSUB_BROKER_URL": "amqp://localhost", "PUBSUB_EXCHAGNE": "events", "PUBSUB_PREFETCH": "many"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = run(args, lambda: PubSubConfig.from_object(settings))
    is_told(result)
    # A finding of check, a warning of all others, which Python itself shows.
    told = [result.output, *(str(one.message) for one in caught)]
    assert re.search("PUBSUB_EXCHAGNE.*PUBSUB_EXCHANGE", "\n".join(told))
    assert result.exit_code == (1 if args[0] == "check" else 2), result.output
    assert "EXCHANGE" in result.output
    assert "PREFETCH" in result.output


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_wrong_option_is_told_with_the_way_to_help(run: Callable[..., Result], path: tuple[str, ...]) -> None:
    result = run((*path, "--fromat", "x"), lambda: config("sqlite:///never.db"))
    is_told(result)
    assert result.exit_code == 2
    assert "--help" in result.output
    assert "No such option" in result.output


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_begins_with_what_the_command_does(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"], terminal_width=60)
    assert result.exit_code == 0
    sentence = result.output.split("\n\n")[1].split()
    assert sentence[0][0].isupper()


def options(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Option]]:
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from options(below, (*path, name))
    for option in command.params:
        # Those that are eager ask for help, or the version.
        if isinstance(option, click.Option) and not option.is_eager:
            yield " ".join((*path, *option.opts)), option


def test_every_option_has_a_name_in_the_environment_which_help_tells() -> None:
    assert [name for name, option in options() if not (option.show_envvar and option.allow_from_autoenv)] == []
