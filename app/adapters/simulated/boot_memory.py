"""A boot memory that outlives the boots of its simulated machine, as a disk does."""

from __future__ import annotations

from app.domain.errors import BootMemoryUnusable
from app.domain.rules.boot_loop import BootRecord


class SimulatedBootMemory:
    """`BootMemory`. Switches: ``unreadable``, ``unwritable``. ``record`` is the stored record."""

    def __init__(self) -> None:
        self.record: BootRecord | None = None
        self.unreadable = False
        self.unwritable = False

    async def load(self) -> BootRecord | None:
        if self.unreadable:
            raise BootMemoryUnusable("the simulated disk can't be read")
        return self.record

    async def save(self, record: BootRecord) -> None:
        if self.unwritable:
            raise BootMemoryUnusable("the simulated disk can't be written")
        self.record = record
