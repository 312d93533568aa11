"""A memory for a down window that outlives the boots of its simulated machine."""

from __future__ import annotations

from app.domain.errors import WindowMemoryUnusable
from app.domain.rules.paid import DownWindow


class SimulatedWindowMemory:
    """`WindowMemory`. Switches: ``unreadable``, ``unwritable``. ``window`` is the stored window."""

    def __init__(self) -> None:
        self.window: DownWindow | None = None
        self.unreadable = False
        self.unwritable = False

    async def load(self) -> DownWindow | None:
        if self.unreadable:
            raise WindowMemoryUnusable("the simulated disk can't be read")
        return self.window

    async def save(self, window: DownWindow) -> None:
        self._write(window)

    async def clear(self) -> None:
        self._write(None)

    def _write(self, window: DownWindow | None) -> None:
        if self.unwritable:
            raise WindowMemoryUnusable("the simulated disk can't be written")
        self.window = window
