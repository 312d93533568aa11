"""What a node has to remember of its last Down until it has booted (R13)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.rules.paid import DownWindow


@runtime_checkable
class WindowMemory(Protocol):
    """Remembers one window. Every method is bounded in time, and raises `WindowMemoryUnusable`, saying why."""

    async def load(self) -> DownWindow | None:
        """The window kept last; ``None`` when there is none, or only a damaged one (which is reported)."""
        ...

    async def save(self, window: DownWindow) -> None:
        """Keep it durably: after a power cut it is the old one or the new one."""
        ...

    async def clear(self) -> None:
        """Forget it; harmless when there is none."""
        ...
