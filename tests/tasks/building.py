"""Apps that connect to nothing, and messages built for them on either road."""

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from celery import Celery

from typed_pubsub.brokers.frames import UNREADABLE
from typed_pubsub.brokers.properties import Form, decode, encode
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.tasks.builder import TaskBuilder, TaskMessage

#: Nothing connects to it.
RABBITMQ = "amqp://nowhere//"
OURS = {"ce-id": "an-id", "ce-source": "a-service", "ce-type": "a.key", "ce-correlationid": "a-talk"}
SOON = datetime.now(UTC) + timedelta(hours=1)
NEAR = timedelta(seconds=20)


def takes_any(*args: object, **named: object) -> None: ...


def takes_two(first: object, second: object = None) -> None: ...


def app_of(url: str = RABBITMQ, declared: Any = (), **conf: Any) -> Celery:
    app = Celery("service", broker=url, set_as_current=False, changes={"enable_utc": True, "task_ignore_result": True})
    app.conf.update(conf)
    with warnings.catch_warnings():
        # Celery would rather have task_routes.
        warnings.simplefilter("ignore")
        app.task(name="tasks.any", shared=False, **dict(declared))(takes_any)
        app.task(name="tasks.two", shared=False, **dict(declared))(takes_two)
        app.finalize()
    return app


def through_celery(builder: TaskBuilder, call: TaskCall, headers: dict[str, str]) -> Any:
    return builder._through_celery(call, headers)


def from_template(builder: TaskBuilder, call: TaskCall, headers: dict[str, str]) -> TaskMessage | None:
    return builder._templates.fill(call, headers)


def outcome(road: Callable[..., list[TaskMessage]], *arguments: Any) -> Any:
    try:
        return [timeless(message) for message in road(*arguments)]
    except Exception as error:  # noqa: BLE001  # it is compared
        return type(error), str(error)


def timeless(message: TaskMessage) -> tuple[Any, list[Any]]:
    """The message, and beside it what the clock has a part in."""
    if not message.mandatory:
        return ("Celery's own event", message.exchange, message.routing_key), []
    if message.form is not None:
        assert on_the_wire(message, message.form) == on_the_wire(message, None)
    headers, properties = dict(message.headers), dict(message.properties)
    moments = [headers.pop("eta", None), headers.pop("expires", None), properties.pop("expiration", None)]
    return msgspec.structs.replace(message, headers=headers, properties=properties, form=None), moments


def on_the_wire(message: TaskMessage, form: Form | None) -> Any:
    """The properties as a worker reads them, or why AMQP cannot carry them."""
    properties = message.basic_properties()
    try:
        written = decode(encode(properties) if form is None else form.encode(properties), 0)
    except UNREADABLE as error:
        return type(error), str(error)
    # By their texts: 1, 1.0 and True are equal.
    return {name: str(sorted(value.items()) if isinstance(value, dict) else value) for name, value in written.items()}


def assert_alike(ours: Any, theirs: Any) -> None:
    if not isinstance(theirs, list):
        assert ours == theirs
        return
    assert [message for message, _ in ours] == [message for message, _ in theirs]
    for (_, mine), (_, its) in zip(ours, theirs, strict=True):
        for one, other in zip(mine, its, strict=True):
            assert type(one) is type(other)
            if one == other:
                continue
            if one.isdigit():
                assert abs(int(one) - int(other)) < NEAR.total_seconds() * 1000
                continue
            first, second = datetime.fromisoformat(one), datetime.fromisoformat(other)
            assert abs(first - second) < NEAR
            assert first.utcoffset() == second.utcoffset()


#: Of one shape each.
CALL = TaskCall("tasks.any", (1, "two"), {"named": None}, {"task_id": "an-id"}, local=True)
REMOTE = TaskCall("elsewhere.task", (1, "two"), {"named": None}, {"task_id": "an-id"})


def one(builder: TaskBuilder, call: TaskCall = CALL) -> TaskMessage:
    (message,) = builder.build(call, OURS)
    return msgspec.structs.replace(message, form=None)


def templated(builder: TaskBuilder, call: TaskCall = CALL) -> bool:
    return from_template(builder, call, OURS) is not None


def ready(app: Celery, call: TaskCall = CALL) -> TaskBuilder:
    """A builder that has a template for the call."""
    builder = TaskBuilder(app)
    one(builder, call)
    assert templated(builder, call)
    return builder
