"""A Celery app's broker, described: the app's own settings first, safe defaults for the rest, no secret told."""

import ssl
from typing import Any

import pytest

from tests.support.services import celery_app
from typed_pubsub import MisconfigurationException, PubSubConfig, Subscriber, TaskMapping
from typed_pubsub.tasks.app_connection import app_connection, app_tls

CHECKED = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "h"}
REDIS_CHECKED = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}


def described(url: Any, use_ssl: Any = None, **options: Any) -> Any:
    app = celery_app(url)
    app.conf.broker_use_ssl = use_ssl
    app.conf.broker_transport_options = options
    return app_connection(app, {"ours": 1, "both": 1})


def test_transport_options_of_the_app_come_first() -> None:
    assert described("amqp://h//", both=2, theirs=2).transport_options == {"ours": 1, "both": 2, "theirs": 2}


@pytest.mark.parametrize(
    ("url", "use_ssl", "tls"),
    [
        ("amqp://h//", None, False),
        ("amqp://h//", False, False),
        ("amqp://h//", True, CHECKED),
        ("amqps://h//", None, CHECKED),
        ("amqps://h//", False, CHECKED),
        ("amqps://h//", True, CHECKED),
        (["amqps://h//", "amqps://other//"], None, CHECKED),
        ("amqps://localhost//", None, {**CHECKED, "server_hostname": "localhost"}),
        ("amqps://", None, {**CHECKED, "server_hostname": "localhost"}),
        ("amqps://h//", {"cert_reqs": ssl.CERT_NONE}, {"cert_reqs": ssl.CERT_NONE}),
        ("amqp://h//", {"server_hostname": None}, {"server_hostname": None}),
    ],
)
def test_tls_is_as_the_app_says_and_checked_where_it_says_no_more(url: Any, use_ssl: Any, tls: Any) -> None:
    connection = described(url, use_ssl)
    assert app_tls(connection) == tls
    # With the transport there, kombu has turned TLS on for amqps:// by itself.
    assert connection.transport is not None
    assert app_tls(connection) == tls
    if isinstance(use_ssl, dict):
        assert app_tls(connection) is not use_ssl


@pytest.mark.parametrize(
    ("url", "use_ssl", "tls"),
    [
        ("redis://h/0", None, False),
        ("rediss://h/0", None, REDIS_CHECKED),
        ("rediss://h/0;rediss://other/0", None, REDIS_CHECKED),
        ("rediss://h/0?ssl_cert_reqs=none", None, {"ssl_cert_reqs": ssl.CERT_NONE}),
        ("rediss://h/0", {"ssl_cert_reqs": "none"}, {"ssl_cert_reqs": "none"}),
        ("", None, False),
    ],
)
def test_the_same_for_redis(url: str, use_ssl: Any, tls: Any) -> None:
    assert (described(url, use_ssl).ssl or False) == tls


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("amqp://u:se/cret@h//", "amqp://u:**@h//"),
        ("amqp://a//;amqp://u:se/cret@h//", "amqp://a//;amqp://u:**@h//"),
        (["amqp://a//", "amqp://u:se/cret@h//"], "amqp://a//;amqp://u:**@h//"),
        ("redis://:se/cret@h/0", "redis://:**@h/0"),
        ("nonsense://u:secret@h", "nonsense://u:**@h"),
        ("amqp://u:secret@h//?cret=1", "amqp://u:**@h//?**"),
    ],
)
def test_a_url_that_cannot_be_read_is_a_wrong_setting_told_without_its_password(url: Any, told: str) -> None:
    config = PubSubConfig(TaskMapping(), lambda: celery_app(url), "amqp://127.0.0.1//", "events", "q")
    with pytest.raises(MisconfigurationException) as raised:
        Subscriber(config).start()
    assert str(raised.value) == f"the Celery app's broker URL cannot be read, or names no transport: {told}"
    assert raised.value.__context__ is None


def test_a_host_beside_the_first_may_be_a_bare_name() -> None:
    assert described("amqp://h//;other").alt == ["amqp://h//", "other"]
