"""Where the follower stands, kept across restarts."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.ports.chain_blocks import BlockRef


@runtime_checkable
class BlockCursor(Protocol):
    """Remembers the last block whose events are known to be on the stream."""

    async def load(self) -> BlockRef | None:
        """The saved place; ``None`` when there is none, or only a damaged one (which is reported)."""
        ...

    async def save(self, ref: BlockRef) -> None:
        """Keep the place durably: after a power cut it is the old one or the new one; `CursorNotSaved`."""
        ...
