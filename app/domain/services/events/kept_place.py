"""Keeps the follower's place: in memory at once, and in the cursor as soon as the cursor can be written.

A disk that is full must not stand between the chain and the stream. What the cursor misses costs
no event: after a restart the follower goes on from the older place, and blocks come twice.
"""

from __future__ import annotations

from app.domain.backoff import Backoff
from app.domain.errors import RetryableError
from app.domain.faults import FaultKind
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.retry import Work
from app.ports.block_cursor import BlockCursor
from app.ports.chain_blocks import BlockRef

KEEPING = Work(
    "keeping the place in the chain",
    FaultKind.BLOCK_CURSOR.key(),
    "events are published all the same; after a restart those since the last place that was kept come again; make room "
    "on the disk, or name another file (follower.cursor_file)",
    Backoff(0.5, 30.0),
    once=True,
)


class KeptPlace:
    """The cursor, of which no failure reaches the follower (R15)."""

    def __init__(self, cursor: BlockCursor, context: NodeContext) -> None:
        self._cursor = cursor
        self._retry = context.retry(KEEPING)

    async def load(self) -> BlockRef | None:
        """Where an earlier run stood, if it is known."""
        return await self._cursor.load()

    async def keep(self, ref: BlockRef) -> None:
        """Write it, unless an earlier one could not be written a short while ago."""
        if not self._retry.due:
            return
        try:
            await self._cursor.save(ref)
        except RetryableError as error:
            self._retry.failed(str(error))
        else:
            self._retry.succeeded()
