"""One message that Celery has built, as a template for those of calls of the same shape.

Everything here raises whatever there is to raise; then Celery's own road is taken, which says it in Celery's words.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import celery.app.base
import msgspec
from kombu.utils.json import JSONEncoder

from typed_pubsub.brokers.properties import Form
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.tasks.messages import Prepared, TaskMessage
from typed_pubsub.tasks.moments import due, expiry
from typed_pubsub.tasks.reprs import argument_text
from typed_pubsub.tasks.watch import NotOwnError, Watch, check_backend, check_task, task_state

_queue_state = attrgetter("routing_key", "exchange", "exchange.name", "exchange.type", "exchange.delivery_mode")
_base: Any = celery.app.base
# What ``fill`` writes, beside the headers of the call and of the event.
_FILLED_HEADERS = frozenset({"id", "root_id", "argsrepr", "kwargsrepr", "eta", "expires"})
_FILLED_PROPERTIES = frozenset({"correlation_id", "reply_to", "expiration"})
_json: Any = json.encoder


def _text_encoder() -> Callable[[Any], str]:
    """As ``json.dumps`` with kombu's encoder, which makes encoder and C encoder anew for each message."""
    ours = JSONEncoder()
    if _json.c_make_encoder is None:
        return ours.encode
    parts = _json.c_make_encoder(
        None, ours.default, _json.encode_basestring_ascii, None, ours.key_separator, ours.item_separator,
        ours.sort_keys, ours.skipkeys, ours.allow_nan,
    )  # fmt: skip
    return lambda value: "".join(parts(value, 0))


_encode = _text_encoder()


@dataclass(frozen=True, slots=True)
class Template:
    """What the messages of all calls of one shape have in common."""

    app: Any
    #: The app's, which ``Watch`` knows to be the same: what Celery caches is slow to ask for.
    amqp: Any
    router: Any
    #: Of the broker.
    driver_type: str
    #: The setting task_repr_maxlevels.
    maxlevels: Any
    task: Any
    is_local: bool
    waits_for_result: bool
    written: TaskMessage
    properties: dict[str, Any]
    #: The end of the body, after the arguments.
    embedded: str
    state: tuple[Any, ...]

    def fill(self, call: TaskCall, headers: Mapping[str, str], task_id: Any = None) -> TaskMessage:
        """The message of a call of this shape.

        Args:
            call: to be sent.
            headers: of the event.
            task_id: instead of the call's own, or a new one.

        Raises:
            NotOwnError: something is not as it was, or not plain.
        """
        app, written, options = self.app, self.written, call.options
        if _state(app, self.router, call.task, written.declare, waits_for_result=self.waits_for_result) != self.state:
            raise NotOwnError
        args, kwargs = self._arguments(call)
        ours = _apart(written.headers)
        properties = self.properties.copy()
        ours["id"] = properties["correlation_id"] = task_id = task_id or options.get("task_id") or _base.uuid()
        ours["root_id"] = options.get("root_id") or task_id
        properties["reply_to"] = options.get("reply_to") or app.thread_oid
        if options.get("argsrepr") is None:
            ours["argsrepr"] = argument_text(args, self.amqp.argsrepr_maxsize, self.maxlevels)
        if options.get("kwargsrepr") is None:
            ours["kwargsrepr"] = argument_text(kwargs, self.amqp.kwargsrepr_maxsize, self.maxlevels)
        self._set_moments(options, ours, properties)
        ours.update(options.get("headers") or ())
        ours.update(headers)
        # kombu's body is [args, kwargs, embedded].
        body = _encode((args, kwargs))[:-1] + self.embedded
        return TaskMessage(
            body, written.content, ours, properties, written.exchange, written.routing_key, written.mandatory,
            written.declare, written.form,
        )  # fmt: skip

    def _arguments(self, call: TaskCall) -> tuple[Any, Any]:
        """As ``Task.apply_async`` looks at them."""
        args: Any = call.args
        kwargs: Any = call.kwargs
        if self.is_local:
            # Tasks that are classes have none.
            check = getattr(self.task, "__header__", None) if self.task.typing else None
            if check is not None:
                check(*args, **kwargs)
            # Of a task declared with pydantic=True.
            dump = self.task._dump_pydantic_arguments  # noqa: SLF001
            if dump is not None:
                args, kwargs = dump(args, kwargs)
        if (type(args), type(kwargs)) != (tuple, dict):
            raise NotOwnError
        return args, kwargs

    def _set_moments(self, options: Mapping[str, Any], headers: dict[str, Any], properties: dict[str, Any]) -> None:
        expires = options["expires"] if "expires" in options else _declared_expiry(self.task)
        countdown, eta = options.get("countdown"), options.get("eta")
        headers["eta"] = headers["expires"] = None
        if countdown is None and eta is None and expires is None:
            return
        # RabbitMQ's quorum queues hold such a task themselves, under another routing key.
        if (countdown or eta) and _base.detect_quorum_queues(self.app, self.driver_type)[0]:
            raise NotOwnError
        now, zone = datetime.now(UTC), self.app.timezone
        headers["eta"] = due(countdown, eta, now, zone)
        if expires is not None:
            headers["expires"], properties["expiration"] = expiry(expires, now, zone)


