"""Settings: where they are read from, what they must look like, and what is said of those that are wrong."""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings, UserSettingsHolder
from django.conf import Settings as DjangoSettings
from flask import Flask

from typed_pubsub import MisconfigurationException, PubSubConfig

URL = "amqp://guest:s3cret@127.0.0.1//"


def make(**settings: Any) -> PubSubConfig:
    """A config that can publish, with these settings besides."""
    return PubSubConfig(**{"broker_url": URL, "exchange": "events", **settings})


def get_app() -> str:
    return "the app"


class Settings:
    DEBUG = True
    PUBSUB_BROKER_URL = URL
    PUBSUB_EXCHANGE = "events"
    PUBSUB_QUEUE_NAME = "queue"
    PUBSUB_TASK_MAPPING: Any = ()
    PUBSUB_GET_CELERY_APP = get_app
    PUBSUB_PREFETCH = 7


def names() -> dict[str, Any]:
    return {name: value for name, value in vars(Settings).items() if name.isupper()}


def flask_config() -> Any:
    app = Flask("app")
    app.config.from_object(Settings)
    return app.config


def django_settings() -> Any:
    lazy = LazySettings()
    lazy.configure(**names())
    return lazy


def django_settings_module() -> Any:
    """Settings as Django reads them from a module named by DJANGO_SETTINGS_MODULE, then overridden as in its tests."""
    module = ModuleType("settings_of_the_test")
    vars(module).update(names(), SECRET_KEY="x", PUBSUB_PREFETCH=8)
    sys.modules[module.__name__] = module
    try:
        override = UserSettingsHolder(DjangoSettings(module.__name__))
    finally:
        del sys.modules[module.__name__]
    override.PUBSUB_PREFETCH = 7
    return override


def module() -> Any:
    made = ModuleType("settings")
    vars(made).update(names())
    return made


def instance_with_a_property() -> Any:
    class Computed(Settings):
        @property
        def PUBSUB_PREFETCH(self) -> int:  # type: ignore[override]  # noqa: N802
            return 7

    return Computed()


SOURCES: dict[str, Callable[[], Any]] = {
    "a Flask config": flask_config,
    "Django settings": django_settings,
    "Django settings of a module": django_settings_module,
    "a module": module,
    "a class": lambda: Settings,
    "an instance": Settings,
    "an instance with attributes of its own": lambda: SimpleNamespace(**names()),
    "an instance with a property": instance_with_a_property,
    "a mapping": names,
}


@pytest.mark.parametrize("source", SOURCES)
def test_settings_are_read_from_any_object(source: str) -> None:
    config = PubSubConfig.from_object(SOURCES[source]())
    assert config == PubSubConfig((), get_app, URL, "events", "queue", prefetch=7)
    assert config.celery_app() == "the app", "a function in a class is a setting, not a method"


def test_the_prefix_may_be_another() -> None:
    config = PubSubConfig.from_object({"EVENTS_BROKER_URL": URL, "EVENTS_EXCHANGE": "e", "PUBSUB_X": 1}, "EVENTS_")
    assert (config.broker_url, config.exchange) == (URL, "e")


def test_the_five_classic_settings_go_by_position() -> None:
    config = PubSubConfig([], get_app, URL, "events", "queue")
    assert (config.task_mapping, config.get_celery_app, config.broker_url) == ([], get_app, URL)
    assert (config.exchange, config.queue_name) == ("events", "queue")


def test_the_defaults_are_those_of_the_contract() -> None:
    config = make()
    documented = {
        "events": (),
        "source": "events",
        "publish_timeout": 10,
        "unroutable": "warn",
        "require_models": False,
        "unmatched": "dead-letter",
        "newer_version": "dead-letter",
        "default_version": 1,
        "max_body_bytes": 1_048_576,
        "prefetch": 200,
        "queue_type": "classic",
        "connect_timeout": 30,
        "drain_timeout": 10,
        "max_faults": None,
        "health_file": None,
        "on_dead_letter": None,
    }
    assert {name: getattr(config, name) for name in documented} == documented


@pytest.mark.parametrize(
    ("settings", "source"),
    [({}, "events"), ({"queue_name": "queue"}, "queue"), ({"queue_name": "queue", "source": "mine"}, "mine")],
)
def test_the_source_is_the_queue_else_the_exchange(settings: dict[str, Any], source: str) -> None:
    assert make(**settings).source == source


