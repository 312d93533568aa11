"""A hardware clock with an alarm, and a switch for every kind of failure."""

from __future__ import annotations

from app.domain.errors import RtcUnusable
from app.ports.clock import Clock


class SimulatedRtcAlarm:
    """`RtcAlarm`; outlives the boots of its simulated machine. ``due_at_s``: Unix seconds, or None.

    ``own_at_s`` is the alarm that was set through the port, ``displaced_at_s`` what it took the place of.

    Switches: ``missing`` (no alarm in this clock), ``refuses`` (the driver takes none), ``forgets``
    (accepts it, and reads back none), ``sets_another_time`` (a day later than asked).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.due_at_s: float | None = None
        self.own_at_s: float | None = None
        self.displaced_at_s: float | None = None
        self.missing = False
        self.refuses = False
        self.forgets = False
        self.sets_another_time = False

    async def arm(self, ahead_s: int) -> None:
        self._check()
        if self.refuses:
            raise RtcUnusable("the simulated clock takes no alarm")
        if not self._is_mine:
            self.displaced_at_s = self.due_at_s
        ahead_s += 86400 * self.sets_another_time
        self.due_at_s = self.own_at_s = None if self.forgets else self._clock.now() + ahead_s

    async def due_in_s(self) -> int | None:
        """Seconds until the alarm; None if there is none, or if it is past."""
        self._check()
        if self.due_at_s is None or self.due_at_s <= self._clock.now():
            return None
        return round(self.due_at_s - self._clock.now())

    async def mine(self) -> bool:
        self._check()
        return self._is_mine

    async def clear(self) -> None:
        """Clear the alarm, and set the other one again."""
        self._check()
        other_at_s = self.displaced_at_s
        if other_at_s is not None and other_at_s <= self._clock.now():
            other_at_s = None
        if self._is_mine or self.due_at_s is None or self.due_at_s <= self._clock.now():
            self.due_at_s = other_at_s
        self.own_at_s = self.displaced_at_s = None

    @property
    def _is_mine(self) -> bool:
        return self.due_at_s is not None and self.due_at_s == self.own_at_s

    def _check(self) -> None:
        if self.missing:
            raise RtcUnusable("the simulated clock has no alarm")
