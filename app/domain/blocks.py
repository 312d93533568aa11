"""Blocks as the follower sees them."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.events import PowerTargetChanged


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block by number and hash (``0x…``)."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Block:
    """A block and the power-target events in it.

    ``unreadable`` says why its events can't be had any more (pruned); it is empty for a block
    that was read.
    """

    ref: BlockRef
    parent_hash: str
    changes: tuple[PowerTargetChanged, ...]
    unreadable: str = ""
