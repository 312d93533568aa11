"""Blocks of the chain, one after the other, for the follower that feeds the event stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from app.domain.blocks import Block, BlockRef

__all__ = ["Block", "BlockRef", "ChainBlocks"]


@runtime_checkable
class ChainBlocks(Protocol):
    """Best head and blocks. Every method raises `ChainUnavailable` when no answer came in time."""

    async def next_head(self, after: BlockRef | None) -> BlockRef:
        """Wait until the best head is another block than ``after``, and return it.

        Returns at once when it already is; raises `ChainUnavailable` when the connection breaks
        or no head comes within the adapter's deadline.
        """
        ...

    async def blocks(self, first: int, last: int) -> Sequence[Block]:
        """Blocks ``first`` … ``last`` of the best chain, ascending, read in one batch.

        May be fewer than asked for when the chain became shorter meanwhile.
        """
        ...
