"""``typed-pubsub schema`` in a service's directory; as a process of its own where that is the point."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.faces.shop import EVENTS, edit, make_service, process, schema

pytestmark = pytest.mark.once


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The directory of a service with two events and their files."""
    return make_service(tmp_path)


@pytest.mark.parametrize("named", [("--events", "shop.events"), ("--events", "shop"), ("-A", "shop.settings")])
def test_what_was_just_written_is_as_committed(service: Path, named: tuple[str, ...]) -> None:
    if named[1] == "shop":
        (service / "shop" / "__init__.py").write_text("from shop.events import *\n")
    assert schema("check", "--in-sync", *named, cwd=service) == (0, ["2 contracts: as committed"])
    assert schema("diff", *named, cwd=service) == (0, [])
    assert schema("diff", "--format", "json", *named, cwd=service) == (0, ["[]"])
    assert schema("write", *named, cwd=service) == (0, [])


def test_a_breaking_change_is_100_with_the_rule_the_path_the_side_and_an_event(service: Path) -> None:
    edit(service, "price: int", "cost: int")
    code, lines = schema("check", "--events", "shop.events", cwd=service)
    assert code == 100
    assert lines == [
        "shop.{shop}.listed version 1",
        "  incompatible: a service that still publishes the committed form will be refused here",
        "    $.cost [required]: it is not written, the reader requires it",
        '    for example shop.0.listed {"price": 0, "shop": "0"}',
        "  incompatible: a service that still reads the committed form will refuse what is published here",
        "    $.price [required]: it is not written, the reader requires it",
        '    for example shop.0.listed {"shop": "0", "cost": 0}',
        "raise version= of what breaks, with an upcast for the old one, or give the reason in ignore.toml",
        "2 contracts: 2 incompatible",
    ]


def test_a_process_ends_with_the_code_and_says_the_findings_on_stdout_and_the_rest_on_stderr(service: Path) -> None:
    edit(service, "article: str", "article: int")
    checked = process("check", "--events", "shop.events", cwd=service)
    assert (checked.returncode, checked.stderr) == (100, "")
    assert checked.stdout.splitlines() == schema("check", "--events", "shop.events", cwd=service)[1]
    refused = process("write", "--events", "shop.events", cwd=service)
    assert (refused.returncode, refused.stderr) == (100, "nothing is written\n")
    mistaken = process("check", "--events", "shop.event", cwd=service)
    assert (mistaken.returncode, mistaken.stdout) == (2, "")
    assert "Traceback" not in mistaken.stderr


def test_beside_other_files_nobody_is_told_to_write(service: Path) -> None:
    (service / "before").mkdir()
    (service / "schemas" / "shop.sold").rename(service / "before" / "shop.sold")
    edit(service, "article: str", "article: str\n    amount: int = 1")
    options = ("check", "--events", "shop.events", "--against", "before")
    code, lines = schema(*options, cwd=service)
    assert (code, lines) == (
        0,
        [
            "shop.sold version 1",
            "  changed: it differs from its schema file compatibly: the file is that of before",
            "shop.{shop}.listed version 1",
            "  new: there is no schema file of it: before does not have it, so there is nothing that it could break",
            "2 contracts: 1 changed, 1 new",
        ],
    )
    edit(service, 'routing_key="shop.sold"', 'routing_key="shop.gone"')
    _, lines = schema(*options, "--format", "github", cwd=service)
    assert "delete the file" not in " ".join(lines)
    assert any("before has its file, and its consumers hear nothing now" in line for line in lines)


def test_a_file_is_never_overwritten_by_a_schema_that_breaks_it(service: Path) -> None:
    files = {path: path.read_text() for path in service.rglob("*.json")}
    edit(service, "price: int", "cost: int")
    edit(service, "article: str", "article: str\n    amount: int = 1")
    code, lines = schema("write", "--events", "shop.events", cwd=service)
    assert code == 100
    assert "nothing is written" in lines
    assert {path: path.read_text() for path in service.rglob("*.json")} == files


def test_a_compatible_change_is_told_and_written(service: Path) -> None:
    edit(service, "article: str", "article: str\n    amount: int = 1")
    told = "  changed: it differs from its schema file compatibly: 'typed-pubsub schema write' writes it"
    lines = ["shop.sold version 1", told, "2 contracts: 1 changed"]
    assert schema("check", "--events", "shop.events", cwd=service) == (0, lines)
    assert schema("check", "--events", "shop.events", "--in-sync", cwd=service) == (1, lines)
    code, difference = schema("diff", "--events", "shop.events", cwd=service)
    assert code == 1
    assert '+    "amount": {' in difference
    code, lines = schema("diff", "--events", "shop.events", "--format", "json", cwd=service)
    (found,) = json.loads("\n".join(lines))
    assert code == 1
    assert found.pop("diff").splitlines() == difference
    assert found == {"kind": "changed", "event": "shop.sold", "version": 1, "file": "schemas/shop.sold/1.json"}
    written = ["changed schemas/shop.sold/1.json"]
    assert schema("write", "--events", "shop.events", cwd=service) == (0, written)
    assert schema("check", "--events", "shop.events", "--in-sync", cwd=service)[0] == 0