def learn(
    watch: Watch, call: TaskCall, headers: Mapping[str, str], message: TaskMessage, prepared: Prepared
) -> Template:
    """The template of a message that Celery has built for a call.

    Args:
        watch: of the app.
        call: of the message.
        headers: of its event.
        message: as it was recorded.
        prepared: what it was made of.

    Raises:
        NotOwnError: something about it is not plain, or is somebody else's code.
    """
    app = watch.app
    *_, embedded = prepared.body
    if prepared.serializer != "json" or prepared.compression or any(embedded.values()):
        raise NotOwnError
    task = app._tasks.get(call.task)  # noqa: SLF001
    if task is not None:
        check_task(app, task)
    is_local = call.local and task is not None
    declared = getattr(task, "ignore_result", None) if is_local else None
    waits_for_result = not call.options.get("ignore_result", declared)
    if waits_for_result:
        check_backend(app.backend)
    return Template(
        app=app,
        amqp=app.amqp,
        router=app.amqp.router,
        driver_type=watch.driver_type,
        maxlevels=watch.setting("task_repr_maxlevels"),
        task=task,
        is_local=is_local,
        waits_for_result=waits_for_result,
        written=msgspec.structs.replace(message, headers=_apart(message.headers), form=_form(call, headers, message)),
        properties={name: value for name, value in message.properties.items() if name != "expiration"},
        embedded=f", {_encode(embedded)}]",
        state=_state(app, app.amqp.router, call.task, message.declare, waits_for_result=waits_for_result),
    )


def _form(call: TaskCall, headers: Mapping[str, str], message: TaskMessage) -> Form:
    varying = _FILLED_HEADERS.union(call.options.get("headers") or (), headers)
    return Form(message.basic_properties(), headers=varying, others=_FILLED_PROPERTIES)


def _apart(headers: dict[str, Any]) -> dict[str, Any]:
    """A copy that has nothing in common with the headers of a message that others may change."""
    return {**headers, "timelimit": headers["timelimit"].copy(), "stamps": {}}


def _state(app: Any, router: Any, name: str, declare: Sequence[Any], *, waits_for_result: bool) -> tuple[Any, ...]:
    """What decides the messages of one task of that name, beside what ``Watch`` looks at."""
    task = app._tasks.get(name)  # noqa: SLF001
    queues = router.queues
    return (
        task,
        task_state(task) if task is not None else None,
        # Mappings of the settings, which may be changed in place.
        [route(name) for route in router.routes],
        [(queues.get(queue.name), _queue_state(queue)) for queue in declare],
        app.backend.on_task_call if waits_for_result else None,
    )


def _declared_expiry(task: Any) -> Any:
    return task._get_exec_options()["expires"] if task is not None else None  # noqa: SLF001
