"""Keeps the follower's place: in memory at once, and in the cursor as soon as the cursor can be written.

A disk that is full must not stand between the chain and the stream. What the cursor misses costs
no event: after a restart the follower goes on from the older place, and blocks come twice.
"""

from __future__ import annotations

from app.domain.backoff import Backoff, Jitter
from app.domain.errors import RetryableError
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.persistent_trouble import PersistentTrouble
from app.ports.block_cursor import BlockCursor
from app.ports.chain_blocks import BlockRef
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry

FAULT = FaultKind.BLOCK_CURSOR.key()
DOING = "keeping the place in the chain"
REMEDY = (
    "events are published all the same; after a restart those since the last place that was kept come again; make room "
    "on the disk, or name another file (follower.cursor_file)"
)
RETRY = Backoff(0.5, 30.0)
PATIENCE_S = 60.0


class KeptPlace:
    """The cursor, of which no failure reaches the follower (R15)."""

    def __init__(
        self, cursor: BlockCursor, faults: FaultBoard, clock: Clock, telemetry: Telemetry, jitter: Jitter
    ) -> None:
        self._cursor = cursor
        self._trouble = PersistentTrouble(FAULT, REMEDY, faults, clock, patience_s=PATIENCE_S)
        self._clock = clock
        self._telemetry = telemetry
        self._jitter = jitter
        self._failures = 0
        self._told = ""
        self._next_try_s = float("-inf")

    async def load(self) -> BlockRef | None:
        """Where an earlier run stood, if it is known."""
        return await self._cursor.load()

    async def keep(self, ref: BlockRef) -> None:
        """Write it, unless an earlier one could not be written a short while ago."""
        if self._clock.monotonic() < self._next_try_s:
            return
        try:
            await self._cursor.save(ref)
        except RetryableError as error:
            self._failed(str(error))
        else:
            self._failures, self._told, self._next_try_s = 0, "", float("-inf")
            self._trouble.succeeded()

    def _failed(self, reason: str) -> None:
        self._failures += 1
        retry_in_s = RETRY.delay_s(self._failures, self._jitter)
        self._next_try_s = self._clock.monotonic() + retry_in_s
        if reason != self._told:
            self._told = reason
            self._telemetry.record(OperationFailed(DOING, reason, retry_in_s))
        self._trouble.failed(DOING, reason)
