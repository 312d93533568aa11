"""Formats a moment: ``2025-02-03 14:05 UTC``. The domain imports no calendar of the standard library."""

from __future__ import annotations

DAY_S = 86400


def utc(at_s: float) -> str:
    """The moment ``at_s`` (Unix seconds), to the minute."""
    days, rest_s = divmod(int(at_s), DAY_S)
    # Howard Hinnant's civil_from_days (chrono-Compatible Low-Level Date Algorithms): years begin in March.
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * from_march + 2) // 5 + 1
    month = (from_march + 2) % 12 + 1
    year = era * 400 + year_of_era + (month <= 2)
    return f"{year:04d}-{month:02d}-{day:02d} {rest_s // 3600:02d}:{rest_s % 3600 // 60:02d} UTC"
