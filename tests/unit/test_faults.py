"""Every fault that powerd can report has a meaning and a remedy, and docs/faults.md shows them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.domain.faults import MEANING, FaultKind, Urgency
from app.entrypoints.documents.faults import document
from app.entrypoints.settings.keys import keys

ROOT = Path(__file__).parents[2]
CODE = {path: path.read_text() for path in (ROOT / "app").rglob("*.py") if path.name != "faults.py"}


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "faults.md").read_text() == document(), "run python -m app.entrypoints.documents.faults"


def test_the_board_gets_keys_of_the_table_alone() -> None:
    """The board's methods take a `FaultKey` (mypy sees to it), and only the table makes one."""
    assert [path for path, text in CODE.items() if re.search(r"\bFaultKey\(", text)] == []


def test_every_row_is_a_fault_that_the_code_reports() -> None:
    used = {name for text in CODE.values() for name in re.findall(r"\bFaultKind\.([A-Z_]+)", text)}
    assert used == {kind.name for kind in FaultKind}


@pytest.mark.parametrize("kind", FaultKind, ids=lambda kind: kind.name)
def test_a_row_says_what_is_wrong_and_what_to_do(kind: FaultKind) -> None:
    assert kind.meaning.endswith(".")
    assert kind.remedy.endswith(".")
    assert kind.urgency in MEANING
    subject = "br0" if "{}" in kind.pattern else ""
    assert FaultKind.of(kind.key(subject)) is kind


def test_the_page_of_what_can_fail_has_a_row_for_every_fault() -> None:
    """Its column of what the operator sees names the key, as a fault's line of the log does."""
    rows = [line for line in (ROOT / "docs" / "reliability.md").read_text().splitlines() if line.startswith("|")]
    words = {word for row in rows for code in re.findall(r"`([^`]+)`", row) for word in re.split(r" |key=", code)}
    shown = {FaultKind.of(word.replace("…", "x")) for word in words}
    assert [kind.pattern for kind in FaultKind if kind not in shown] == []


def test_no_two_rows_have_the_same_key() -> None:
    assert len({kind.pattern for kind in FaultKind}) == len(FaultKind) > len(Urgency)


def test_settings_that_a_remedy_names_exist() -> None:
    known = set(keys())
    named = {name for kind in FaultKind for name in re.findall(r"\b[a-z_]+\.[a-z_]+\b", kind.remedy)}
    settings = {name for name in named if not name.endswith(".md")}
    assert settings <= known
    assert "chain.urls" in settings


def test_a_key_of_another_version_is_of_no_kind() -> None:
    for key in ("new-fault", "node--asleep", "endpoint-", "node-asleep"):
        assert FaultKind.of(key) is None


@pytest.mark.parametrize(("kind", "subject"), [(FaultKind.WALLET, "x"), (FaultKind.ENDPOINT, "")])
def test_a_key_without_its_subject_or_with_one_too_many_is_a_mistake(kind: FaultKind, subject: str) -> None:
    with pytest.raises(ValueError, match=re.escape(kind.pattern)):
        kind.key(subject)


def test_keys_say_what_they_are_about() -> None:
    assert FaultKind.NODE_ASLEEP.key(7) == "node-7-asleep"
    assert FaultKind.of("endpoint-wss://chain.example:443") is FaultKind.ENDPOINT
    assert FaultKind.of("magic-packets") is FaultKind.MAGIC_PACKETS
    assert FaultKind.of("magic-packets-br0") is FaultKind.MAGIC_PACKETS_BEHIND