def test_json_and_annotations_say_the_same(service: Path) -> None:
    edit(service, "article: str", "article: int")
    options = ("check", "--role", "publisher", "--events", "shop.events")
    code, lines = schema(*options, "--format", "json", cwd=service)
    (found,) = json.loads("\n".join(lines))
    assert code == 100
    assert found == {
        "kind": "incompatible",
        "event": "shop.sold",
        "version": 1,
        "rule": "type",
        "path": "$.article",
        "side": "publisher",
        "message": "an integer may be written, the reader accepts a string",
        "example": {"routing_key": "shop.sold", "body": {"article": 0}},
    }
    code, (line,) = schema(*options, "--format", "github", cwd=service)
    assert code == 100
    assert line == (
        "::error file=schemas/shop.sold/1.json,title=shop.sold version 1::incompatible $.article [type]: an integer "
        "may be written, the reader accepts a string; so a service that still reads the committed form will refuse "
        'what is published here%0Afor example shop.sold {"article": 0}'
    )


def test_what_is_ignored_with_a_reason_can_be_written(service: Path) -> None:
    edit(service, "article: str", "article: int")
    entry = '[[ignore]]\nevent = "shop.sold"\nrule = "type"\nreason = "nobody reads it"\n'
    (service / "schemas" / "ignore.toml").write_text(entry)
    code, lines = schema("check", "--events", "shop.events", cwd=service)
    assert code == 0
    assert lines[-1] == "2 contracts: 1 changed, 2 ignored"
    assert schema("write", "--events", "shop.events", cwd=service)[0] == 0


def test_show_lists_prints_and_gives_an_example(service: Path) -> None:
    events = ("--events", "shop.events")
    assert schema("show", *events, cwd=service) == (
        0,
        ["shop.sold version 1: shop.events.Sold", "shop.{shop}.listed version 1: shop.events.Listed"],
    )
    code, lines = schema("show", "shop.a.listed", *events, cwd=service)
    assert (code, json.loads("\n".join(lines))["title"]) == (0, "Listed")
    for name in ("Listed", "shop.events.Listed", "shop.events:Listed", "shop.{shop}.listed"):
        assert schema("show", name, *events, cwd=service) == (0, lines)
    code, lines = schema("show", "shop.sold", "--writes", *events, cwd=service)
    assert (code, json.loads("\n".join(lines))["additionalProperties"]) == (0, False)
    assert schema("show", "shop.sold", "--example", *events, cwd=service) == (0, ['{"article": ""}'])


def test_an_example_is_one_that_the_model_accepts(service: Path) -> None:
    odd = "price: int\n\n    @field_validator('price')\n    @classmethod\n    def _odd(cls, price: int) -> int:\n"
    odd += "        if price % 2 == 0:\n            raise ValueError('even')\n        return price\n"
    edit(service, "price: int", odd)
    edit(
        service,
        "from typed_pubsub import Event",
        "from pydantic import field_validator\nfrom typed_pubsub import Event",
    )
    code, (line,) = schema("show", "shop.a.listed", "--example", "--events", "shop.events", cwd=service)
    assert (code, json.loads(line)["price"] % 2) == (0, 1)


def test_the_examples_of_a_help_text_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    code, lines = schema("check", "--help", cwd=tmp_path)
    assert code == 0
    assert "  typed-pubsub schema check --events my_app.events" in lines


MISTAKES = [
    (("check",), "Error: Missing option '--events', or '-A' / '--app'."),
    (("check", "--events", "shop.event"), "Error: Invalid value for '--events': 'shop' has neither a module nor an"),
    (("check", "--events", "json"), "Error: there is no event in json"),
    (("check", "--events", "shop/events.py"), "write 'shop.events'"),
    (("check", "--events", "../shop"), "'../shop' is no module name"),
    (("check", "--events", "broken"), "importing 'broken' failed in line 2: ZeroDivisionError: division by zero"),
    (("check", "--events", "shop.events", "--against", "shcemas"), "Error: shcemas: expected a directory"),
    (("show", "--events", "shop.events", "--example"), "Missing argument 'EVENT'"),
    (("show", "shop.sould", "--events", "shop.events"), "there is no event of 'shop.sould': did you mean 'shop.sold'?"),
    (("show", "Sould", "--events", "shop.events"), "there is no event of 'Sould': did you mean 'Sold'?"),
    (("show", "shop.event:Sold", "--events", "shop.events"), "'shop.event:Sold': did you mean 'shop.events.Sold'?"),
    (("show", "zzz", "--events", "shop.events"), "Error: there is no event of 'zzz'"),
    (("show", "Sold", "--events", "shop.events", "--events", "again"), "'Sold' may be again.Sold or shop.events.Sold"),
    (("check", "--events", "shop.events", "--against", "git:x"), "Error: git:x: expected a git repository around"),
    (("check", "--events", "shop.events", "--role", "reader"), "'reader' is not one of 'publisher', 'consumer'"),
]


@pytest.mark.parametrize(("options", "problem"), MISTAKES)
def test_a_mistake_is_2_and_one_line_that_says_which(service: Path, options: tuple[str, ...], problem: str) -> None:
    (service / "broken.py").write_text("\n1 / 0\n")
    (service / "again.py").write_text(dedent(EVENTS).replace('"shop.', '"again.'))
    code, lines = schema(*options, cwd=service)
    assert code == 2
    assert problem in lines[-1]
    assert "Traceback" not in " ".join(lines)


def test_a_broken_file_is_2_and_named(service: Path) -> None:
    (service / "schemas" / "shop.sold" / "1.json").write_text("{")
    code, lines = schema("check", "--events", "shop.events", cwd=service)
    assert code == 2
    assert lines[-1].startswith("Error: schemas/shop.sold/1.json: expected JSON")


def test_options_are_read_from_the_environment(service: Path) -> None:
    code, lines = schema("check", cwd=service, TYPED_PUBSUB_EVENTS="shop.events", TYPED_PUBSUB_SCHEMAS="elsewhere")
    assert code == 0
    assert "2 contracts: 2 new" in lines
    assert "there are no schema files in elsewhere: everything is new" in lines
