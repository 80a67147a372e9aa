"""decide is total, repeatable and discreet, whatever a broker may hand over."""

from typing import Any, get_args

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from typed_pubsub.events import Event, Registry, StructEvent, upcast
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.routing import (
    DeadLetter,
    Policy,
    RoutingTable,
    Schedule,
    Skip,
    TaskCall,
    TaskMapping,
    call,
    remote_task,
)
from typed_pubsub.routing.decisions import Reason

REGISTRY = Registry()
SECRET = "s3cret-token"


class Paid(Event, routing_key="orders.paid", registry=REGISTRY, version=2):
    number: int
    lines: tuple[dict[str, int], ...] = ()
    total: float | str | None = None


class Loaded(Event, routing_key="etl.{source}.{year}.loaded", registry=REGISTRY):
    source: str
    year: int
    tags: dict[str, int] | None = None


class Scored(StructEvent, routing_key="scores.changed", registry=REGISTRY):
    number: int
    by: dict[str, int] | None = None


class Moved(StructEvent, routing_key="moved.{source}", registry=REGISTRY, version=3):
    source: str
    number: int


@upcast.body(Moved, version=1, to=3)
def v1_to_v3(body: dict[str, Any]) -> Any:
    """A step whose errors, and whose results, repeat what it was given."""
    if body.get("id") is not None:
        return body["id"]
    return {**body["by"], "number": body["number"], body["source"]: body}


class MovedV2(Event, routing_key="moved.{source}", registry=REGISTRY, version=2):
    source: str
    number: int | str


@upcast
def v2_to_v3(old: MovedV2) -> Moved:
    if isinstance(old.number, str):
        raise TypeError(f"{old!r} {SECRET}")
    return Moved(source=str(old.number), number=old.number)


@remote_task("t")
def remote(value: Any) -> None: ...


def quote(value: Any) -> TaskCall:
    """A handler whose errors repeat what it was given."""
    if value.number % 3 == 0:
        raise LookupError(f"{value!r} {SECRET}")
    return call(remote, value)


def row(key: str, task: str) -> dict[str, Any]:
    return {
        "routing_key": key,
        "task": task,
        "should_schedule": lambda key, body: body["number"] != 5,
        "get_args": lambda key, body: ([body, body.get("id", key)], {"n": body["number"] + 1}),
        "celery_kwargs": lambda key, body: {"countdown": body["number"]},
    }


mapping = TaskMapping()
mapping.on(Paid, Scored, Moved, when=lambda e: e.number != 4, name="quote")(quote)
mapping.on(Loaded)(lambda event: [call(remote, event), call(remote, event.source)])
mapping.add_legacy([row("orders.#", "orders"), row("*.rows", "any"), row("scores.changed", "scores")])

policies = st.builds(
    Policy,
    queue=st.just("q"),
    unmatched=st.sampled_from(["dead-letter", "skip"]),
    require_models=st.booleans(),
    newer_version=st.sampled_from(["dead-letter", "try"]),
    default_version=st.integers(1, 3),
    max_body_bytes=st.sampled_from([30, 1_048_576]),
)

# py-amqp reads lone surrogates too.
texts = st.text() | st.sampled_from(["\ud800", "a\n\x1b[31mb", "x" * 300])
amqp_values = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.integers(2**63, 2**200), st.floats(), texts),
        *(st.binary(), st.decimals(), st.datetimes()),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
ours = st.fixed_dictionaries(
    {"ce-specversion": st.just("1.0")},
    optional={
        "ce-id": st.just("e1"),
        "ce-source": st.just("s1"),
        "ce-schemaversion": st.sampled_from(["1", "2", "3"]),
        "traceparent": st.just("00-1"),
    },
)
NAMES = ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-schemaversion", "ce-correlationid", "traceparent"]
NAMES += ["x-pubsub-routing-key", "x-death", "compression"]
headers = st.one_of(st.just({}), ours, st.dictionaries(st.sampled_from(NAMES) | texts, amqp_values, max_size=4))
PROPERTIES = ["content_type", "content_encoding", "message_id", "correlation_id", "timestamp", "priority"]
properties = st.just({"content_type": "application/json"}) | st.dictionaries(st.sampled_from(PROPERTIES), amqp_values)
keys = st.sampled_from(
    ["orders.paid", "orders.late", "etl.a.2026.loaded", "etl.a.x.loaded", "scores.changed", "moved.a"]
)
keys |= st.sampled_from(["some.rows", "", "nobody.knows"]) | texts

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
scalars |= st.integers(0, 9) | st.sampled_from(["a", "b", "2026"])
tags = st.fixed_dictionaries(
    {
        "__type__": st.sampled_from(["datetime", "date", "time", "decimal", "uuid", "bytes", "base64", "set"])
        | scalars,
        "__value__": scalars | st.sampled_from(["2026-08-01", "NaN", "sNaN", "1e999999999", {"hex": "0" * 32}]),
    }
)
MEMBERS = ["number", "lines", "total", "source", "year", "tags", "by", "id"]
values = st.recursive(
    scalars | tags,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS) | st.text(), inner, max_size=4)
    ),
    max_leaves=8,
)
likely = st.fixed_dictionaries({"number": st.integers(0, 9)}, optional=dict.fromkeys(MEMBERS[1:], values))
documents = (likely | values).map(msgspec.json.encode)
bodies = st.one_of(st.binary(), documents, st.builds(lambda body, n: body[:n], documents, st.integers(0, 40)))


