"""The event stream of one machine, and everything an unreliable bus does to what is published on it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.power_events import SimulatedStream
from app.domain.events import Malformed, PowerTargetChanged
from app.entrypoints.simulator.world.fault_history import ActiveFaults

REMEMBERED = 32
"""Old events kept for replaying."""


class Bus:
    """One machine's Redis; its data is gone when the machine is dark."""

    def __init__(
        self,
        clock: VirtualClock,
        later: Callable[[float, Callable[[], None]], object],
        is_away: Callable[[], bool],
        chance: random.Random,
    ) -> None:
        self._clock = clock
        self._later = later
        self._is_away = is_away
        self._chance = chance
        self._old: deque[PowerTargetChanged] = deque(maxlen=REMEMBERED)
        self._held_back: list[PowerTargetChanged] = []
        self.stream = SimulatedStream(clock)
        self.active_faults = ActiveFaults()
        self.lost = 0.0
        self.doubled = 0.0
        self.late_s = 0.0
        self.garbage = 0.0

    def boot(self) -> None:
        self.stream = SimulatedStream(self._clock)
        self._held_back.clear()

    def publish(self, changes: Sequence[PowerTargetChanged]) -> None:
        """Put the events on the stream, or lose, repeat or delay them."""
        self._old.extend(changes)
        if self._is_away():
            # Their publisher tries until the server is back.
            self._held_back += changes
            return
        for change in changes:
            if self._chance.random() < self.garbage:
                self.stream.append(Malformed("simulated garbage"))
            if self._chance.random() < self.lost:
                continue
            self._append(change)
            if self._chance.random() < self.doubled:
                self._append(change)

    def back(self) -> None:
        """The server answers again."""
        held_back, self._held_back = self._held_back, []
        self.stream.append(*held_back)

    def replay(self, age_s: float) -> None:
        """Old events come once more, ``age_s`` old by their ids."""
        self.stream.append(*self._old, age_s=age_s)

    def forge(self, change: PowerTargetChanged) -> None:
        """An unauthorized program writes to the stream."""
        self.stream.append(change)

    def _append(self, change: PowerTargetChanged) -> None:
        if self.late_s:
            # Each event has its own delay, so that events also come in another order.
            stream = self.stream
            self._later(self.late_s * self._chance.random(), lambda: stream.append(change))
        else:
            self.stream.append(change)
