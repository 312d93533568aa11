"""What a check found: its severity, what was seen, and the remedy."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import PowerdError


class Severity(enum.Enum):
    """``SKIPPED``: not run, since a check that it needs failed. ``NOT_HERE``: not needed with these settings."""

    NOT_HERE = "not here"
    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``subject`` is what it is about where a check looks at several things (an endpoint's name)."""

    severity: Severity
    seen: str
    remedy: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A finding, and the name of the check that made it."""

    check: str
    finding: Finding


def ok(seen: str, subject: str = "") -> Finding:
    return Finding(Severity.OK, seen, "", subject)


def skipped(why: str) -> Finding:
    return Finding(Severity.SKIPPED, why)


def warning(seen: str, remedy: str, subject: str = "") -> Finding:
    return Finding(Severity.WARNING, seen, remedy, subject)


def failed(seen: str, remedy: str, subject: str = "") -> Finding:
    return Finding(Severity.FAILED, seen, remedy, subject)


def of_error(error: PowerdError, remedy: str) -> Finding:
    """An error's text ends with its remedy, behind the last semicolon; ``remedy`` is for those without one."""
    seen, semicolon, own = str(error).rpartition("; ")
    return failed(seen, own) if semicolon else failed(own, remedy)


def worst(rows: Sequence[Row]) -> Severity:
    """The worst of them; `Severity.OK` for none, and for those that were skipped."""
    found = {row.finding.severity for row in rows}
    return next((each for each in (Severity.FAILED, Severity.WARNING) if each in found), Severity.OK)
