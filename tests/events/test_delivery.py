"""What headers and properties say, and what they cannot make the reader believe."""

from typing import Any

import pytest

from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.events.message import is_text

OURS = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "app1", "ce-type": "a.b"}


def _delivery(**fields: Any) -> Delivery:
    return Delivery(**{"routing_key": "a.b", "body": b"{}", "random_id": "r1", "exchange": "events"} | fields)


def test_a_message_of_ours_says_all_about_itself() -> None:
    said = read_metadata(
        _delivery(
            headers=OURS | {"ce-schemaversion": "3", "ce-correlationid": "c1", "traceparent": "00-1-2-01"},
            properties={"content_type": "application/json", "content_encoding": "utf-8", "message_id": "other"},
        )
    )
    assert (said.routing_key, said.event_id, said.source, said.type) == ("a.b", "e1", "app1", "a.b")
    assert (said.version, said.correlation_id, said.traceparent) == (3, "c1", "00-1-2-01")
    assert said.ours
    assert said.has_id
    assert said.problem is None


def test_a_bare_message_is_read_with_the_id_made_for_it() -> None:
    said = read_metadata(_delivery())
    assert (said.event_id, said.has_id, said.ours, said.source) == ("r1", False, False, "")
    assert (said.type, said.version, said.correlation_id, said.traceparent, said.problem) == (None,) * 5


def test_an_id_is_made_only_for_a_message_that_brings_none() -> None:
    made: list[str] = []

    def make() -> str:
        made.append(f"r{len(made)}")
        return made[-1]

    assert read_metadata(_delivery(headers=OURS, random_id=make)).event_id == "e1"
    assert read_metadata(_delivery(properties={"message_id": "m1"}, random_id=make)).event_id == "m1"
    assert made == []
    said = read_metadata(_delivery(random_id=make))
    assert (said.event_id, said.has_id, made) == ("r0", False, ["r0"])


def test_the_event_id_is_ce_id_else_message_id_else_random() -> None:
    assert read_metadata(_delivery(headers={"ce-id": "e1"}, properties={"message_id": "m1"})).event_id == "e1"
    assert read_metadata(_delivery(properties={"message_id": "m1"})).event_id == "m1"
    for empty in ({"ce-id": ""}, {}):
        said = read_metadata(_delivery(headers=empty, properties={"message_id": ""}))
        assert (said.event_id, said.has_id) == ("r1", False)


@pytest.mark.parametrize("value", [5, None, b"m1", ["m1"], "m\n1", "m" * 256, "é" * 128, "\ud800"])
def test_an_odd_message_id_or_correlation_id_property_counts_as_absent(value: Any) -> None:
    said = read_metadata(_delivery(properties={"message_id": value, "correlation_id": value}))
    assert (said.event_id, said.has_id, said.correlation_id, said.problem) == ("r1", False, None, None)


def test_the_correlation_id_property_stands_in_for_the_header() -> None:
    assert read_metadata(_delivery(properties={"correlation_id": "p1"})).correlation_id == "p1"
    both = _delivery(headers={"ce-correlationid": "c1"}, properties={"correlation_id": "p1"})
    assert read_metadata(both).correlation_id == "c1"


@pytest.mark.parametrize("name", ["ce-id", "ce-source", "ce-correlationid", "traceparent"])
@pytest.mark.parametrize(
    "value", [5, None, b"x", ["x"], {"x": 1}, True, "a\nb", "a\x00", "\x1b[31m", "x" * 256, "é" * 128]
)
def test_a_header_that_is_no_printable_text_is_a_problem_and_is_not_repeated(name: str, value: Any) -> None:
    said = read_metadata(_delivery(headers=OURS | {name: value}))
    assert said.problem == f"header {name}: expected a printable text of at most 255 bytes"
    assert said.event_id in ("e1", "r1")


def test_a_header_of_exactly_255_bytes_is_read() -> None:
    assert read_metadata(_delivery(headers={"ce-id": "é" * 127 + "x"})).event_id == "é" * 127 + "x"


@pytest.mark.parametrize("value", [5, None, "a\nb", "x" * 256, ["x"], ""])
def test_a_type_that_is_no_text_counts_as_absent_for_it_decides_nothing(value: Any) -> None:
    said = read_metadata(_delivery(headers=OURS | {"ce-type": value}))
    assert (said.type, said.problem) == (None, None)


def test_an_empty_header_counts_as_absent() -> None:
    empty = dict.fromkeys(["ce-id", "ce-source", "ce-type", "ce-correlationid", "traceparent"], "")
    assert read_metadata(_delivery(headers=empty)) == read_metadata(_delivery())


def test_the_type_header_never_chooses_the_key() -> None:
    assert read_metadata(_delivery(headers=OURS | {"ce-type": "other.key"})).routing_key == "a.b"


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("12", 12), ("999999999", 999_999_999), ("01", 1)])
def test_a_version_is_a_whole_number_in_digits(text: str, number: int) -> None:
    assert read_metadata(_delivery(headers={"ce-schemaversion": text})).version == number


