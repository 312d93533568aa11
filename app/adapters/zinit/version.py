"""Reads the output of ``zinit -V``: ``zinit v0.2.11``, or a ``git describe`` text between two releases.

``v0.2.9-3-gabc`` is three commits *after* 0.2.9, and counts as 0.2.9. Semantic versioning and the Go daemon
would read it as a pre-release of 0.2.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"(0|[1-9][0-9]{0,8})"
_PRINTED = re.compile(
    rf"zinit v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+?))??"  # lazy, so that git's suffix does not count as a pre-release
    r"(?:-[0-9]+-g[0-9a-f]+)?"
    r"(?:-(?:dirty|modified|broken))?"
    r"(?:\+[0-9A-Za-z.-]+)?"
)


class UnreadableVersion(ValueError):
    """The text is no version of zinit."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version. They compare by number; a pre-release (``final`` is False) comes before its release."""

    major: int
    minor: int
    patch: int
    final: bool = True

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}{'' if self.final else ' (pre-release)'}"


def parse_version(printed: str) -> Version:
    """The version in zinit's output. Raises `UnreadableVersion`."""
    found = _PRINTED.fullmatch(printed.strip())
    if found is None:
        raise UnreadableVersion(f"{printed.strip()[:100]!r} is no version of zinit (expected: `zinit v0.2.11`)")
    major, minor, patch = (int(number) for number in found.groups()[:3])
    return Version(major, minor, patch, final=found["pre"] is None)
