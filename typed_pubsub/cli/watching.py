"""Events that pass, as lines."""

import textwrap
from datetime import datetime
from typing import Any

import msgspec

from typed_pubsub.cli.printing import printable_json
from typed_pubsub.events import tagged
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.events.keyed import read_event
from typed_pubsub.events.registry import EventMeta, default_registry, meta_of, name_of
from typed_pubsub.events.upcasts import chains_to
from typed_pubsub.ops.recordings import write_line
from typed_pubsub.texts import printable


class Shown:
    """How ``tail`` shows an event: a line, and its body below it where that is asked for."""

    def __init__(self, *, form: str, decode: bool) -> None:
        """``form``: text, or json: one object a line, as ``record`` writes it."""
        self._form = form
        self._decode = decode

    def lines(self, delivery: Delivery, now: datetime) -> str:
        """The event, without a line's end."""
        if self._form == "json":
            return printable_json(write_line(delivery, now).decode().rstrip("\n"))
        said = read_metadata(delivery)
        event_id = said.event_id if said.has_id else "-"
        size = f"{len(delivery.body):,} B"
        cells = (f"{now.astimezone():%H:%M:%S}", delivery.routing_key, event_id, said.source or "-", size)
        head = printable("  ".join(cells))
        if not self._decode:
            return head
        body = printable(self._body(delivery), keep="\n")
        return f"{head}\n{textwrap.indent(body, '    ')}"

    def _body(self, delivery: Delivery) -> str:
        model = default_registry.find(delivery.routing_key)
        text = _pretty(delivery.body)
        if model is None:
            return f"(no model is bound to this key)\n{text}"
        try:
            _read(meta_of(model), delivery)
        except BodyError as error:
            return f"{name_of(model)}: does not fit: {error}\n{text}"
        except Exception as error:  # noqa: BLE001  # a validator or an upcast may raise anything
            return f"{name_of(model)}: cannot be read: {type(error).__name__}: {error}\n{text}"
        return f"{name_of(model)}\n{text}"


def _read(meta: EventMeta, delivery: Delivery) -> Any:
    """The event, as a subscriber would read it."""
    said = read_metadata(delivery)
    chain = None if said.version in (None, meta.version) else chains_to(meta, default_registry).get(said.version)
    body = delivery.body if said.ours else tagged.plain(delivery.body)
    return read_event(meta, delivery.routing_key, body) if chain is None else chain.read(delivery.routing_key, body)


def _pretty(body: bytes) -> str:
    try:
        return msgspec.json.format(body).decode()
    except (ValueError, RecursionError):
        return repr(body)