@pytest.mark.parametrize("value", ["0", "-1", "", "1.0", "1 ", "v1", "٣", "²", "1" * 10, 1, True, None, b"1"])
def test_any_other_version_is_a_problem(value: Any) -> None:
    said = read_metadata(_delivery(headers={"ce-schemaversion": value}))
    assert (said.version, said.problem) == (None, "header ce-schemaversion: expected a whole number from 1")


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"content_type": None, "content_encoding": None},
        {"content_type": "", "content_encoding": ""},
        {"content_type": "application/json"},
        {"content_type": "Application/JSON; charset=utf-8", "content_encoding": "UTF-8"},
        {"content_encoding": "utf8"},
        {"content_encoding": "us-ascii"},
    ],
)
def test_json_in_utf_8_is_read_and_is_what_a_silent_sender_means(properties: dict[str, Any]) -> None:
    assert read_metadata(_delivery(properties=properties)).problem is None


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"content_type": "application/x-python-serialize"}, "content type: expected application/json"),
        ({"content_type": "application/x-yaml"}, "content type: expected application/json"),
        ({"content_type": "application/json-seq"}, "content type: expected application/json"),
        ({"content_type": "text/plain"}, "content type: expected application/json"),
        ({"content_type": 5}, "content type: expected application/json"),
        ({"content_encoding": "binary"}, "content encoding: expected utf-8"),
        ({"content_encoding": "gzip"}, "content encoding: expected utf-8"),
        ({"content_encoding": ["utf-8"]}, "content encoding: expected utf-8"),
    ],
)
def test_any_other_content_is_a_problem(properties: dict[str, Any], problem: str) -> None:
    assert read_metadata(_delivery(properties=properties)).problem == problem


def test_a_compression_header_is_a_problem_whatever_it_says() -> None:
    for value in ("application/x-bz2", None, ""):
        problem = read_metadata(_delivery(headers={"compression": value})).problem
        assert problem == "header compression: compressed bodies are not read"


def test_every_problem_is_named() -> None:
    said = read_metadata(
        _delivery(
            wire_error="the header frame cannot be read",
            headers={"ce-id": 5, "ce-schemaversion": "x"},
            properties={"content_type": "text/plain"},
        )
    )
    assert said.problem == (
        "the header frame cannot be read; header ce-id: expected a printable text of at most 255 bytes; "
        "header ce-schemaversion: expected a whole number from 1; content type: expected application/json"
    )


NOTED = {"x-pubsub-routing-key": "noted.key"}
DEATHS = [
    {"exchange": "", "queue": "retry", "routing-keys": ["retry"]},
    {"exchange": "events", "queue": "q", "routing-keys": ["died.key", "cc"], "reason": "expired", "count": 2},
    {"exchange": "", "queue": "first", "routing-keys": ["first"]},
]


def test_a_message_straight_on_the_queue_carries_its_key_in_our_header() -> None:
    delivery = _delivery(routing_key="queue", exchange="", headers=NOTED | {"x-death": DEATHS})
    assert read_metadata(delivery).routing_key == "noted.key"


def test_a_message_through_an_exchange_keeps_its_own_key_whatever_its_headers_say() -> None:
    for headers in (NOTED, {"x-death": DEATHS}, NOTED | {"x-death": DEATHS}):
        assert read_metadata(_delivery(headers=headers)).routing_key == "a.b"


def test_without_our_header_the_brokers_note_of_the_first_publication_counts() -> None:
    delivery = _delivery(routing_key="queue", exchange="", headers={"x-death": DEATHS})
    assert read_metadata(delivery).routing_key == "died.key"


def test_the_oldest_of_several_deaths_is_the_publication() -> None:
    deaths = [
        {"exchange": "later", "routing-keys": ["later.key"]},
        {"exchange": "events", "routing-keys": ["first.key"]},
    ]
    delivery = _delivery(routing_key="queue", exchange="", headers={"x-death": deaths})
    assert read_metadata(delivery).routing_key == "first.key"


@pytest.mark.parametrize(
    "deaths",
    [
        None,
        5,
        "x",
        {},
        [],
        ["x"],
        [None],
        [{}],
        [{"exchange": ""}],
        [{"exchange": "e"}],
        [{"exchange": "e", "routing-keys": []}],
        [{"exchange": "e", "routing-keys": [5]}],
        [{"exchange": "e", "routing-keys": "abc"}],
        [{"exchange": "", "routing-keys": ["k"]}],
    ],
    ids=repr,
)
def test_where_nothing_tells_the_key_the_queues_name_stands(deaths: Any) -> None:
    delivery = _delivery(routing_key="queue", exchange="", headers={"x-death": deaths})
    assert read_metadata(delivery).routing_key == "queue"


@pytest.mark.parametrize("noted", [5, None, ["k"], b"k"])
def test_a_note_that_is_no_text_is_passed_over(noted: Any) -> None:
    delivery = _delivery(routing_key="queue", exchange="", headers={"x-pubsub-routing-key": noted, "x-death": DEATHS})
    assert read_metadata(delivery).routing_key == "died.key"


def test_a_task_carries_five_headers_and_no_other() -> None:
    headers = OURS | {
        "ce-correlationid": "c1",
        "traceparent": "00-1",
        "ce-causationid": "x",
        "secret": "x",
        "task": "x",
    }
    assert read_metadata(_delivery(headers=headers)).task_headers() == {
        "ce-id": "e1",
        "ce-source": "app1",
        "ce-type": "a.b",
        "ce-correlationid": "c1",
        "traceparent": "00-1",
    }


def test_the_headers_of_a_task_of_a_bare_message_are_made_up_from_what_is_known() -> None:
    assert read_metadata(_delivery()).task_headers() == {
        "ce-id": "r1",
        "ce-source": "",
        "ce-type": "a.b",
        "ce-correlationid": "r1",
    }


def test_a_delivery_is_frozen_and_each_has_its_own_tables() -> None:
    one, other = _delivery(), _delivery()
    assert one.headers is not other.headers
    with pytest.raises(AttributeError):
        one.body = b""  # type: ignore[misc]


def test_text_is_printable_utf_8_of_at_most_255_bytes() -> None:
    for good in ("", "a b", "é" * 127, "x" * 255, "{}"):
        assert is_text(good)
    for bad in ("a\n", "\x7f", "\u2028", "\ud800", "x" * 256, "é" * 128, b"x", 5, None):
        assert not is_text(bad)
