"""Mistakes in the input of a simulation: each names the file, the line, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from app.domain.errors import PermanentError


class BadInput(PermanentError):
    """The plan can't be made. The program ends with 2, as for a wrong option: 1 means that a promise was broken."""

    exit_code = 2

    @classmethod
    def at(cls, path: Path, line: int, problem: str) -> BadInput:
        """``FILE:LINE: problem``, as editors understand it; line 0: the whole file."""
        return cls(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")

    @classmethod
    def unreadable(cls, path: Path, error: OSError, remedy: str) -> BadInput:
        """A file that can't be opened or read."""
        return cls.at(path, 0, f"can't be read: {error.strerror}; {remedy}")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """``unknown fault 'reorg'; did you mean …? Known: …``."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1, cutoff=0.5)
    guess = f" (did you mean {near[0]}?)" if near else ""
    return f"unknown {what} {name!r}{guess}; known: {', '.join(names)}"
