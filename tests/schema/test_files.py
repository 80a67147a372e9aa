"""Schema files and ``ignore.toml`` as they are read, from directories and from commits."""

import subprocess
from pathlib import Path

import pytest

from tests.schema.test_gate import Listed, committed, listed
from typed_pubsub.errors import SchemaError
from typed_pubsub.schema.files import read_files
from typed_pubsub.schema.ignores import Ignore, read_ignores


def test_ignores_are_read_from_a_file(tmp_path: Path) -> None:
    assert read_ignores(tmp_path) == []
    (tmp_path / "ignore.toml").write_text('[[ignore]]\nevent = "a.b"\nrule = "type"\nversion = 2\nreason = "why"\n')
    assert read_ignores(tmp_path) == [Ignore("a.b", "type", "why", version=2)]


BAD_IGNORES = [
    ('[[ignore]]\nevent = "a"\nrule = "type"\n', "entry 1: 'reason' is missing"),
    ('[[ignore]]\nevent = "a"\nrule = "type"\nreason = "why"\nversion = "2"\n', "'version': expected int, got '2'"),
    ('[[ignore]]\nevent = "a"\nrule = "type"\nreason = "why"\nrules = "x"\n', "'rules' is not known"),
    ('[ignore]\nevent = "a"\n', "expected only entries [[ignore]]"),
    ('[[ignore]]\nevent = "a"\nrule = "requird"\nreason = "why"\n', "no rule 'requird': did you mean 'required'?"),
    ("nothing", "Expected '='"),
]


@pytest.mark.parametrize(("text", "problem"), BAD_IGNORES)
def test_a_wrong_file_of_ignores_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "ignore.toml").write_text(text)
    with pytest.raises(SchemaError) as caught:
        read_ignores(tmp_path)
    assert problem in str(caught.value)
    assert str(tmp_path / "ignore.toml") in str(caught.value)


BAD_FILES = [
    ("a.b/1.json", "{", "expected JSON"),
    ("a.b/1.json", "[]", "expected the JSON Schema of an event, got list"),
    ("a.b/1.json", '{"x-routing-key": "a.b"}', "expected x-routing-key, a text, and x-version"),
    ("a.b/1.json", '{"x-routing-key": "a..b", "x-version": 1}', "empty words are not allowed"),
    ("a.b/2.json", '{"x-routing-key": "a.b", "x-version": 1}', "belongs to a.b/1.json"),
    ("a.c/1.json", '{"x-routing-key": "a.b", "x-version": 1}', "belongs to a.b/1.json"),
]


@pytest.mark.parametrize(("path", "text", "problem"), BAD_FILES)
def test_a_file_that_is_no_contract_is_refused(tmp_path: Path, path: str, text: str, problem: str) -> None:
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text(text)
    with pytest.raises(SchemaError) as caught:
        read_files(tmp_path)
    assert problem in str(caught.value)
    assert path in str(caught.value)


def test_a_directory_that_is_not_there_yet_has_no_files_and_another_one_is_a_mistake(tmp_path: Path) -> None:
    assert read_files(tmp_path / "schemas") == []
    with pytest.raises(SchemaError, match="shcemas: expected a directory with schema files, or git:REVISION"):
        read_files(tmp_path / "schemas", str(tmp_path / "shcemas"))


def git(where: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=where, check=True, capture_output=True)


def test_the_files_of_a_commit_are_those_that_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = tmp_path / "service" / "schemas"
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=empty")
    before = committed(schemas, Listed)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=schemas")
    committed(schemas, listed(price=str))
    for directory, here in ((schemas, tmp_path), (Path("schemas"), tmp_path / "service")):
        monkeypatch.chdir(here)
        (found,) = read_files(directory, "git:main")
        assert (found.text, found.version, found.template.text) == (before[0].text, 1, "shop.{shop}.listed")
        assert found.path.endswith("schemas/shop.{shop}.listed/1.json")
        assert read_files(directory, "git:main~1") == []
        with pytest.raises(SchemaError, match="expected a revision of the git repository"):
            read_files(directory, "git:nothing")


def test_a_revision_outside_of_any_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="git:main: expected a git repository around"):
        read_files(tmp_path / "schemas", "git:main")
