"""Whether Celery and kombu build messages by their own code alone, asked anew for every message.

Tracing and error reporting replace functions of both (Sentry does so with ``Task.apply_async`` and
``Producer.publish``), apps override them, receivers of signals change messages, and routers are anyone's code. Where
any of it is there, only Celery itself can tell what a message looks like.
"""

import os
import time
from operator import attrgetter
from types import FunctionType
from typing import Any

import celery._state
import celery.app.amqp
import celery.app.base
import kombu.messaging
import kombu.serialization
from celery import signals
from celery.app.amqp import Queues
from celery.app.routes import MapRoute
from celery.utils.dispatch import Signal

# Any: much of this is not public, and celery-types does not know it.
_amqp: Any = celery.app.amqp
_base: Any = celery.app.base
_messaging: Any = kombu.messaging
_serialization: Any = kombu.serialization
_running: Any = celery._state  # noqa: SLF001

# Settings that Celery, or this library, reads for each message. The others are read once, by Celery too.
_SETTINGS = (
    "task_always_eager",
    "task_default_queue",
    "task_repr_maxlevels",
    "task_send_sent_event",
    "task_serializer",
)
# Seconds after which they are read again where an object holds them that nobody compares (config_from_object).
_READ_AGAIN = 1.0

# On whose code a message depends: the functions of one kind of object each, in the order of _HOMES.
_APP = ("send_task", "producer_or_acquire", "now")
_ROUTER = ("route", "expand_destination", "lookup_route", "query_router")
_PRODUCER = ("publish", "_publish", "_prepare", "_delivery_details")
_IN_AMQP = ("saferepr", "anon_nodename", "add_seconds_to_datetime", "maybe_make_aware")
_IN_BASE = ("detect_quorum_queues", "subtract_datetimes", "get_current_worker_task")
_TASK = ("apply_async", "shadow_name", "_get_exec_options", "_get_app", "AsyncResult")
_of_app, _of_router, _of_producer = attrgetter(*_APP), attrgetter(*_ROUTER), attrgetter(*_PRODUCER)
_in_amqp, _in_base, _of_task = attrgetter(*_IN_AMQP), attrgetter(*_IN_BASE), attrgetter(*_TASK)
_task_values = attrgetter(
    "name", "_app", "_exec_options", "ignore_result", "serializer", "time_limit", "soft_time_limit", "__v2_compat__"
)

# The modules that these functions are at home in, and their names there.
_HOMES: tuple[tuple[str, str], ...] = (
    *(("celery.app.base", name) for name in _APP),
    *(("celery.app.routes", name) for name in _ROUTER),
    *(("kombu.messaging", name) for name in _PRODUCER),
    ("celery.utils.saferepr", "saferepr"),
    ("celery.utils.nodenames", "anon_nodename"),
    ("celery.utils.time", "add_seconds_to_datetime"),
    ("celery.utils.time", "maybe_make_aware"),
    ("celery.utils.quorum_queues", "detect_quorum_queues"),
    ("celery.utils.time", "subtract_datetimes"),
    ("celery._state", "get_current_worker_task"),
    ("celery.app.amqp", "send_task_message"),
    ("celery.app.amqp", "as_task_v2"),
    ("celery.result", "__init__"),
    ("celery.app.routes", "__call__"),
    ("celery.utils.dispatch.signal", "send"),
    ("kombu.serialization", "dumps"),
    ("kombu.utils.json", "dumps"),
)
_TASK_HOMES = tuple(("celery.app.task", name) for name in _TASK)
# Result backends whose on_task_call does nothing, or nothing where results are not waited for.
_QUIET = ("celery.backends.base", "celery.backends.redis", "celery.backends.rpc")


class NotOwnError(Exception):
    """Only Celery itself can tell what a message looks like."""


