"""Messages of tasks made from one that Celery has built before for a call of the same shape.

Of two calls of one task with the same options Celery writes messages that differ in ids, arguments, moments and our
headers alone, as long as nobody's code but its own has a say in it (see ``watch``). So the first one is kept, and the
next are copies with those filled in. Whatever is not plain is Celery's.
"""

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.tasks.messages import Prepared, TaskMessage
from typed_pubsub.tasks.template import Template, learn
from typed_pubsub.tasks.watch import Watch

# Options may be made of events, such as a queue for each customer.
_MOST = 500
# Filled in anew for each call.
_FILLED = frozenset({"task_id", "headers", "countdown", "eta", "expires"})
# Written as they are, or decide where a message goes: a part of its shape.
_FIXED = frozenset({
    "queue", "exchange", "routing_key", "priority", "serializer", "compression", "time_limit", "soft_time_limit",
    "ignore_result", "shadow", "argsrepr", "kwargsrepr", "reply_to", "delivery_mode", "group_id", "root_id",
    "parent_id",
})  # fmt: skip
_PLAIN = frozenset({str, int, bool, type(None)})
# By how much the clock may differ between a message and its copy, made right after it.
_JITTER = timedelta(seconds=60)


class Templates:
    """The templates of one app."""

    def __init__(self, app: Any, driver_type: str) -> None:
        """``driver_type`` is that of the app's broker."""
        self._watch = Watch(app, driver_type)
        self._kept: dict[Hashable, Template] = {}
        self._was_own = False

    def __len__(self) -> int:
        return len(self._kept)

    def fill(self, call: TaskCall, headers: Mapping[str, str]) -> TaskMessage | None:
        """The message of a call, or None where Celery itself has to build it."""
        self._was_own = False
        try:
            self._was_own = self._is_own()
            if not self._was_own or (shape := _shape(call, headers)) is None:
                return None
            template = self._kept.get(shape)
            return template.fill(call, headers) if template is not None else None
        except Exception:  # noqa: BLE001  # Celery comes upon it too, and says what it is
            return None

    def keep(self, call: TaskCall, headers: Mapping[str, str], message: TaskMessage, prepared: Prepared) -> None:
        """Keeps a message that Celery has built, after ``fill`` gave None, if it is fit to be a template."""
        try:
            # Before and after: a receiver may have been connected for this message only.
            if not (self._was_own and self._is_own()) or (shape := _shape(call, headers)) is None:
                return
            template = learn(self._watch, call, headers, message, prepared)
            if not _alike(template.fill(call, headers, message.properties["correlation_id"]), message):
                return
        except Exception:  # noqa: BLE001  # then Celery builds the next one too
            return
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[shape] = template

    def _is_own(self) -> bool:
        if self._watch.changed():
            self._kept.clear()
        return self._watch.is_own()


def _shape(call: TaskCall, headers: Mapping[str, str]) -> Hashable:
    """All of a call that its template holds; None where an option is not plain, or not known here."""
    # Names of headers too: what they are set over is not in the template.
    shape: list[Any] = [call.task, call.local, (*headers,)]
    for name, value in call.options.items():
        if name in _FIXED:
            if type(value) not in _PLAIN and not (type(value) is float and value > 0):
                return None
            # 1, 1.0 and True are equal, but not to AMQP.
            shape += (name, type(value), value)
        elif name not in _FILLED:
            return None
        elif name == "headers":
            shape.append((*(value or ()),))
    return tuple(shape)


def _alike(filled: TaskMessage, message: TaskMessage) -> bool:
    """Whether they are equal, but for the time that has passed between them."""
    ours, theirs = filled.headers, message.headers
    near = all(
        ours[name] == theirs[name]
        or abs(datetime.fromisoformat(ours[name]) - datetime.fromisoformat(theirs[name])) < _JITTER
        for name in ("eta", "expires")
    )
    moments = {name: theirs[name] for name in ("eta", "expires")}
    ttl = message.properties.get("expiration")
    if ttl is not None and abs(int(filled.properties["expiration"]) - int(ttl)) < _JITTER.total_seconds() * 1000:
        filled = msgspec.structs.replace(filled, properties={**filled.properties, "expiration": ttl})
    return near and msgspec.structs.replace(filled, headers={**ours, **moments}, form=None) == message
