"""Looks at all peers, and wakes those whose target is Up and whose state is not (R2, R7).

Where each node costs a call (behind a gateway), a few nodes are read at a time, and their answers are passed
on before the next are read: a farm of a hundred takes minutes, and its first sleeper must not wait for all.
"""

from __future__ import annotations

from collections.abc import Collection

from app.domain.errors import ChainUnavailable
from app.domain.faults import FaultKind
from app.domain.model import NodeId, NodePower, Powers, Unreadable
from app.domain.parts import parts_of
from app.domain.rules.wake import may_be_asleep
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import FARM
from app.domain.services.context.reconciler import Reconciler
from app.domain.services.context.retry import Work
from app.domain.services.waking.farm_directory import FarmDirectory
from app.domain.services.waking.silent_peers import SilentPeers
from app.domain.services.waking.wake_service import WakeService

SYNC_FARM = Work(
    "bringing the farm in step with the chain",
    FaultKind.FARM_POWER.key(),
    "until then it wakes only nodes for which an event comes; check that one of chain.urls (with profile zos: "
    "api-gateway) answers",
    patience_s=180.0,
)
"""Several looks must fail before it is a fault: the longest pause between two is 75 s."""


class FarmLook:
    """Raises the errors of the chain."""

    def __init__(
        self,
        context: NodeContext,
        farm: FarmDirectory,
        wakes: WakeService,
        silent: SilentPeers,
        loop: Reconciler,
    ) -> None:
        self._clock = context.clock
        self._progress = context.progress
        self._farm = farm
        self._wakes = wakes
        self._silent = silent
        self.loop = loop

    async def keep(self) -> None:
        """Look for ever, on the clock and whenever the loop's trigger is pulled."""
        await self.loop.keep(FARM, self.look)

    async def look(self) -> None:
        """Look at the farm once. Does nothing where nodes have no power target, since none sleeps there."""
        if self._farm.lacks_power:
            return
        asked_at_s = self._clock.monotonic()
        peers = await self._farm.peers()
        if self._farm.nodes_at_once is None:
            powers = await self._read(peers) if peers else {}
        else:
            powers = await self._read_parts(peers, self._farm.nodes_at_once)
        self._wakes.on_look_at_all(powers, asked_at_s=asked_at_s)
        await self._silent.look(powers, self._clock.monotonic())

    async def _read_parts(self, peers: Collection[NodeId], at_once: int) -> Powers:
        """Read all, part by part; a part that is not answered stays unknown. Raises when none is answered."""
        powers: dict[NodeId, NodePower | Unreadable] = {}
        unanswered: list[ChainUnavailable] = []
        parts = parts_of(peers, at_once)
        for part in parts:
            self._progress.made(FARM)
            part_asked_at_s = self._clock.monotonic()
            try:
                read = await self._read(part)
            except ChainUnavailable as error:
                unanswered.append(error)
                read = dict.fromkeys(part, Unreadable(str(error)))
            else:
                if len(parts) > 1:
                    self._wakes.on_look(read, asked_at_s=part_asked_at_s)
            powers |= read
        if unanswered and len(unanswered) == len(parts):
            raise unanswered[0]
        return powers

    async def _read(self, peers: Collection[NodeId]) -> Powers:
        powers = await self._farm.powers(peers)
        await self._farm.among([node for node in self._farm.unknown(powers) if may_be_asleep(powers[node])])
        return powers
