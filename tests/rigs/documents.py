"""The commands that the documents show, one by one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), ROOT / "packaging/README.md", *(ROOT / "docs").rglob("*.md")])

_BLOCK = re.compile(r"^( *)```(\S*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Command:
    """A command line in a block of ``sh``; one of several that ``&&`` joins."""

    document: str
    line: int
    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text, comments=True)

    def __str__(self) -> str:
        return f"{self.document}:{self.line}: {self.text}"


def commands() -> Iterator[Command]:
    """The commands of all documents. A command that is shown twice comes twice."""
    for document in DOCUMENTS:
        text = document.read_text()
        for block in _BLOCK.finditer(text):
            if block[2] != "sh":
                continue
            first = text.count("\n", 0, block.start(3)) + 1
            for number, line in _whole_lines(block[3]):
                for part in re.split(r"\s&&\s", re.sub(r"\s+#.*$", "", line)):
                    yield Command(str(document.relative_to(ROOT)), first + number, part.strip())


def inline_commands() -> Iterator[Command]:
    """Each ``powerd …`` in backquotes in a sentence, with its choices (``up|down``) as written."""
    for document in DOCUMENTS:
        text = _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), document.read_text())
        for found in _INLINE.finditer(text):
            words = " ".join(found[1].split())
            if re.match(r"powerd(-devchain)?( |$)", words):
                yield Command(str(document.relative_to(ROOT)), text.count("\n", 0, found.start()) + 1, words)


def block(document: str, beginning: str) -> str:
    """The block of code of this document that begins so."""
    (found,) = [each[3] for each in _BLOCK.finditer((ROOT / document).read_text()) if each[3].startswith(beginning)]
    return found


def _whole_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines, with the number of each; lines that a backslash continues are one."""
    begun, start = "", 0
    for number, line in enumerate(text.splitlines()):
        if not begun:
            start = number
        begun += line.strip().removesuffix("\\") if line.endswith("\\") else line.strip()
        if not line.endswith("\\") and begun:
            yield start, begun
            begun = ""
