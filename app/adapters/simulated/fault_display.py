"""A display that remembers the faults it has shown."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.model import Fault


class SimulatedFaultDisplay:
    """`FaultDisplay` with the faults ``shown`` now, and each change in ``history``."""

    def __init__(self) -> None:
        self.shown: tuple[Fault, ...] = ()
        self.history: list[tuple[Fault, ...]] = []

    @property
    def keys(self) -> set[str]:
        return {fault.key for fault in self.shown}

    async def show(self, faults: Sequence[Fault]) -> None:
        if tuple(faults) != self.shown:
            self.shown = tuple(faults)
            self.history.append(self.shown)
