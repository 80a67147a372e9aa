"""What is told of contracts, in the form that programs read: as docs/evolution.md has it."""

import json
import re
from pathlib import Path
from typing import Any, get_args

from typed_pubsub.cli.findings import render, render_differences
from typed_pubsub.schema.bodies import Sent
from typed_pubsub.schema.differences import Difference
from typed_pubsub.schema.gate import Finding, Kind

PAGE = (Path(__file__).parents[2] / "docs" / "evolution.md").read_text()
KEY = "shop.order.placed"


def examples() -> list[Any]:
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


def test_findings_have_the_documented_form() -> None:
    refused = Sent(KEY, {"coupon": "", "order_id": 0, "total": 0})
    told = "it is not written, the reader requires it"
    found = Finding("incompatible", KEY, 1, told, "required", "$.amount", "consumer", refused)
    assert json.loads(render("json", [found], "schemas", 1)) == examples()[0]


def test_what_a_finding_does_not_have_is_null() -> None:
    (found,) = json.loads(render("json", [Finding("new", KEY, 1, "there is no schema file of it", text="{}")], "", 1))
    assert found.keys() == examples()[0][0].keys()
    assert [name for name, value in found.items() if value is None] == ["rule", "path", "side", "example"]


def test_differences_have_the_documented_form() -> None:
    path = f"schemas/{KEY}/1.json"
    diff = f"--- {path}\n+++ {path}\n@@ -1,6 +1,6 @@\n"
    found = [Difference("changed", KEY, 1, path, diff)]
    assert json.loads(render_differences("json", found)) == examples()[1]
    assert render_differences("text", found) == diff


def test_every_kind_of_finding_is_documented() -> None:
    (row,) = re.findall(r"^\| `kind` \| (.*) \|$", PAGE, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", row)) == sorted(get_args(Kind))
