"""Times by this machine's wall clock: a page for people has one time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

IN_UTC = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b")
"""As `app.domain.moments.utc` writes it."""


def local(at_s: float, form: str = "%Y-%m-%d %H:%M") -> str:
    """The time ``at_s`` (Unix seconds) in ``form``, as `datetime.strftime` reads it."""
    try:
        return datetime.fromtimestamp(at_s, UTC).astimezone().strftime(form)
    except (ValueError, OverflowError, OSError):  # another program wrote it into a hold
        return f"second {at_s:g} of Unix time"


def with_local_times(text: str) -> str:
    """A text of the daemon, which knows no time zone: its times in UTC become local ones."""
    return IN_UTC.sub(_local, text)


def _local(found: re.Match[str]) -> str:
    try:
        at = datetime.strptime(found[0], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
    except ValueError:  # no such day
        return found[0]
    return local(at.timestamp())
