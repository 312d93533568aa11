"""The minting's calendar: sixty equal periods in five years, each about a month long.

Source: ``minting_v3``, ``period.rs`` (state of February 2025). All times are chain time, in whole Unix seconds.
"""

from __future__ import annotations

from app.domain.values import value

FIRST_START_S = 1_522_501_000
LENGTH_S = 2_630_880
LATE_EVENTS_S = 27 * 3600
"""For how long after a period its events are read."""


@value
class Period:
    """A period, with ``start_s`` and ``end_s`` in it. ``number`` is None outside the calendar."""

    start_s: int
    end_s: int
    number: int | None = None

    @property
    def length_s(self) -> int:
        """Its length (s), which is the most that a node can be credited."""
        return self.end_s - self.start_s

    @classmethod
    def at(cls, number: int) -> Period:
        """The period with this number, counted from 0."""
        start_s = FIRST_START_S + number * LENGTH_S
        return cls(start_s, start_s + LENGTH_S, number)

    @classmethod
    def holding(cls, time_s: float) -> Period:
        """The period that ``time_s`` lies in."""
        return cls.at(int(time_s - FIRST_START_S) // LENGTH_S)
