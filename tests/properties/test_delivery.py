"""Headers and properties: whatever an AMQP table can carry, the reader makes something safe of it."""

from hypothesis import given
from hypothesis import strategies as st

from typed_pubsub.events.delivery import Delivery, Metadata, read_metadata
from typed_pubsub.events.message import is_text

amqp_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64),
    st.floats(),
    st.text(),
    st.binary(),
    st.decimals(),
    st.datetimes(),
)
amqp_values = st.recursive(
    amqp_scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-time",
    "ce-dataschema",
    "ce-schemaversion",
    "traceparent",
]
NAMES += ["ce-correlationid", "ce-causationid", "x-pubsub-routing-key", "compression", "x-death"]
deaths = st.lists(
    st.dictionaries(st.sampled_from(["exchange", "queue", "routing-keys", "count"]), amqp_values) | amqp_values,
    max_size=3,
)
headers = st.dictionaries(st.sampled_from(NAMES) | st.text(), amqp_values | deaths)
PROPERTIES = [
    "content_type",
    "content_encoding",
    "message_id",
    "correlation_id",
    "timestamp",
    "type",
    "app_id",
    "priority",
]
properties = st.dictionaries(st.sampled_from(PROPERTIES), amqp_values)
deliveries = st.builds(
    Delivery,
    routing_key=st.text(),
    body=st.binary(),
    random_id=st.just("r1"),
    exchange=st.sampled_from(["", "events"]),
    headers=headers,
    properties=properties,
    wire_error=st.none() | st.just("frame"),
)


@given(deliveries)
def test_any_headers_and_properties_are_read_the_same_way_twice(delivery: Delivery) -> None:
    said = read_metadata(delivery)
    assert isinstance(said, Metadata)
    assert read_metadata(delivery) == said


@given(deliveries)
def test_what_is_taken_from_a_message_is_fit_for_a_log_and_a_header(delivery: Delivery) -> None:
    said = read_metadata(delivery)
    taken = [said.event_id, said.source, said.type, said.correlation_id, said.traceparent]
    assert all(value is None or is_text(value) for value in taken)
    assert said.event_id
    assert said.problem is None or said.problem.isprintable()
    assert said.version is None or said.version > 0
    assert set(said.task_headers()) <= {"ce-id", "ce-source", "ce-type", "ce-correlationid", "traceparent"}


@given(deliveries)
def test_only_the_default_exchange_lets_headers_speak_for_the_key(delivery: Delivery) -> None:
    if delivery.exchange:
        assert read_metadata(delivery).routing_key == delivery.routing_key
