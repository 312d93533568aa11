"""A cursor in memory."""

from __future__ import annotations

from app.domain.errors import CursorNotSaved
from app.ports.chain_blocks import BlockRef


class SimulatedBlockCursor:
    """`BlockCursor` that keeps every place it was given, while its disk has room."""

    def __init__(self, saved: BlockRef | None = None) -> None:
        self.history: list[BlockRef] = [] if saved is None else [saved]
        self.full = False
        self.refused = 0

    async def load(self) -> BlockRef | None:
        return self.history[-1] if self.history else None

    async def save(self, ref: BlockRef) -> None:
        if self.full:
            self.refused += 1
            raise CursorNotSaved("the cursor can't be written: No space left on device")
        self.history.append(ref)
