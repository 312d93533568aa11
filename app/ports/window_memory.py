"""Storage of this node's last Down, until the machine has booted (R13)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.rules.paid import DownWindow


@runtime_checkable
class WindowMemory(Protocol):
    """Stores one window. Every method is bounded in time, and raises `WindowMemoryUnusable` with the reason."""

    async def load(self) -> DownWindow | None:
        """The stored window; ``None`` when there is none. A damaged one is logged, and counts as none."""
        ...

    async def save(self, window: DownWindow) -> None:
        """Store the window durably: after a power cut it is the old one or the new one."""
        ...

    async def clear(self) -> None:
        """Remove the window, if there is one."""
        ...
