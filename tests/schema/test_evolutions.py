"""The corpus of evolutions is true: every verdict in it is held against the readers themselves."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from tests.schema.evolutions import EVOLUTIONS
from tests.schema.evolutions.evolution import ENOUGH, Evolution
from typed_pubsub.events import EventType
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.keyed import write_event
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import schema_of
from typed_pubsub.schema.closed import written
from typed_pubsub.schema.fits import fits


def _steps(_validator: Any, _step: Any, number: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
    if not fits(schema, number):
        yield jsonschema.ValidationError(f"{number} is no multiple")


#: JSON Schema knows no tolerance, pydantic has one.
_Validator: Any = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"multipleOf": _steps})


def _read(reader: Any, event: EventType) -> Any:
    return meta_of(reader).codec.read(write_event(event)[1])


def _is_accepted(writer: Any, reader: Any, samples: Iterable[Any]) -> None:
    assert len({write_event(sample)[1] for sample in samples}) >= ENOUGH
    for sample in samples:
        assert type(sample) is writer
        assert type(_read(reader, sample)) is reader


def _is_refused(writer: Any, reader: Any, event: EventType) -> None:
    assert type(event) is writer
    with pytest.raises(BodyError):
        _read(reader, event)


@pytest.mark.parametrize("evolution", EVOLUTIONS, ids=lambda evolution: evolution.name)
def test_the_corpus_is_true(evolution: Evolution) -> None:
    e = evolution
    for verdict, writer, reader, refused, samples in (
        (e.backward, e.old, e.new, e.refused_back, e.samples_old),
        (e.forward, e.new, e.old, e.refused_forward, e.samples_new),
    ):
        if refused is None:
            assert verdict or e.lax
            _is_accepted(writer, reader, samples)
        else:
            assert not verdict
            _is_refused(writer, reader, refused)


@pytest.mark.parametrize("evolution", EVOLUTIONS, ids=lambda evolution: evolution.name)
def test_every_body_of_the_corpus_fits_the_schema_of_its_writer(evolution: Evolution) -> None:
    e = evolution
    for writer, events in (
        (e.old, (*e.samples_old, e.refused_back)),
        (e.new, (*e.samples_new, e.refused_forward)),
    ):
        validator = _Validator(written(schema_of(writer)))
        for event in events:
            if event is not None:
                validator.validate(json.loads(write_event(event)[1]))


def test_evolutions_have_names_of_their_own() -> None:
    assert [name for name, count in Counter(e.name for e in EVOLUTIONS).items() if count > 1] == []


def test_the_corpus_is_broad() -> None:
    structs = [e for e in EVOLUTIONS if not issubclass(e.new, BaseModel)]
    assert len(EVOLUTIONS) >= 400
    assert 3 * len(structs) >= len(EVOLUTIONS)


def test_a_model_that_writes_as_it_reads_needs_no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = [cls for e in EVOLUTIONS for cls in (e.old, e.new) if issubclass(cls, BaseModel)]
    seen = [schema_of(cls) for cls in classes]
    monkeypatch.setattr("typed_pubsub.schema.export.writes_as_it_reads", lambda _schema: False)
    assert [schema_of(cls) for cls in classes] == seen
    assert 10 < sum("x-writes" in schema for schema in seen) < len(seen) / 2
