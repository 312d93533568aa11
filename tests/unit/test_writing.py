"""The words that docs/writing.md does not allow, and the width of Markdown lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs/writing.md"
WORDS = ("nobody", "somebody", "anybody", "everybody", "whoever", "shall", "is told", "are told", "the word of")
ANY = "|".join(WORDS).replace(" ", r"\s+")
FORBIDDEN = re.compile(rf"(?<![\w-])({ANY})(?![\w-])", re.IGNORECASE)
TEXTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "packaging/**/*", "app/**/*.py", "app/**/*.js", "app/**/*.html")
    for path in ROOT.glob(pattern)
    if path.is_file() and path != RULES
)


def found(text: str) -> list[str]:
    """Each forbidden word with its line."""
    # A line of a comment begins with '#', which is no part of the sentence.
    joined = re.sub(r"\n(\s*)# ", lambda match: "\n" + match[1] + "  ", text)
    return [f"line {joined.count(chr(10), 0, match.start()) + 1}: {match[0]}" for match in FORBIDDEN.finditer(joined)]


@pytest.mark.parametrize("folder", ["app", "docs", "packaging", "."])
def test_no_text_has_a_forbidden_word(folder: str) -> None:
    here = [path for path in TEXTS if (path.relative_to(ROOT).parts[0] if path.parent != ROOT else ".") == folder]
    assert here, folder
    words = {str(path.relative_to(ROOT)): found(path.read_text()) for path in here}
    assert {path: lines for path, lines in words.items() if lines} == {}, "docs/writing.md says what to write instead"


def test_every_word_that_is_looked_for_stands_in_the_rules() -> None:
    rules = RULES.read_text()
    assert [word for word in WORDS if word not in rules] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The node reads the chain.", []),
        ("It reaches\nnobody.", ["line 2: nobody"]),
        ("x = 1  # the caller is\n# told of it", ["line 1: is\n  told"]),
        ("promise `nobody_sleeps_for_ever`, a name", []),
        ("Node 2 Shall go down", ["line 1: Shall"]),
    ],
)
def test_a_forbidden_word_is_found_in_a_sentence_and_not_in_a_name(text: str, words: list[str]) -> None:
    assert found(text) == words
