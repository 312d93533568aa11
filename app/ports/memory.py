"""Storage of one small record of this node, over restarts and boots."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

Record = TypeVar("Record")


@runtime_checkable
class Memory(Protocol[Record]):
    """Every method is bounded in time, and raises `MemoryUnusable` with the reason."""

    async def load(self) -> Record | None:
        """The stored record; ``None`` when there is none. A damaged one is logged, and counts as none."""
        ...

    async def save(self, record: Record, *, durably: bool = True) -> None:
        """Store the record: after a power cut it is the old one or the new one.

        Without ``durably`` it outlives this process, and perhaps no power cut.
        """
        ...

    async def clear(self) -> None:
        """Remove the record, if there is one."""
        ...
