"""Which blocks the follower reads next, and whether what it read continues what it published.

Theory of operation. The cursor is the last block whose events are on the stream. The next blocks
must build on it: the first one's parent is the cursor's block. If it is another one, the chain was
reorganised, and the follower goes back, doubling its steps, until it finds a block of its own
trail on the chain (or the end of its memory). Blocks published twice are harmless, since an event
is only a hint; a block never read is a lost hint.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.blocks import Block, BlockRef

TRAIL_LENGTH = 512
"""Blocks the follower remembers; a reorganisation deeper than this restarts at the trail's end."""


def next_range(cursor: BlockRef, head: BlockRef, batch: int) -> tuple[int, int]:
    """First and last block to read now, for a head that is another block than the cursor."""
    if head.number <= cursor.number:
        # Another chain of the same height or less: its block at our height does not build on ours.
        return (head.number, head.number)
    return (cursor.number + 1, min(head.number, cursor.number + batch))


def continues(cursor: BlockRef, blocks: Sequence[Block]) -> bool:
    """Whether the first of ``blocks`` builds on the cursor."""
    return bool(blocks) and blocks[0].ref.number == cursor.number + 1 and blocks[0].parent_hash == cursor.hash


def unbroken(blocks: Sequence[Block]) -> Sequence[Block]:
    """The leading part of ``blocks`` in which each builds on the one before it.

    A batch that was read while the chain was reorganised may hold blocks of two branches.
    """
    for index in range(1, len(blocks)):
        if blocks[index].parent_hash != blocks[index - 1].ref.hash:
            return blocks[:index]
    return blocks


def extend(trail: Sequence[BlockRef], blocks: Sequence[Block]) -> tuple[BlockRef, ...]:
    """The trail with ``blocks`` at its end, as long as is remembered."""
    return (*trail, *(block.ref for block in blocks))[-TRAIL_LENGTH:]


def cut_back(trail: Sequence[BlockRef], steps: int) -> tuple[BlockRef, ...]:
    """The trail without its last ``steps`` blocks, but never empty."""
    return tuple(trail[: max(1, len(trail) - steps)])
