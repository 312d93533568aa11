"""Storage of the boot-loop guard, from one boot to the next (R10)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.rules.boot_loop import BootRecord


@runtime_checkable
class BootMemory(Protocol):
    """Stores one record. Every method is bounded in time, and raises `BootMemoryUnusable` with the reason."""

    async def load(self) -> BootRecord | None:
        """The last record; ``None`` when there is none. A damaged one is logged, and counts as none."""
        ...

    async def save(self, record: BootRecord) -> None:
        """Store the record durably: after a power cut it is the old one or the new one."""
        ...
