"""decide: what a delivery means, case by case."""

from typing import Any, Literal

import pytest
from pydantic import field_validator

from tests.routing.kit import Loaded, Paid, Scored, calls, dead, decide, deliver, row, ship, table_of
from typed_pubsub.events import Event, Registry
from typed_pubsub.events.delivery import read_metadata
from typed_pubsub.routing import DeadLetter, Schedule, Skip, TaskCall, TaskMapping, call

OURS = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "s1", "ce-type": "orders.paid"}


def mapping() -> TaskMapping:
    made = TaskMapping()
    made.on(Paid, name="r")(lambda event: call(ship, event.number))
    made.on(Loaded, name="l")(lambda event: call(ship, event.rows, note=event.source))
    made.on(Scored, name="s")(lambda event: call(ship, event.home))
    return made


def rows() -> TaskMapping:
    return TaskMapping().add_legacy([row("#")])


def test_an_event_that_fits_is_scheduled_with_the_headers_of_every_task() -> None:
    decision = decide(mapping(), deliver("orders.paid", headers={**OURS, "traceparent": "00-1", "other": "x"}))
    assert isinstance(decision, Schedule)
    assert decision.headers == {
        "ce-id": "e1",
        "ce-source": "s1",
        "ce-type": "orders.paid",
        "ce-correlationid": "e1",
        "traceparent": "00-1",
    }
    assert [made.args for made in decision.calls] == [(1,)]


def test_metadata_that_the_caller_has_already_is_not_read_again() -> None:
    delivery = deliver("orders.paid", headers=OURS)
    table = table_of(mapping())
    assert table.decide(delivery, read_metadata(delivery)) == table.decide(delivery)
    other = read_metadata(deliver("orders.paid", headers={**OURS, "ce-id": "e2"}))
    assert table.decide(delivery, other) != table.decide(delivery)


@pytest.mark.parametrize("key", ["nobody.knows", "", "orders", "orders.paid.late", "orders.cancelled"])
def test_a_key_that_no_route_wants_is_a_dead_letter_or_skipped_by_setting(key: str) -> None:
    unknown = DeadLetter("unknown_event", "no route or row wants this key")
    assert decide(mapping(), deliver(key)) == unknown
    assert decide(mapping(), deliver(key), unmatched="skip") == Skip("no route or row wants this key")


def test_a_key_that_no_route_wants_is_that_whatever_else_is_wrong() -> None:
    bad = deliver("a", b"\xff" * 2_000, {"compression": "bz2"}, properties={"content_type": "application/x-yaml"})
    assert dead(decide(mapping(), bad, max_body_bytes=10)).reason == "unknown_event"
    assert decide(mapping(), bad, unmatched="skip") == Skip("no route or row wants this key")


def test_frames_that_could_not_be_read_come_first() -> None:
    broken = deliver("nobody.knows", wire_error="timestamp out of range", raw_properties=b"\xff")
    for unmatched in ("dead-letter", "skip"):
        assert decide(mapping(), broken, unmatched=unmatched) == DeadLetter("undecodable", "timestamp out of range")


def test_a_large_body_is_oversize_and_not_parsed() -> None:
    body = b'{"number": 1' + b" " * 100
    verdict = decide(mapping(), deliver("orders.paid", body), max_body_bytes=100)
    assert verdict == DeadLetter("oversize", "112 bytes, MAX_BODY_BYTES is 100")
    assert isinstance(decide(mapping(), deliver("orders.paid", body + b"}"), max_body_bytes=113), Schedule)
    compressed = deliver("orders.paid", body, {"compression": "bz2"})
    assert dead(decide(mapping(), compressed, max_body_bytes=100)).reason == "oversize"


@pytest.mark.parametrize(
    ("headers", "properties", "problem"),
    [
        ({"compression": "application/x-bz2"}, {}, "header compression"),
        ({}, {"content_type": "application/x-python-serialize"}, "content type"),
        ({}, {"content_encoding": "binary"}, "content encoding"),
        ({"ce-id": 5}, {}, "header ce-id"),
        ({"ce-schemaversion": "two"}, {}, "header ce-schemaversion"),
    ],
)
def test_headers_that_cannot_be_read_are_undecodable(headers: Any, properties: Any, problem: str) -> None:
    for made in (mapping(), rows()):
        verdict = dead(decide(made, deliver("orders.paid", headers=headers, properties=properties)))
        assert verdict.reason == "undecodable"
        assert verdict.detail.startswith(problem)


