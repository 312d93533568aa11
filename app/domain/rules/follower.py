"""Which blocks the follower reads next, and whether they build on those it published.

Theory of operation. The cursor is the last block whose events are in the stream. The *trail* is the
list of the last published blocks. The next block must have the cursor's block as its parent. If it has
another one, the chain was reorganised: the follower goes back along its trail, in steps that double,
until it finds a block that is still on the chain, or the trail ends. To publish a block twice does no
harm, since an event is only a hint. A block that is never read is a lost hint.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.blocks import Block, BlockRef

TRAIL_LENGTH = 512
"""How many blocks the trail has. After a deeper reorganisation the follower restarts at the trail's end."""


def next_range(cursor: BlockRef, head: BlockRef, batch: int) -> tuple[int, int]:
    """First and last block to read now, for a head that is another block than the cursor."""
    if head.number <= cursor.number:
        # A branch of the same height or less: its head is another block than ours.
        return (head.number, head.number)
    return (cursor.number + 1, min(head.number, cursor.number + batch))


def continues(cursor: BlockRef, blocks: Sequence[Block]) -> bool:
    """Whether the first of ``blocks`` has the cursor's block as its parent."""
    return bool(blocks) and blocks[0].ref.number == cursor.number + 1 and blocks[0].parent_hash == cursor.hash


def unbroken(blocks: Sequence[Block]) -> Sequence[Block]:
    """The leading part of ``blocks`` in which each builds on the one before it.

    A batch that was read during a reorganisation may have blocks of two branches.
    """
    for index in range(1, len(blocks)):
        if blocks[index].parent_hash != blocks[index - 1].ref.hash:
            return blocks[:index]
    return blocks


def extend(trail: Sequence[BlockRef], blocks: Sequence[Block]) -> tuple[BlockRef, ...]:
    """The trail with ``blocks`` at its end, cut to `TRAIL_LENGTH`."""
    return (*trail, *(block.ref for block in blocks))[-TRAIL_LENGTH:]


def cut_back(trail: Sequence[BlockRef], steps: int) -> tuple[BlockRef, ...]:
    """The trail without its last ``steps`` blocks, but never empty."""
    return tuple(trail[: max(1, len(trail) - steps)])
