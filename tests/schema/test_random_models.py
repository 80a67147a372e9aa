"""Random models do what they are for: they build, and their events are written and read by their own class."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.schema.changes import changes
from tests.schema.descriptions import Field, Model, Text
from tests.schema.random_models import instances, pairs
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.registry import meta_of

pytestmark = pytest.mark.once


@settings(max_examples=300)
@given(pairs(), st.data())
def test_pairs_build_and_their_events_come_back(pair: tuple[Any, Any], data: st.DataObject) -> None:
    for event in pair:
        made = data.draw(instances(event))
        key, body = write_event(made)
        assert type(read_event(meta_of(event), key, body)) is event


def test_a_change_may_make_a_field_optional_and_leaves_no_event_without_fields() -> None:
    model = Model((Field(("a",), Text()),))
    changed = [*changes(model, 0), *changes(model, 1)]
    assert Model((Field(("a",), Text(), optional=True),)) in changed
    assert Model((Field(("a",), Text()), Field(("b",), Text()))) in changed
    assert all(other.fields for other in changed)
