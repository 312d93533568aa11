"""A cursor in memory."""

from __future__ import annotations

from app.ports.chain_blocks import BlockRef


class SimulatedBlockCursor:
    """`BlockCursor` that keeps every place it was told."""

    def __init__(self, saved: BlockRef | None = None) -> None:
        self.history: list[BlockRef] = [] if saved is None else [saved]

    def load(self) -> BlockRef | None:
        """The newest."""
        return self.history[-1] if self.history else None

    def save(self, ref: BlockRef) -> None:
        """Keep it."""
        self.history.append(ref)