def deliveries(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[Delivery]:
    return st.builds(
        Delivery,
        routing_key=keys,
        body=bodies,
        random_id=st.just("r1"),
        exchange=st.sampled_from(["", "events"]),
        headers=headers,
        properties=properties,
        redelivered=st.booleans(),
        wire_error=st.none() | st.none() | st.just("frame"),
    )


@given(deliveries(bodies), policies)
@example(Delivery("orders.paid", b"[" * 100_000, "r1"), Policy("q"))
@example(Delivery("some.rows", b'{"a":' * 100_000, "r1"), Policy("q"))
@example(Delivery("scores.changed", b'{"__type__":' * 900 + b"1" + b"}" * 900, "r1"), Policy("q"))
@example(Delivery("some.rows", b'{"a\\n":{"__type__":"uuid","__value__":1}}', "r1"), Policy("q"))
@example(Delivery("moved.a", b'{"number":' + b"[" * 900 + b"]" * 900 + b',"by":{}}', "r1"), Policy("q"))
@example(Delivery("some.rows", b'{"a":' * 300 + b'{"__type__":1,"__value__":1}' + b"}" * 300, "r1"), Policy("q"))
def test_any_delivery_is_decided_and_the_same_way_again(delivery: Delivery, policy: Policy) -> None:
    table = RoutingTable(mapping, REGISTRY, policy)
    decision = table.decide(delivery)
    # By repr: a Decimal NaN, which a tag may bring, equals nothing.
    assert repr(table.decide(delivery)) == repr(decision)
    assert repr(RoutingTable(mapping, REGISTRY, policy).decide(delivery)) == repr(decision)
    match decision:
        case Schedule(calls, carried):
            assert calls
            assert len({made.options["task_id"] for made in calls}) == len(calls)
            assert set(carried) <= {"ce-id", "ce-source", "ce-type", "ce-correlationid", "traceparent"}
            assert {made.task for made in calls} <= {"t", "orders", "any", "scores"}
        case Skip(reason):
            assert reason in ("no condition holds", "no route or row wants this key")
        case DeadLetter(reason, detail):
            assert reason in get_args(Reason)
            assert reason != "retries_exhausted"
            assert detail
            assert detail.isprintable()
            assert len(detail) < 2_500


def planted(value: Any, place: int) -> Any:
    """``value`` with the secret at every string, or at every key that no model knows, or as one more member."""
    match value:
        case str():
            return SECRET + value if place % 2 else value
        case list():
            return [planted(item, place) for item in value]
        case dict():
            return {
                name if name in MEMBERS or "__" in name else SECRET + name: planted(value[name], place)
                for name in value
            }
        case _:
            return SECRET if place == 4 else value


secrets = st.builds(planted, likely | values, st.integers(0, 4)).map(msgspec.json.encode)
secrets |= st.builds(lambda body, n: body[: -n - 1], secrets, st.integers(0, 9))
secrets |= st.builds(lambda junk: junk + SECRET.encode() + junk, st.binary(max_size=5))


@given(deliveries(secrets), policies)
@example(Delivery("orders.paid", b'{"number":"%s"}' % SECRET.encode(), "r1"), Policy("q"))
@example(Delivery("orders.paid", b'{"number":3,"total":"%s"}' % SECRET.encode(), "r1"), Policy("q", default_version=2))
@example(Delivery("orders.paid", b'{"%s":{"__type__":"uuid","__value__":1}}' % SECRET.encode(), "r1"), Policy("q"))
@example(Delivery("moved.a", b'{"id":"%s"}' % SECRET.encode(), "r1"), Policy("q"))
@example(Delivery("moved.a", b'{"number":"%s"}' % SECRET.encode(), "r1"), Policy("q"))
@example(Delivery("moved.a", b'{"number":"%s","by":{}}' % SECRET.encode(), "r1"), Policy("q"))
@example(Delivery("moved.a", b'{"number":"%s"}' % SECRET.encode(), "r1"), Policy("q", default_version=2))
@example(Delivery("some.rows", b'{"%s":{"__type__":"%s","__value__":1}}' % ((SECRET.encode(),) * 2), "r1"), Policy("q"))
def test_what_may_be_logged_of_a_dead_letter_never_quotes_the_body(delivery: Delivery, policy: Policy) -> None:
    decision = RoutingTable(mapping, REGISTRY, policy).decide(delivery)
    if isinstance(decision, DeadLetter):
        assert SECRET not in decision.detail


def test_every_kind_of_decision_is_reached() -> None:
    table = RoutingTable(mapping, REGISTRY, Policy("q"))

    def kind(key: str, body: bytes, version: str = "2", **given: Any) -> str:
        said = {"ce-specversion": "1.0", "ce-schemaversion": version}
        decision = table.decide(Delivery(key, body, "r1", "events", said, **given))
        return decision.reason if isinstance(decision, DeadLetter) else type(decision).__name__

    assert kind("orders.paid", b'{"number":1}') == "Schedule"
    assert kind("scores.changed", b'{"number":5}', "1") == "Schedule"
    assert kind("moved.a", b'{"number":1,"by":{}}', "1") == "Schedule"
    assert kind("moved.a", b'{"number":1}', "2") == "invalid_body"
    assert kind("moved.1", b'{"number":1}', "2") == "Schedule"
    assert kind("some.rows", b'{"number":5}') == "Skip"
    assert kind("orders.paid", b'{"number":3}') == "mapping_error"
    assert kind("orders.paid", b'{"number":"x"}') == "invalid_body"
    assert kind("orders.paid", b"{") == "undecodable"
    assert kind("orders.paid", b"{}", "3") == "newer_version"
    assert kind("orders.paid", b" " * 1_048_577) == "oversize"
    assert kind("nobody.knows", b"{}") == "unknown_event"