NO_JSON = [b"", b"{", b"\xff\xfe", b'{"number": NaN}', b"[" * 100_000, b"{} x", b"\x80\x04N.", b"number: 1"]


@pytest.mark.parametrize("body", NO_JSON, ids=lambda body: repr(body[:12]))
@pytest.mark.parametrize("headers", [{}, OURS], ids=["legacy", "ours"])
def test_bytes_that_are_no_json_are_undecodable(body: bytes, headers: Any) -> None:
    for made in (mapping(), rows(), mapping().add_legacy([row("#")])):
        for key in ("orders.paid", "scores.changed"):
            assert dead(decide(made, deliver(key, body, headers))).reason == "undecodable"


@pytest.mark.parametrize("body", [[], 5, "x", None, {"number": "x"}, {}, {"number": 1, "note": 5}])
def test_json_that_does_not_fit_the_model_is_an_invalid_body(body: Any) -> None:
    raw = b"null" if body is None else body
    assert dead(decide(mapping(), deliver("orders.paid", raw))).reason == "invalid_body"
    assert dead(decide(rows(), deliver("orders.paid", raw))).reason == "invalid_body"


def test_key_and_body_that_disagree_are_an_invalid_body() -> None:
    assert calls(decide(mapping(), deliver("etl.a.loaded", {"rows": 2})))[0].kwargs == {"note": "a"}
    assert calls(decide(mapping(), deliver("etl.a.loaded", {"source": "a"})))[0].kwargs == {"note": "a"}
    verdict = decide(mapping(), deliver("etl.a.loaded", {"source": "b"}))
    assert verdict == DeadLetter("invalid_body", "$.source: expected the word of the routing key, got another value")


@pytest.mark.parametrize(
    ("given", "reason"), [("1", None), (None, None), ("2", "newer_version"), ("99", "newer_version")]
)
def test_a_newer_version_is_a_dead_letter_or_tried_by_setting(given: str | None, reason: str | None) -> None:
    headers = OURS if given is None else {**OURS, "ce-schemaversion": given}
    decision = decide(mapping(), deliver("orders.paid", headers=headers))
    assert (decision.reason if isinstance(decision, DeadLetter) else None) == reason
    assert isinstance(decide(mapping(), deliver("orders.paid", headers=headers), newer_version="try"), Schedule)


def test_a_newer_version_that_does_not_fit_is_an_invalid_body_where_it_is_tried() -> None:
    newer = deliver("orders.paid", {"other": 1}, {**OURS, "ce-schemaversion": "2"})
    assert decide(mapping(), newer) == DeadLetter("newer_version", "version 2, the newest known here is 1")
    assert dead(decide(mapping(), newer, newer_version="try")).reason == "invalid_body"


def test_a_message_without_a_version_has_the_default_one() -> None:
    assert dead(decide(mapping(), default_version=2)).reason == "newer_version"
    versioned = deliver("orders.paid", headers={**OURS, "ce-schemaversion": "1"})
    assert isinstance(decide(mapping(), versioned, default_version=2), Schedule)


def test_an_older_version_is_read_by_the_newest_model_as_it_stands() -> None:
    registry = Registry()

    class Second(Event, routing_key="a.b", version=2, registry=registry):
        number: int
        added: int

    made = TaskMapping()
    made.on(Second)(lambda event: call(ship, event.added))
    table = table_of(made, registry=registry)
    first = {**OURS, "ce-schemaversion": "1"}
    assert len(calls(table.decide(deliver("a.b", {"number": 1, "added": 2}, first)))) == 1
    assert dead(table.decide(deliver("a.b", {"number": 1}, first))).reason == "invalid_body"


def test_a_key_without_a_model_is_for_rows_unless_models_are_required() -> None:
    assert len(calls(decide(rows(), deliver("no.model", {"x": 1})))) == 1
    refused = decide(rows(), deliver("no.model", {"x": 1}), require_models=True)
    assert refused == DeadLetter("unknown_event", "no model is bound to this key")
    assert len(calls(decide(rows(), deliver("orders.paid"), require_models=True))) == 1


