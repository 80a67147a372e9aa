"""docs/wire-format.md names what the code writes and reads; its example holds."""

import json
import re
from pathlib import Path
from typing import get_args
from uuid import UUID, uuid5

from typed_pubsub.brokers import dead_letters
from typed_pubsub.events import message
from typed_pubsub.events.tagged import revive
from typed_pubsub.routing.decisions import Reason
from typed_pubsub.routing.table import NAMESPACE

PAGE = (Path(__file__).parents[2] / "docs" / "wire-format.md").read_text(encoding="utf-8")
GOLDEN = Path(__file__).parent / "golden"


def _table_rows(section: str) -> list[str]:
    text = PAGE.partition(f"## {section}\n")[2]
    text = re.split(r"\n#+ ", text)[0]
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_every_header_and_property_of_an_event_has_its_row_and_no_other_has() -> None:
    golden = json.loads((GOLDEN / "matches_published.json").read_text(encoding="utf-8"))["message"]
    assert sorted(_table_rows("Headers")) == sorted(golden["headers"])
    assert sorted(_table_rows("Properties")) == sorted(golden["properties"])


def test_every_header_of_a_dead_letter_has_its_row_and_every_reason_is_named() -> None:
    rows = _table_rows("4. The dead letter")
    names = [getattr(dead_letters, name) for name in ("REASON", "DETAIL", "EXCHANGE", "EVENT_ID", "ATTEMPTS", "TIME")]
    assert sorted(rows) == sorted([*names, dead_letters.ORIGINAL, message.ROUTING_KEY])
    for reason in get_args(Reason):
        assert f"`{reason}`" in PAGE
    assert f"{dead_letters.MAX_ORIGINAL:,} bytes" in PAGE


def test_every_tag_has_its_row() -> None:
    rows = _table_rows("3. Legacy messages")[1:]  # below the table's head
    every = json.loads((GOLDEN / "replaced_library_every_tag.json").read_text(encoding="utf-8"))["message"]["body"]
    assert sorted(rows) == sorted(set(re.findall(r'"__type__": "(\w+)"', every)))
    assert "__type__" not in repr(revive(every.encode()))


def test_the_namespace_never_changes_and_the_example_of_a_task_id_holds() -> None:
    assert UUID("5f0b5a5e-6d2f-5c5b-9c1e-7a0f2d9b3c41") == NAMESPACE
    assert str(NAMESPACE) in PAGE
    name = "query/app1/0b0e4a3e-4d5c-4a0c-8f6f-3f6f8f1f2a01/query.pubsub.run_script/0"
    assert f"`{uuid5(NAMESPACE, name)}`" in PAGE


def test_the_headers_of_a_task_are_those_of_the_page() -> None:
    assert _table_rows("5. The task") == ["ce-id", "ce-source", "ce-type", "ce-correlationid", "traceparent"]
