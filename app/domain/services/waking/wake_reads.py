"""Reads the chain for wakes in progress: their powers in one batch, and node records that may be out of date."""

from __future__ import annotations

from collections.abc import Collection

from app.domain.errors import PowerdError
from app.domain.events import OperationFailed
from app.domain.model import Powers
from app.domain.rules.wake import Wake
from app.domain.services.context.node_context import NodeContext
from app.domain.services.waking.farm_directory import FarmDirectory
from app.domain.services.waking.wake_order import WakeOrder

BURSTS_PER_RECORD = 3
"""The node's record is read again after this many bursts: its card may have been replaced."""

TURN_READ_S_MAX = 20.0
"""The chain can delay a first burst that is due by this long at most."""


class WakeReads:
    """A failed read returns no powers, and the caller goes on with what it knew at the event (R1)."""

    def __init__(self, context: NodeContext, farm: FarmDirectory, order: WakeOrder) -> None:
        self._farm = farm
        self._order = order
        self._clock = context.clock
        self._telemetry = context.telemetry

    async def read(self, wakes: Collection[Wake]) -> Powers:
        stale = [wake.node for wake in wakes if self._record_is_stale(wake)]
        try:
            await self._farm.reread(stale)
            powers = await self._farm.powers([wake.node for wake in wakes])
        except PowerdError as error:
            self._record_failure(str(error))
            return {}
        self._order.saw(powers)
        return powers

    async def read_in_time(self, wakes: Collection[Wake]) -> Powers:
        """As `read`, within `TURN_READ_S_MAX`."""
        try:
            async with self._clock.timeout(TURN_READ_S_MAX):
                return await self.read(wakes)
        except TimeoutError:
            self._record_failure(f"no answer within {TURN_READ_S_MAX:.0f} s")
            return {}

    def _record_failure(self, reason: str) -> None:
        self._telemetry.record(OperationFailed("looking at nodes that are being woken", reason, 0.0))

    def _record_is_stale(self, wake: Wake) -> bool:
        record = self._farm.known(wake.node)
        if record is None or record.mac is None:
            return True
        return wake.bursts > 0 and wake.bursts % BURSTS_PER_RECORD == 0
