"""Times as users write them: ``90s``, ``15m``, ``1h30m``, ``1d``, or an ISO 8601 time."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from app.domain.errors import PermanentError

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}

LATEST_S = datetime(9999, 1, 1, tzinfo=UTC).timestamp()

_DURATION = re.compile("".join(rf"(?:([0-9]{{1,15}}){unit})?" for unit in UNITS))


class WrongTime(PermanentError):
    """A text that is no duration and no point in time, or one out of range."""

    exit_code = 2


def expiry(now_s: float, duration: str | None, until: str | None) -> float | None:
    """The end in Unix seconds, from now for a duration; None if neither is given."""
    if duration is not None and until is not None:
        raise WrongTime("--for and --until say the same thing; give one of them")
    if duration is not None:
        at_s = now_s + duration_s(duration)
    elif until is not None:
        at_s = point_in_time_s(until)
    else:
        return None
    if at_s >= LATEST_S:
        raise WrongTime(f"{duration or until} ends after the year 9998; leave it out for a hold without end")
    return at_s


def duration_s(text: str) -> int:
    """Whole seconds of a text like ``1h30m``, with the larger unit first. Raises `WrongTime`."""
    found = _DURATION.fullmatch(text.strip())
    seconds = 0 if found is None else sum(int(n or 0) * s for n, s in zip(found.groups(), UNITS.values(), strict=True))
    if not seconds:
        raise WrongTime(f"{text!r} is no duration; say 90s, 15m, 2h, 1d or 1h30m")
    return seconds


def point_in_time_s(text: str) -> float:
    """Unix seconds of an ISO 8601 time, which is local time without an offset."""
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise WrongTime(
            f"{text!r} is no ISO time; say 2026-01-31T08:15 (local time), 2026-01-31T08:15:00+01:00 or …Z"
        ) from None


def shown_duration(seconds: float) -> str:
    """The two largest units: ``1 d 2 h``, ``59 min 30 s``; never less than ``1 s``."""
    rest, parts = max(1, round(seconds)), []
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, length_s)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])
