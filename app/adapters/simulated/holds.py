"""Holds in memory."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import HoldsUnreadable
from app.domain.model import Hold
from app.ports.clock import Clock


class SimulatedHolds:
    """`Holds`, one per holder; with ``unreadable`` they can't be read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._holds: dict[str, Hold] = {}
        self.unreadable = False

    def place(self, hold: Hold) -> None:
        self._holds[hold.holder] = hold

    def lift(self, holder: str) -> None:
        self._holds.pop(holder, None)

    async def active(self) -> Sequence[Hold]:
        if self.unreadable:
            raise HoldsUnreadable("the simulated holds can't be read")
        return self.shown()

    def shown(self) -> Sequence[Hold]:
        now_s = self._clock.now()
        return [h for h in self._holds.values() if h.expires_at_s is None or h.expires_at_s > now_s]
