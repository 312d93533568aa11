"""Blocks of the chain in their order, for the follower that feeds the event stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from app.domain.blocks import Block, BlockRef

__all__ = ["Block", "BlockRef", "ChainBlocks"]


@runtime_checkable
class ChainBlocks(Protocol):
    """The best head, and blocks. Every method raises `ChainUnavailable` when no answer came in time."""

    async def next_head(self, after: BlockRef | None) -> BlockRef:
        """Wait until the best head is another block than ``after``, and return it.

        Raises `ChainUnavailable` when the connection breaks, or no head comes within the adapter's
        deadline.
        """
        ...

    async def blocks(self, first: int, last: int) -> Sequence[Block]:
        """Blocks ``first`` … ``last`` of the best chain, ascending, read in one batch.

        It can be fewer than asked for, when a fork made the chain shorter meanwhile.
        """
        ...
