"""Blocks as the follower reads them."""

from __future__ import annotations

from app.domain.events import PowerTargetChanged
from app.domain.values import value


@value
class BlockRef:
    """A block by number and hash (``0x…``)."""

    number: int
    hash: str


@value
class Block:
    """A block and the power-target events in it.

    ``unreadable`` is empty for a block that was read. Else it says why no endpoint has its events any
    more (pruned).
    """

    ref: BlockRef
    parent_hash: str
    changes: tuple[PowerTargetChanged, ...]
    unreadable: str = ""
