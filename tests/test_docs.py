"""README.md and the pages of docs/: what they claim is held against the code, what they show is run."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from tests.support.children import ROOT, Child, environment, run, worker
from tests.support.rabbit import queue_state
from typed_pubsub import PubSubConfig, errors
from typed_pubsub.cli.failing import INTERRUPTED
from typed_pubsub.cli.options import params_of_run
from typed_pubsub.cli.output import UNREAD
from typed_pubsub.cli.schema import BROKEN
from typed_pubsub.errors import PubSubError
from typed_pubsub.handoff.rates import Rate
from typed_pubsub.routing.decisions import Reason

PAGES = (
    "README.md",
    "docs/routing.md",
    "docs/configuration.md",
    "docs/embedded.md",
    "docs/migrating.md",
    "docs/reliability.md",
    "docs/topology.md",
    "docs/evolution.md",
    "docs/running.md",
    "docs/dead-letters.md",
)
QUICK_START = ("events.py", "mailer.py", "publish.py")
FIRST_CELL = re.compile(r"^\| `([A-Z_]+(?:`, `[A-Z_]+)*)` \| (.*) \|$", re.MULTILINE)


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def blocks(page: str, language: str = "python") -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text_of(page), re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def files_of_readme() -> dict[str, str]:
    """The blocks that begin with the name of a file."""
    named = ((re.match(r"# (\w+\.py)\b", block), block) for block in blocks("README.md"))
    return {match[1]: block for match, block in named if match is not None}


def program_of(page: str) -> str:
    """The blocks of a page, one after the other; of the README those beside the quick start."""
    files = files_of_readme()
    shown = [files[name] for name in files if name not in QUICK_START] if page == "README.md" else blocks(page)
    return "\n\n".join(shown)


EMBEDDED = "sqlite:///shop.db"


def write_quick_start(directory: Path, broker: str = EMBEDDED) -> None:
    for name in QUICK_START:
        (directory / name).write_text(files_of_readme()[name].replace(EMBEDDED, broker))


def settings_in(page: str) -> dict[str, str]:
    return {name: rest for names, rest in FIRST_CELL.findall(text_of(page)) for name in names.split("`, `")}


def default_in_words(name: str) -> str:
    default = next(field.default for field in fields(PubSubConfig) if field.name == name.lower())
    if isinstance(default, str):
        return f'`"{default}"`'
    if default is None or isinstance(default, bool | tuple):
        return f"`{default}`"
    return f"{default:,.0f}" if isinstance(default, int | float) else str(default)


@pytest.mark.parametrize("name", QUICK_START)
def test_the_quick_start_of_the_readme_is_that_of_the_examples(name: str) -> None:
    file = (ROOT / "examples" / "quickstart" / name).read_text()
    assert files_of_readme()[name] == file.replace("from examples.quickstart.", "from ")


@pytest.mark.once
def test_the_quick_start_runs_as_it_stands_in_three_terminals(tmp_path: Path) -> None:
    write_quick_start(tmp_path)
    run_quick_start(tmp_path)


@pytest.mark.once
def test_the_quick_start_runs_on_rabbitmq_with_nothing_changed_but_the_url(vhost_url: str, tmp_path: Path) -> None:
    write_quick_start(tmp_path, vhost_url)
    run_quick_start(tmp_path)
    assert not list(tmp_path.glob("*.db"))


def run_quick_start(directory: Path) -> None:
    (terminals,) = [block.splitlines() for block in blocks("README.md", "sh") if "mailer:config" in block]
    subscribe, work, publish = map(shlex.split, terminals)
    assert (subscribe.pop(0), publish.pop(0)) == ("typed-pubsub", "python")
    with Child("-m", "typed_pubsub.cli", *subscribe, cwd=directory) as subscriber:
        subscriber.wait_for("consuming queue 'mailer'")
        with Child("-m", *work, cwd=directory, env=environment(directory, TMPDIR=str(directory))) as worker:
            event_id = run(*publish, cwd=directory).wait_for("confirmed by the broker:")[0].split()[-1]
            subscriber.wait_for("scheduled shop.orders.placed", f"event={event_id}", "tasks=", " ms")
            worker.wait_for("receipt for ada@example.org: order", "12.50 EUR")
            assert worker.terminate() == 0
        assert subscriber.terminate() == 0


@pytest.mark.once
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page: str, tmp_path: Path) -> None:
    write_quick_start(tmp_path)
    (tmp_path / "page.py").write_text(program_of(page))
    # Where CI is set Hypothesis does not ask whether drawing is slow: it is where other tests run beside.
    child = run("-W", "error", "page.py", cwd=tmp_path, env=environment(tmp_path, CI="true"))
    assert child.wait() == 0, child.output


@pytest.mark.once
@pytest.mark.typing
def test_the_examples_of_the_pages_hold_under_mypy_strict(tmp_path: Path) -> None:
    write_quick_start(tmp_path)
    for page in PAGES:
        # The rows of the README are shown as the replaced library has them: without types.
        program = program_of(page).replace("PUBSUB_TASK_MAPPING = [", "PUBSUB_TASK_MAPPING: object = [")
        (tmp_path / f"page_{Path(page).stem.lower()}.py").write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file", "", "."]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path) | {"MYPYPATH": str(ROOT)}, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_a_page_lists_every_setting_with_its_default(page: str) -> None:
    listed = settings_in(page)
    assert listed.keys() == {field.name.upper() for field in fields(PubSubConfig)}
    needed = {"BROKER_URL", "EXCHANGE", "QUEUE_NAME", "TASK_MAPPING", "GET_CELERY_APP", "SOURCE"}
    for name in listed.keys() - needed:
        cells = [cell.removesuffix(" s") for cell in listed[name].split(" | ")]
        assert default_in_words(name) in cells, name


def test_the_readme_lists_the_exit_codes_of_the_errors() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", text_of("README.md"), re.MULTILINE)}
    raised = {
        value.exit_code for value in vars(errors).values() if isinstance(value, type) and issubclass(value, PubSubError)
    }
    assert listed == raised | {0, BROKEN, INTERRUPTED, UNREAD}


def test_the_page_on_running_lists_the_exit_codes_of_a_subscriber() -> None:
    _, _, table = text_of("docs/running.md").partition("| code | |")
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", table.partition("\n\n")[0], re.MULTILINE)}
    raised = {
        value.exit_code for value in vars(errors).values() if isinstance(value, type) and issubclass(value, PubSubError)
    }
    assert listed == raised | {0, 128 + signal.SIGKILL, UNREAD}


def test_the_page_on_running_lists_the_options_of_the_subscriber() -> None:
    listed = set(re.findall(r"`(--[a-z-]+)", text_of("docs/running.md").partition("Each has a name")[0]))
    assert listed == {option.opts[0] for option in params_of_run()}
    for option in params_of_run():
        assert f"`{option.envvar}`" in text_of("docs/running.md")
        assert f"`{option.envvar}`" in text_of("docs/configuration.md")


def test_the_fields_of_the_page_on_running_are_those_of_the_line() -> None:
    _, _, table = text_of("docs/running.md").partition("| field | |")
    cells = re.findall(r"^\| (`.*?) \|", table.partition("\n\n")[0], re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(cells)) == [field.name for field in fields(Rate)]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_unit_of_the_page_on_running(tmp_path: Path) -> None:
    (unit,) = blocks("docs/running.md", "ini")
    file = tmp_path / "query-subscriber.service"
    file.write_text(unit.replace("/srv/query/.venv/bin/typed-pubsub", sys.executable).replace("User=query\n", ""))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    # It reads the units of this machine as well, whatever those are like.
    assert [line for line in done.stderr.splitlines() if "query-subscriber" in line] == []


def test_the_page_on_dead_letters_lists_every_reason() -> None:
    _, _, table = text_of("docs/dead-letters.md").partition("| reason |")
    assert re.findall(r"^\| `(\w+)` \|", table.partition("\n\n")[0], re.MULTILINE) == list(get_args(Reason))


def links() -> Iterator[tuple[str, str]]:
    for page in (*PAGES, "docs/wire-format.md", "docs/checks.md", "docs/cli.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
            if not target.startswith("https://"):
                yield page, target


@pytest.mark.parametrize(("page", "target"), list(links()))
def test_a_link_leads_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    file = (ROOT / page).parent / path if path else ROOT / page
    assert file.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


class Story:
    """The story of docs/dead-letters.md: its commands, on RabbitMQ, with what each of them says."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        self._service = blocks("docs/dead-letters.md")[0].replace("sqlite:///stock.db", url)
        self._fix = re.findall(r"^-(.*)\n\+(.*)$", blocks("docs/dead-letters.md", "diff")[0], re.MULTILINE)
        self.commands = re.findall(r"^\$ (.*)\n((?:[^$`].*\n)*)", text_of("docs/dead-letters.md"), re.MULTILINE)

    def write(self, *, mended: bool) -> None:
        program = self._service
        for before, after in self._fix if mended else []:
            assert program.count(before) == 1
            program = program.replace(before, after)
        (self.directory / "stock.py").write_text(program)

    def run(self, name: str) -> None:
        """Runs the commands of this name, and holds what they say against the page."""
        chosen = [(command, said) for command, said in self.commands if f"typed-pubsub {name} " in f"{command} "]
        assert chosen, name
        for command, said in chosen:
            child = run("-m", "typed_pubsub.cli", *shlex.split(command)[1:], cwd=self.directory)
            assert list(map(like, child.stdout)) == list(map(like, said.splitlines())), child.output


