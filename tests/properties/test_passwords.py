"""No password is ever told, whatever it is made of: not by a masked URL, a repr, an error or what caused it."""

import logging
import traceback
from collections.abc import Iterator
from importlib import metadata
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.services import celery_app
from typed_pubsub import (
    ConnectFailed,
    Publisher,
    PublishFailed,
    PubSubConfig,
    PubSubError,
    Registry,
    Subscriber,
    TaskMapping,
)
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.event_broker import EventBroker, event_connection, masked
from typed_pubsub.ops.consumers import judge_queue
from typed_pubsub.tasks.task_outlet import task_outlet

pytestmark = pytest.mark.once

# What is found is the password's: nothing else of what is told has this in it.
TEXTS = st.text(
    st.sampled_from("@/#%?;:[]&=+ \\\"'é٣") | st.characters(codec="utf-8", exclude_characters="\0"), min_size=2
)
PASSWORDS = st.builds("{}zQ9{}".format, TEXTS, TEXTS)
FORMS = (
    "amqp://user:{}@127.0.0.1:1//",
    "amqp://me@corp:{}@127.0.0.1:1//",
    "amqps://:{}@127.0.0.1:1/vhost?heartbeat=5",
    "amqp://127.0.0.1:1//;amqps://user:{}@127.0.0.1:1//",
    "amqp://user:{}@127.0.0.1:1//;amqp://127.0.0.1:1//",
    "amqp://user:{}@127.0.0.1:no-port//",
    "user:{}@127.0.0.1",
    "amqp://user:not-a-port-{}",
    "redis://:{}@127.0.0.1:1/0",
    "sqlite://user:{}@127.0.0.1//",
    "sqlite:///user:{}@127.0.0.1//",
    "sqlite:///file?password={}",
    "amqp://127.0.0.1:1//?password={}",
)


@pytest.fixture(autouse=True, scope="module")
def no_entry_points() -> Iterator[None]:
    """Nothing that a URL is told as; a publisher looks for them among all that is installed, which takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "entry_points", lambda **_group: [])
        yield


def told_by(error: BaseException | None) -> Iterator[str]:
    """The texts of an error, of its causes, and of its context even where that is not shown."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args))
        error = error.__cause__ or error.__context__


def of_settings(url: str) -> Iterator[str]:
    try:
        config = PubSubConfig(broker_url=url, exchange="events")
    except PubSubError as error:
        yield from told_by(error)
        return
    yield repr(config)
    try:
        yield repr(EventBroker(url))
        for host in url.split(";"):
            yield repr(event_connection(host))
        yield repr(Publisher(config, registry=Registry()))
    except PubSubError as error:
        yield from told_by(error)


def of_celery(url: str) -> Iterator[str]:
    try:
        yield repr(task_outlet(celery_app(url)))
    except PubSubError as error:
        yield from told_by(error)


def urls(form: str, password: str) -> Iterator[str]:
    """The password as it is, and quoted as a URL needs it."""
    for written in (password, quote(password, safe="")):
        # What follows an @ at the end of a URL is its host, and no password.
        if not (form.endswith("{}") and "@" in written):
            yield form.format(written)


def refuse(password: str, texts: Iterator[str]) -> None:
    for text in texts:
        assert password not in text
        assert repr(password)[1:-1] not in text
        assert quote(password, safe="") not in text or quote(password, safe="").isdigit()


@pytest.mark.parametrize("form", FORMS)
@given(password=PASSWORDS)
@example(password="s3cret;amqp://s3cret")
@example(password="12?a=s3cret")
@example(password="12?ssl_cert_reqs=s3cret")
@example(password="s3cret://s3cret")
@example(password="[s3cret")
@example(password="12/s3cret")
def test_what_a_url_is_told_as_never_has_its_password(form: str, password: str) -> None:
    for url in urls(form, password):
        refuse(password, iter([masked(url)]))
        refuse(password, of_settings(url))


@pytest.mark.parametrize("form", [form for form in FORMS if not form.startswith("sqlite")])
@given(password=PASSWORDS)
@example(password="12?a=s3cret")
@example(password="[s3cret")
def test_nor_does_what_is_told_of_a_celery_app(form: str, password: str) -> None:
    if "://" in form:
        for url in urls(form, password):
            refuse(password, of_celery(url))


NASTY = ("s3cret;amqp://s3cret@h", "12/s3cret?a=b#c", "per%cent@at:colon", "a space 'and' \"quotes\"", "ümläut")


@pytest.mark.parametrize("password", NASTY)
@pytest.mark.parametrize("refused_by", ["nobody", pytest.param("rabbitmq", marks=pytest.mark.broker)])
def test_nor_does_anything_that_a_refused_connection_leaves_behind(
    password: str, refused_by: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    known: str = (
        request.getfixturevalue("vhost_url") if refused_by == "rabbitmq" else "amqp://guest:guest@127.0.0.1:1//"
    )
    host = known.replace("guest:guest", f"guest:{quote(password, safe='')}")
    url = f"{host};{host}"
    caplog.set_level(logging.DEBUG)
    texts = [str(judge_queue(url, "q", 5.0))]
    with pytest.raises(FAULTS) as fault:
        EventBroker(url).connect(5.0)
    config = PubSubConfig(
        TaskMapping(), lambda: celery_app(url), url, "events", "q", connect_timeout=0.3, publish_timeout=0.3
    )
    with Publisher(config) as publisher, pytest.raises(PublishFailed) as unpublished:
        publisher.publish_event("a.key", {})
    with pytest.raises(ConnectFailed) as unconnected:
        Subscriber(config).start()
    for caught in (fault, unpublished, unconnected):
        texts += [*told_by(caught.value), "".join(traceback.format_exception(caught.value))]
    assert "127.0.0.1" in texts[0]
    assert caplog.text
    refuse(password, iter([*texts, caplog.text]))
