"""What a person who picks the project up relies on: commands, hooks, one version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import bootstrap
from app import __version__

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def targets() -> list[str]:
    """Of the Makefile, in its order."""
    rules = re.findall(r"^([a-z][a-z -]*):$", MAKEFILE, re.MULTILINE)
    return [target for rule in rules for target in rule.split()]


def test_make_alone_shows_the_commands_and_starts_none() -> None:
    assert targets()[0] == "help"


def test_make_and_bootstrap_know_the_same_tasks() -> None:
    assert sorted(targets()) == sorted([*bootstrap.TASKS, "help", "lock"])


def test_the_help_says_what_each_task_is_for() -> None:
    lines = bootstrap.tasks().splitlines()
    assert [line.split()[0] for line in lines] == list(bootstrap.TASKS)
    assert all(len(line.split()) > 1 for line in lines)


def test_the_hooks_before_a_commit_are_tasks_and_fetch_nothing() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    called = re.findall(r"entry: make (\w+)", hooks)
    assert called == ["lint", "types", "contracts"]
    assert set(called) <= bootstrap.TASKS.keys()
    assert "http" not in hooks


def test_the_version_stands_in_one_place() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    code = [ROOT / "bootstrap.py", ROOT / "pyproject.toml", *(ROOT / "app").rglob("*.py")]
    found = [path for path in code if re.search(rf"(?<![\d.=]){re.escape(__version__)}(?![\d.])", path.read_text())]
    assert found == [ROOT / "app" / "__init__.py"]


def test_the_changelog_begins_with_the_version() -> None:
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first is not None
    assert first[1] == __version__


def test_no_test_imports_from_another_test() -> None:
    """What tests share lives in tests/rigs, or in a file of their folder that has no test."""
    imports = re.compile(r"^\s*(?:from|import) tests\.(?:\w+\.)*test_\w+", re.MULTILINE)
    found = {path: imports.findall(path.read_text()) for path in (ROOT / "tests").rglob("*.py")}
    assert {str(path.relative_to(ROOT)): lines for path, lines in found.items() if lines} == {}


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "app/py.typed").exists()
    assert "py.typed" in PYPROJECT["tool"]["setuptools"]["package-data"]["*"]


def test_a_version_that_was_never_released_fixes_nothing() -> None:
    """The file merges by union: a merge that brought lines back shows here."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    unreleased = re.findall(r"^## [\d.]+ — unreleased\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if len(re.findall(r"^## ", changelog, re.MULTILINE)) > 1:
        return  # later versions may fix what an earlier one had
    (text,) = unreleased
    assert "- Fixed" not in text
    headings = re.findall(r"^### (.*)", text, re.MULTILINE)
    assert headings == ["Added: the daemon", "Added: commands", "For operators"]
    assert [line for line in text.partition("### ")[0].splitlines() if line.startswith("- ")] == []
    entries = [line for line in text.splitlines() if line.startswith("- ")]
    assert len(entries) == len(set(entries))