@pytest.mark.parametrize("body", [b"[]", b"5", b'"x"', b"null"])
def test_without_a_model_the_body_is_an_object(body: bytes) -> None:
    verdict = dead(decide(rows(), deliver("no.model", body)))
    assert verdict.reason == "invalid_body"
    assert verdict.detail.startswith("$: expected a JSON object, got ")


@pytest.mark.parametrize("raised", [RuntimeError("secret"), SystemExit("secret"), MemoryError("secret")])
def test_a_validator_that_raises_what_it_should_not_is_an_invalid_body(raised: BaseException) -> None:
    registry = Registry()

    class Checked(Event, routing_key="a.b", registry=registry):
        number: int

        @field_validator("number")
        @classmethod
        def check(cls, value: int) -> int:
            raise raised

    made = TaskMapping()
    made.on(Checked)(lambda event: None)
    verdict = dead(table_of(made, registry=registry).decide(deliver("a.b")))
    assert (verdict.reason, verdict.private) == ("invalid_body", "secret")
    assert verdict.detail.startswith(f"$: a validator failed: {type(raised).__name__} at {__name__}:")
    assert verdict.detail.endswith(" in check")


class Escape(BaseException):
    pass


@pytest.mark.parametrize("raised", [ValueError("secret"), SystemExit(3), Escape("x"), StopIteration(), GeneratorExit()])
@pytest.mark.parametrize("where", ["when", "handler"])
def test_whatever_a_handler_raises_is_a_mapping_error(raised: BaseException, where: Literal["when", "handler"]) -> None:
    def explode(event: Paid) -> Any:
        raise raised

    made = TaskMapping()
    made.on(Paid, name="boom", when=explode if where == "when" else None)(explode)
    verdict = dead(decide(made))
    assert verdict.reason == "mapping_error"
    assert verdict.detail.startswith("route boom: ")
    assert "secret" not in verdict.detail
    if not isinstance(raised, StopIteration):  # a generator makes it a RuntimeError
        assert verdict.private == str(raised)


def test_ctrl_c_is_nobodys_mapping_error() -> None:
    def interrupt(*args: Any) -> TaskCall:
        raise KeyboardInterrupt

    made = TaskMapping()
    made.on(Paid)(interrupt)
    with pytest.raises(KeyboardInterrupt):
        decide(made)

    registry = Registry()

    class Checked(Event, routing_key="a.b", registry=registry):
        number: int

        @field_validator("number")
        @classmethod
        def check(cls, value: int) -> int:
            raise KeyboardInterrupt

    made = TaskMapping().add_legacy([row("#")])
    with pytest.raises(KeyboardInterrupt):
        table_of(made, registry=registry).decide(deliver("a.b"))


def test_a_second_route_that_raises_takes_the_first_ones_calls_with_it() -> None:
    made = mapping()
    made.on(Paid, name="second")(lambda event: call(ship, 1 // (event.number - 1)))
    assert dead(decide(made)).detail.startswith("route second: ZeroDivisionError at ")
    assert len(calls(decide(made, deliver("orders.paid", {"number": 2})))) == 2


def test_a_first_route_that_raises_keeps_the_second_from_running() -> None:
    ran: list[int] = []
    made = TaskMapping()
    made.on(Paid, name="first")(lambda event: call(ship, 1 // 0))
    made.on(Paid, name="second")(lambda event: ran.append(1))
    assert dead(decide(made)).reason == "mapping_error"
    assert ran == []


def test_every_route_and_every_call_of_it_is_scheduled_in_order() -> None:
    made = mapping()
    made.on(Paid, name="more")(lambda event: [call(ship, number) for number in (7, 8)])
    assert [one.args for one in calls(decide(made))] == [(1,), (7,), (8,)]


def test_what_no_serializer_takes_is_left_to_the_builder() -> None:
    value = object()
    made = TaskMapping().add_legacy([row("#", get_args=lambda key, body: ([value], {}))])
    assert calls(decide(made))[0].args == (value,)


def test_what_has_no_json_form_inside_of_a_model_is_a_mapping_error() -> None:
    class Anything(Event, routing_key="any.thing", registry=Registry()):
        value: Any

    made = TaskMapping().add_legacy([row("#", get_args=lambda key, body: ([Anything(value=object())], {}))])
    assert dead(decide(made)).reason == "mapping_error"
