"""A hardware clock with an alarm, and a switch for every way in which one disappoints."""

from __future__ import annotations

from app.domain.errors import RtcUnusable
from app.ports.clock import Clock


class SimulatedRtcAlarm:
    """`RtcAlarm`; outlives the boots of its simulated machine. ``due_at_s``: Unix seconds, or None.

    Switches: ``missing`` (no alarm in this clock), ``refuses`` (the driver takes none), ``forgets``
    (accepts it, and reads back none), ``sets_another_time`` (a day later than asked).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.due_at_s: float | None = None
        self.missing = False
        self.refuses = False
        self.forgets = False
        self.sets_another_time = False

    async def arm(self, ahead_s: int) -> None:
        """Set it."""
        self._check()
        if self.refuses:
            raise RtcUnusable("the simulated clock takes no alarm")
        ahead_s += 86400 * self.sets_another_time
        self.due_at_s = None if self.forgets else self._clock.now() + ahead_s

    async def due_in_s(self) -> int | None:
        """One that is over is none."""
        self._check()
        if self.due_at_s is None or self.due_at_s <= self._clock.now():
            return None
        return round(self.due_at_s - self._clock.now())

    async def clear(self) -> None:
        """Forget it."""
        self._check()
        self.due_at_s = None

    def _check(self) -> None:
        if self.missing:
            raise RtcUnusable("the simulated clock has no alarm")
