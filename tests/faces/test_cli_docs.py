"""docs/cli.md is what the commands say, and a real bash completes them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.children import ROOT, environment
from typed_pubsub import errors
from typed_pubsub.cli.schema import BROKEN
from typed_pubsub.errors import PubSubError

PAGE = (ROOT / "docs" / "cli.md").read_text()


def test_the_page_is_what_the_commands_say() -> None:
    command = [sys.executable, "tools/write_cli_docs.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_page_has_the_exit_codes_of_the_errors() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    raised = {
        value.exit_code for value in vars(errors).values() if isinstance(value, type) and issubclass(value, PubSubError)
    }
    assert listed == raised | {0, BROKEN}


# What bash does for a TAB: it sets these, calls the function of the program, and shows what that has put together.
TAB = """
eval "$(_TYPED_PUBSUB_COMPLETE=bash_source typed-pubsub)"
COMP_WORDS=({words})
COMP_CWORD={at}
$(complete -p typed-pubsub | sed -E 's/.* -F ([^ ]+) .*/\\1/') typed-pubsub
echo "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["typed-pubsub", "do"], ["doctor"]),
        (["typed-pubsub", "schema", "in"], ["infer"]),
        (["typed-pubsub", "check", "--no-"], ["--no-run"]),
        (["typed-pubsub", "check", "--fail-on", "w"], ["warning"]),
        (["typed-pubsub", "check", "--ignore", "tp10"], [f"TP10{number}" for number in range(1, 8)]),
    ],
)
def test_a_real_bash_completes(words: list[str], completed: list[str]) -> None:
    script = TAB.format(words=" ".join(words), at=len(words) - 1)
    env = environment()
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == completed, done.stderr


def test_a_real_bash_lists_the_commands_for_a_tab_behind_the_program() -> None:
    script = TAB.format(words="typed-pubsub ''", at=1)
    env = environment()
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=True)
    assert {"check", "doctor", "health", "schema", "subscribe", "version"} <= set(done.stdout.split())