class Watch:
    """What decides the messages of one app, beside the calls themselves."""

    def __init__(self, app: Any, driver_type: str) -> None:
        """``driver_type`` is that of the app's broker."""
        self.app = app
        self.driver_type = driver_type
        self._seen: tuple[Any, ...] = ()
        self._own = False
        self._settings: tuple[Any, ...] = ()
        self._read_again = 0.0

    def changed(self) -> bool:
        """Whether anything is not as it was when this was called last."""
        if time.monotonic() >= self._read_again:
            self._read_settings()
        if self._look() == self._seen:
            return False
        self._read_settings()
        self._own = self._judge()
        code, *values = self._look()
        # Copies of what may change in place.
        self._seen = (code, *(value.copy() if type(value) is dict else value for value in values))
        return True

    def is_own(self) -> bool:
        """Whether Celery's own code alone decides the next message; ``changed`` comes first."""
        return (
            self._own
            and not signals.before_task_publish.receivers
            and not signals.after_task_publish.receivers
            and not signals.task_sent.receivers
            # A task that runs here, if any, would become the parent of what is sent.
            and (_nothing_runs() or self.app.current_worker_task is None)
        )

    def setting(self, name: str) -> Any:
        """One of the settings that are read for each message, as ``changed`` found it."""
        return self._settings[_SETTINGS.index(name)]

    def _look(self) -> tuple[Any, ...]:
        try:
            return self._found()
        except KeyError:
            # Celery makes these when they are first asked for.
            amqp = self.app.amqp
            _ = amqp.router, amqp.create_task_message, amqp.send_task_message, self.app.AsyncResult
            return self._found()

    def _found(self) -> tuple[Any, ...]:
        # Not by app.amqp and its like: each of Celery's cached properties takes as long as all the rest.
        app, made = self.app, self.app.__dict__
        amqp: dict[str, Any] = made["amqp"].__dict__
        router = amqp["router"]
        code = (
            *_of_app(app),
            *_of_router(router),
            *_of_producer(kombu.Producer),
            *_in_amqp(_amqp),
            *_in_base(_base),
            amqp["send_task_message"],
            amqp["create_task_message"],
            made["AsyncResult"].__init__,
            MapRoute.__call__,
            Signal.send,
            _messaging.dumps,
            _serialization.registry._encoders["json"].encoder,  # noqa: SLF001
        )
        # The pid is a part of the origin that is written into each message.
        return (
            code, self._settings, app.conf.changes, amqp, router.queues, router.queues.aliases.data, (*router.routes,),
            kombu.Producer.compression, os.getpid(),
        )  # fmt: skip

    def _judge(self) -> bool:
        code, *_ = self._look()
        app, router = self.app, self.app.amqp.router
        return (
            _are_at_home(code, _HOMES)
            and _is_at_home(app.__class__.current_worker_task.fget, "celery.app.base", "current_worker_task")
            and type(router.queues) is Queues
            and all(type(route) is MapRoute for route in router.routes)
            and not self.setting("task_always_eager")
        )

    def _read_settings(self) -> None:
        self._settings = tuple(self.app.conf.get(name) for name in _SETTINGS)
        self._read_again = time.monotonic() + _READ_AGAIN


def task_state(task: Any) -> tuple[Any, ...]:
    """What of a registered task decides its messages."""
    return _of_task(task), _task_values(task)


def check_task(app: Any, task: Any) -> None:
    """Raises NotOwnError for a registered task that is not sent by Celery's own code, and by this app."""
    # A proxy is equal to its app.
    is_of_app = task._app == app  # noqa: SLF001
    if not is_of_app or not _are_at_home(_of_task(task), _TASK_HOMES) or task.__v2_compat__:
        raise NotOwnError


def check_backend(backend: Any) -> None:
    """Raises NotOwnError for a result backend that may do anything when a task is sent."""
    if not any(_is_at_home(backend.on_task_call, home, "on_task_call") for home in _QUIET):
        raise NotOwnError


def _nothing_runs() -> bool:
    """Whether no thread runs a task, asked in a tenth of the time that current_worker_task takes."""
    local = getattr(_running._task_stack, "_local", None)  # noqa: SLF001
    return local is not None and not local.__storage__


def _are_at_home(functions: tuple[Any, ...], homes: tuple[tuple[str, str], ...]) -> bool:
    return all(_is_at_home(function, *home) for function, home in zip(functions, homes, strict=True))


def _is_at_home(function: Any, module: str, name: str) -> bool:
    """Whether a function, or a method, is the one that its module defines, and nothing that looks like it.

    ``functools.wraps`` copies names and the module's name, but no wrapper has another module's globals.
    """
    function = getattr(function, "__func__", function)
    return (
        type(function) is FunctionType
        and function.__globals__.get("__name__") == module
        and function.__code__.co_name == name
    )
