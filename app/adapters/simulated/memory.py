"""A memory that outlives the boots of its simulated machine, as a disk does."""

from __future__ import annotations

from typing import Generic, TypeVar

from app.domain.errors import MemoryUnusable

Record = TypeVar("Record")


class SimulatedMemory(Generic[Record]):
    """`Memory`. Switches: ``unreadable``, ``unwritable``. ``record`` is the stored record."""

    def __init__(self, record: Record | None = None) -> None:
        self.record = record
        self.unreadable = False
        self.unwritable = False

    async def load(self) -> Record | None:
        if self.unreadable:
            raise MemoryUnusable("the simulated disk can't be read")
        return self.record

    async def save(self, record: Record, *, durably: bool = True) -> None:  # noqa: ARG002 - it loses no power
        self._write(record)

    async def clear(self) -> None:
        self._write(None)

    def _write(self, record: Record | None) -> None:
        if self.unwritable:
            raise MemoryUnusable("the simulated disk can't be written")
        self.record = record
