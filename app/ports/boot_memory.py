"""What the boot-loop guard has to remember from one boot to the next (R10)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.rules.boot_loop import BootRecord


@runtime_checkable
class BootMemory(Protocol):
    """Remembers the last boot. Every method is bounded in time, and raises `BootMemoryUnusable`, saying why."""

    async def load(self) -> BootRecord | None:
        """The last record; ``None`` when there is none, or only a damaged one (which is reported)."""
        ...

    async def save(self, record: BootRecord) -> None:
        """Keep it durably: after a power cut it is the old one or the new one."""
        ...