def test_a_config_is_frozen_and_does_not_show_its_password() -> None:
    config = make()
    with pytest.raises(AttributeError):
        config.prefetch = 3  # type: ignore[misc]
    assert "s3cret" not in repr(config)


def test_every_setting_that_is_missing_is_named() -> None:
    with pytest.raises(MisconfigurationException) as caught:
        PubSubConfig.from_object({})
    assert str(caught.value) == "PubSubConfig: BROKER_URL: is missing; EXCHANGE: is missing"


WRONG: dict[str, list[Any]] = {
    "broker_url": ["", 5, None, "localhost", "redis://h/0", "memory://", "amqp://h//;redis://h/0"],
    "exchange": ["", None, 5, "x" * 256, "é" * 128, "a\nb"],
    "queue_name": [5, "x" * 256, "a\0b"],
    "events": ["my_app.events", [1], 5, None],
    "source": [None, 5, "x" * 256],
    "publish_timeout": [0, -1, "10", None, True, float("inf"), float("nan")],
    "unroutable": ["shout", None, True],
    "require_models": ["False", 1, None],
    "unmatched": ["drop", None],
    "newer_version": ["skip", None],
    "default_version": [0, "1", None, True, 1.0],
    "max_body_bytes": [0, "1", None, 2**31 + 1],
    "prefetch": [0, 65_536, "200", None],
    "queue_type": ["stream", None],
    "connect_timeout": [0, "30", None],
    "drain_timeout": [0, "10", None],
    "max_faults": [0, "5"],
    "health_file": ["", 5],
    "get_celery_app": [5, ""],
    "on_dead_letter": [5, ""],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(MisconfigurationException) as caught:
        make(**{name: value})
    assert str(caught.value).startswith(f"PubSubConfig: {name.upper()}: ")
    assert "s3cret" not in str(caught.value)


def test_every_wrong_setting_is_named_in_one_error() -> None:
    with pytest.raises(MisconfigurationException) as caught:
        PubSubConfig(**{name: values[0] for name, values in WRONG.items()})
    assert [part.partition(": ")[0] for part in str(caught.value).removeprefix("PubSubConfig: ").split("; ")] == [
        name.upper() for name in WRONG
    ]


@pytest.mark.parametrize("name", [name for name in WRONG if name != "broker_url"])
def test_a_url_under_another_setting_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(MisconfigurationException) as caught:
        make(**{name: [URL] if name == "events" else URL})
    assert str(caught.value).startswith(f"PubSubConfig: {name.upper()}: expected ")
    assert str(caught.value).endswith("got a URL")


def test_settings_in_the_wrong_order_tell_no_password() -> None:
    with pytest.raises(MisconfigurationException, match=r"TASK_MAPPING: expected .*, got a URL") as caught:
        PubSubConfig(URL, "my_app.mapping", "my_app.get_celery_app", "events", "q")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://:s3cret@h/0", "s3cret", "amqp://h//;redis://:s3cret@h/0"])
def test_what_is_said_of_a_url_never_repeats_it(url: str) -> None:
    with pytest.raises(MisconfigurationException, match="expected amqp://, amqps://") as caught:
        make(broker_url=url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["amqp://h//", "amqps://u:p@h:5671/v", "pyamqp://h", "amqp://a//;amqp://b//"])
def test_a_url_of_rabbitmq_is_taken(url: str) -> None:
    assert make(broker_url=url).broker_url == url


def test_a_name_that_is_no_setting_is_a_warning_with_the_nearest_one() -> None:
    with pytest.warns(UserWarning, match="PUBSUB_PREFECTH is no setting of typed_pubsub: did you mean PUBSUB_PREFETCH"):
        PubSubConfig.from_object({**names(), "PUBSUB_PREFECTH": 3})
    with pytest.warns(UserWarning, match=r"^PUBSUB_ZZZZ is no setting of typed_pubsub$"):
        PubSubConfig.from_object({**names(), "PUBSUB_ZZZZ": 3})


def test_the_warning_names_the_line_that_read_the_settings() -> None:
    with pytest.warns(UserWarning, match="PUBSUB_ZZZZ") as caught:
        PubSubConfig.from_object({**names(), "PUBSUB_ZZZZ": 3})
    assert [Path(warning.filename).name for warning in caught] == ["test_config.py"]


@pytest.mark.parametrize("source", SOURCES)
def test_names_without_the_prefix_are_nobodys_business(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PubSubConfig.from_object(SOURCES[source]())
