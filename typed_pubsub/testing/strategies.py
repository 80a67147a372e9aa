"""Hypothesis strategies of events, from their schemas: ``events(Model)``, ``st.from_type(Model)``, ``committed(file)``.

Importing this module registers every event class with Hypothesis, those that are defined later too::

    @given(events(MatchesPublished))
    def test_a_match_causes_one_task(event: MatchesPublished) -> None: ...
"""

import functools
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st

from typed_pubsub.events import Event, EventType, StructEvent
from typed_pubsub.events.binding import on_bound
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.keyed import read_event
from typed_pubsub.events.message import ID, SCHEMA_VERSION, SOURCE, SPEC_VERSION
from typed_pubsub.events.registry import EventMeta, meta_of
from typed_pubsub.schema import schema_of
from typed_pubsub.schema.bodies import Sent, sent_by
from typed_pubsub.schema.closed import written
from typed_pubsub.schema.files import read_file

E = TypeVar("E", bound=EventType)

__all__ = ["committed", "events"]


def events(model: type[E]) -> st.SearchStrategy[E]:
    """Events of ``model`` that can be published: all constraints hold, the words of its key are words of a key.

    Small, readable ones come first. Those that the model's own validators refuse are left out; if these are most of
    all, Hypothesis says so (``HealthCheck.filter_too_much``).

    Raises:
        DefinitionError: ``model`` is no event, abstract, or has a field without a JSON Schema.
    """
    return _made(model)


def committed(file: str | Path) -> st.SearchStrategy[Delivery]:
    """Deliveries as a publisher with this committed schema sends them, of whatever version it is.

    ::

        @pytest.mark.parametrize("file", Path("schemas").rglob("*.json"), ids=str)
        @given(data=st.data())
        def test_every_committed_version_is_scheduled(file: Path, data: st.DataObject) -> None:
            table = config.routing_table(default_registry)
            assert not isinstance(table.decide(data.draw(committed(file))), DeadLetter)

    Raises:
        SchemaError: it is no schema file of an event.
    """
    path = Path(file)
    contract = read_file(path)
    headers = {SPEC_VERSION: "1.0", SOURCE: "a-publisher", SCHEMA_VERSION: str(contract.version)}
    sent = sent_by(written(contract.schema), contract.template)
    ids = st.uuids(version=4).map(str)
    return st.tuples(sent, ids).map(
        lambda pair: Delivery(
            pair[0].routing_key, pair[0].body, pair[1], exchange="an_exchange", headers={**headers, ID: pair[1]}
        )
    )


@functools.cache
def _made(model: Any) -> st.SearchStrategy[Any]:
    meta = meta_of(model)
    sent = sent_by(written(schema_of(model)), meta.key)
    return sent.map(lambda one: _read(meta, one)).filter(lambda event: event is not None)


def _read(meta: EventMeta, sent: Sent) -> Any:
    try:
        return read_event(meta, sent.routing_key, sent.body)
    except BodyError:
        return None


def _register(model: Any) -> None:
    # Made when it is first drawn from: a forward reference may still be open.
    st.register_type_strategy(model, lambda _model: st.deferred(lambda: events(model)))


def _bound(base: Any) -> list[Any]:
    found = [cls for cls in base.__subclasses__() if cls.__event_meta__ is not None]
    return found + [deeper for cls in base.__subclasses__() for deeper in _bound(cls)]


for _model in (*_bound(Event), *_bound(StructEvent)):
    _register(_model)
on_bound.append(_register)
