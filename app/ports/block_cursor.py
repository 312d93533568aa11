"""The follower's place in the chain, kept across restarts."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.ports.chain_blocks import BlockRef


@runtime_checkable
class BlockCursor(Protocol):
    """Stores the last block whose events are known to be in the stream."""

    async def load(self) -> BlockRef | None:
        """The saved place; ``None`` when there is none. A damaged one is logged, and counts as none."""
        ...

    async def save(self, ref: BlockRef) -> None:
        """Store the place durably: after a power cut it is the old one or the new one. Raises `CursorNotSaved`."""
        ...