def like(line: str) -> str:
    """A line without what differs each time: ids, ages, and the widths that follow from them."""
    line = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", line)
    return " ".join(re.sub(r"\b\d+[smhd]\b", "AGE", line).split())


@pytest.mark.broker
def test_the_story_of_a_bug_and_its_dead_letters_goes_as_the_page_tells_it(vhost_url: str, tmp_path: Path) -> None:
    story = Story(tmp_path, vhost_url)
    story.write(mended=False)
    subscribe = ("-m", "typed_pubsub.cli", "subscribe", "-A", "stock:config")
    with worker("stock", cwd=tmp_path) as tasks:
        with Child(*subscribe, cwd=tmp_path) as subscriber:
            subscriber.wait_for("consuming queue 'stock'")
            story.run("publish")
            subscriber.wait_for("dead-lettered", count=2)
            tasks.wait_for("order 7: 2 boxes")
            for looking in ("dlq list", "dlq stats", "explain"):
                story.run(looking)
            assert subscriber.terminate() == 0
        story.write(mended=True)
        story.run("dlq replay -A stock:config --dry-run")
        with Child(*subscribe, cwd=tmp_path) as subscriber:
            subscriber.wait_for("consuming queue 'stock'")
            story.run("dlq replay -A stock:config --yes")
            tasks.wait_for("order 8: 3 boxes")
            tasks.wait_for("order 9: 5 boxes")
            assert subscriber.terminate() == 0
        assert tasks.terminate() == 0
    assert queue_state(vhost_url, "stock.dlq").message_count == 0
