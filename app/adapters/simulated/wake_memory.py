"""The memory of a disk for proved wakes."""

from __future__ import annotations

from app.domain.errors import WakeMemoryUnusable
from app.domain.rules.proved_wake import Trial, WakeRecord


class SimulatedWakeMemory:
    """`WakeMemory`. Switches: ``unreadable``, ``unwritable``; ``record`` and ``allowed`` are what is kept."""

    def __init__(self) -> None:
        self.record = WakeRecord()
        self.allowed: Trial | None = None
        self.unreadable = False
        self.unwritable = False

    async def load(self) -> WakeRecord:
        self._read()
        return self.record

    async def save(self, record: WakeRecord) -> None:
        self._write()
        self.record = record

    async def trial(self) -> Trial | None:
        self._read()
        return self.allowed

    async def allow(self, trial: Trial) -> None:
        self._write()
        self.allowed = trial

    async def end_trial(self) -> None:
        self._write()
        self.allowed = None

    def _read(self) -> None:
        if self.unreadable:
            raise WakeMemoryUnusable("the simulated disk can't be read")

    def _write(self) -> None:
        if self.unwritable:
            raise WakeMemoryUnusable("the simulated disk can't be written")
