"""Keeps this node up while no other node of its farm is known to be awake and able to wake it (R14).

A waker with a fresh sign of life (`app.domain.rules.last_waker`) counts as awake. Where the chain shows no signs
of life (behind api-gateway), target and state decide alone.
"""

from __future__ import annotations

from collections.abc import Collection

from app.domain.errors import PowerdError
from app.domain.model import NodeId
from app.domain.services.waking.farm_directory import FarmDirectory
from app.domain.services.waking.signs_watch import SignsWatch
from app.domain.services.waking.wake_order import WakeOrder

ASKED_MAX = 3
"""Where each node costs a call, the guard reads only this many of the nodes that were awake before; one is enough."""

SETTING = "power_management.last_waker_guard = false lets it sleep all the same"


class LastWaker:
    """Never objects when the operator has switched the guard off."""

    def __init__(self, watch: SignsWatch, order: WakeOrder, farm: FarmDirectory, *, guarded: bool) -> None:
        self._watch = watch
        self._order = order
        self._farm = farm
        self.guarded = guarded
        """Whether the guard is switched on."""
        self.seen_awake: tuple[NodeId, ...] = ()
        """The nodes that were awake at the last look; for display only, never for a decision."""

    async def objection(self) -> str:
        """Why this node must not power off now; empty when this guard does not object."""
        if not self.guarded:
            return ""
        try:
            peers = await self._farm.peers()
            if not peers:
                return f"no other node of the farm could wake this one: it has no other ({SETTING})"
            if await self._another_is_awake(peers):
                return ""
        except PowerdError as error:
            return f"whether another node of the farm is awake is not known: {error}"
        minutes = self._watch.fresh_s / 60
        sign = f"up, and a sign of life within {minutes:.0f} min" if self._watch.available else "target and state Up"
        return f"no other node of the farm is known to be awake ({sign})"

    async def _another_is_awake(self, peers: Collection[NodeId]) -> bool:
        if self._watch.available:
            await self._watch.look(peers)
            alive = self._watch.fresh_among(peers)
        else:
            members = set(peers)
            alive = [node for node in self._order.wakers if node in members][:ASKED_MAX]
        self.seen_awake = ()
        if not alive:
            return False
        self.seen_awake = tuple(self._order.saw(await self._farm.powers(alive)))
        return bool(self.seen_awake)
