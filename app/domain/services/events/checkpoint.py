"""Saves the follower's place in the cursor, as soon as the cursor can be written.

A full disk must not stop the events. No event is lost by it: after a restart the follower goes on from
the older place, and publishes some blocks twice.
"""

from __future__ import annotations

from app.domain.backoff import Backoff
from app.domain.errors import MemoryUnusable
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.retry import Work
from app.ports.chain_blocks import BlockRef
from app.ports.memory import Memory

SAVING = Work(
    "saving the place in the chain",
    FaultKind.BLOCK_CURSOR.key(),
    "events are still published; after a restart those since the last saved place are published again; make room "
    "on the disk, or set another file (follower.cursor_file)",
    Backoff(0.5, 30.0),
    once=True,
)


class Checkpoint:
    """The cursor. None of its failures stops the follower (R15)."""

    def __init__(self, cursor: Memory[BlockRef], context: NodeContext) -> None:
        self._cursor = cursor
        self._telemetry = context.telemetry
        self._retry = context.retry(SAVING)

    async def load(self) -> BlockRef | None:
        """The place of an earlier run; None when there is none, or it can't be read."""
        try:
            return await self._cursor.load()
        except MemoryUnusable as error:
            self._telemetry.record(OperationFailed("reading the place in the chain", str(error), 0.0))
            return None

    async def save(self, ref: BlockRef) -> None:
        """Save the place, unless the pause after a failed save has not ended yet."""
        if not self._retry.due:
            return
        try:
            await self._cursor.save(ref)
        except MemoryUnusable as error:
            self._retry.failed(str(error))
        else:
            self._retry.succeeded()
