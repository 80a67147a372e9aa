"""``typed-pubsub schema generate`` and ``infer`` in a service's directory."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faces.shop import edit, make_service, process, schema
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.ops.recordings import write_line

pytestmark = pytest.mark.once


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The directory of a service with two events and their files."""
    return make_service(tmp_path)


def test_classes_are_generated_from_files_and_have_the_contracts_that_they_came_from(service: Path) -> None:
    files = sorted(str(path.relative_to(service)) for path in service.rglob("*.json"))
    assert schema("generate", *files, "-o", "generated.py", cwd=service) == (0, [])
    assert schema("generate", *files, cwd=service)[1] == (service / "generated.py").read_text().splitlines()
    told = "  changed: it differs from its schema file only in what is said to people"
    code, lines = schema("check", "--events", "generated", cwd=service)
    assert (code, [line for line in lines if line.startswith("  ") and not line.startswith(told)]) == (0, [])
    code, lines = schema("generate", *files, "--struct", cwd=service)
    assert code == 0
    assert 'class Sold(StructEvent, routing_key="shop.sold"):' in lines


def test_every_file_that_no_class_can_say_is_told_with_its_places_and_nothing_is_written(service: Path) -> None:
    edit(service, "from typed_pubsub import Event", "from uuid import UUID\n\nfrom typed_pubsub import Event")
    edit(service, "price: int", "price: int | str | UUID\n    code: str | UUID")
    edit(service, "article: str", "article: str | UUID")
    schema("write", "--events", "shop.events", "--dir", "odd", cwd=service)
    broken = service / "odd" / "shop.broken" / "1.json"
    broken.parent.mkdir()
    broken.write_text("{")
    files = sorted(str(path.relative_to(service)) for path in (service / "odd").rglob("*.json"))
    good = "schemas/shop.sold/1.json"
    code, lines = schema("generate", "--struct", good, *files, "-o", "generated.py", cwd=service)
    reason = "expected no other string in a union of a Struct: it could not tell"
    no_json = "expected JSON: Expecting property name enclosed in double quotes: line 1 column 2"
    assert code == 2
    assert [line.partition(" (")[0] for line in lines] == [
        f"Error: odd/shop.broken/1.json: {no_json}",
        f"Error: odd/shop.sold/1.json: $.properties.article.anyOf[0]: {reason}",
        f"Error: odd/shop.{{shop}}.listed/1.json: $.properties.price.anyOf[1]: {reason}",
        f"Error: odd/shop.{{shop}}.listed/1.json: $.properties.code.anyOf[0]: {reason}",
    ]
    assert all(line.endswith(": an Event, without --struct, says it") for line in lines[1:])
    assert not (service / "generated.py").exists()
    assert schema("generate", *files[1:], "-o", "generated.py", cwd=service) == (0, [])


def test_two_files_of_one_contract_are_an_error(service: Path) -> None:
    file = "schemas/shop.sold/1.json"
    code, lines = schema("generate", file, file, cwd=service)
    assert (code, lines) == (
        2,
        ["Error: $.x-version: expected one schema of 'shop.sold' version 1, got another"],
    )


@pytest.mark.parametrize("text", ['{"shop": "a", "n": 1}\n{"shop": "b"}\n', '[{"shop": "a", "n": 1}, {"shop": "b"}]'])
def test_a_draft_is_guessed_from_recorded_bodies(service: Path, text: str) -> None:
    (service / "recorded.json").write_text(text)
    code, lines = schema("infer", "--key", "shop.{shop}.seen", "--name", "Seen", "recorded.json", cwd=service)
    assert code == 0
    assert lines[-3:] == [
        'class Seen(Event, routing_key="shop.{shop}.seen"):',
        "    shop: str  # a word of the routing key",
        "    n: int | None = None  # 1 of 2 bodies lack it",
    ]


def test_of_a_recording_the_bodies_that_came_under_the_key_are_taken(service: Path) -> None:
    came = [("shop.a.seen", b'{"n": 1}'), ("shop.a.sold", b'{"m": 1}'), ("shop.b.seen", b"no JSON")]
    lines = [write_line(Delivery(key, body, "id"), datetime.now(UTC)) for key, body in came]
    (service / "recorded.ndjson").write_bytes(b"".join(lines))
    code, told = schema("infer", "--key", "shop.{shop}.seen", "recorded.ndjson", cwd=service)
    assert code == 0
    assert "    n: int" in told
    assert not any("m:" in line for line in told)


def test_recorded_bodies_may_come_by_a_pipe(tmp_path: Path) -> None:
    done = process("infer", "--key", "shop.sold", "-", cwd=tmp_path, text='{"article": "é"}\n')
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith('class ShopSold(Event, routing_key="shop.sold"):\n    article: str\n')


BAD_SOURCES = [
    (("infer", "--key", "a.b", "bad.txt"), "{}\n{", "Error: bad.txt, line 2: expected JSON"),
    (("infer", "--key", "a.b", "bad.txt"), "[1]", "expected body 1 to be an object, got int"),
    (("infer", "--key", "a..b", "bad.txt"), "{}", "empty words are not allowed"),
    (("infer", "--key", "a.b", "bad.txt"), "", "expected bodies to guess from, got none"),
    (("generate", "bad.txt"), "{", "Error: bad.txt: expected JSON"),
    (("generate", "nothing.json"), "", "'nothing.json' does not exist"),
    (("infer", "--key", "a.b", "-o", "bad.txt/x.py", "bad.txt"), "{}", "Error: bad.txt/x.py: cannot be written"),
]


@pytest.mark.parametrize(("options", "text", "problem"), BAD_SOURCES)
def test_what_no_class_can_be_made_of_is_2_and_named(
    tmp_path: Path, options: tuple[str, ...], text: str, problem: str
) -> None:
    (tmp_path / "bad.txt").write_text(text)
    code, lines = schema(*options, cwd=tmp_path)
    assert code == 2
    assert problem in lines[-1]
