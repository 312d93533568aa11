"""Keeps this node up while no other node of its farm is known to be awake (opt-in).

Who counts as awake is decided by `app.domain.last_waker_rules`. Counters are looked at with every look at the
farm, so that an answer is there when it is needed, and again when it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from app.domain.errors import PowerdError
from app.domain.events import Setback
from app.domain.last_waker_rules import NEVER_S, Sign, is_awake, is_fresh, signs_after
from app.domain.model import HeadKind, NodeId
from app.domain.services.farm_directory import FarmDirectory
from app.ports.chain import ChainReader
from app.ports.clock import Clock
from app.ports.signs_of_life import SignsOfLife
from app.ports.telemetry import Telemetry

LOOK_S_MIN = 30.0
"""A sign counts for the better part of an hour: to look for one more often than that gains nothing."""


class LastWaker:
    """Does nothing where ``signs`` is None: the operator did not ask for it."""

    def __init__(
        self,
        signs: SignsOfLife | None,
        chain: ChainReader,
        farm: FarmDirectory,
        clock: Clock,
        telemetry: Telemetry,
        *,
        fresh_s: float,
    ) -> None:
        self._port = signs
        self._chain = chain
        self._farm = farm
        self._clock = clock
        self._telemetry = telemetry
        self._fresh_s = fresh_s
        self._signs: dict[NodeId, Sign] = {}
        self._looked_at_s = NEVER_S
        self._looking = asyncio.Lock()

    async def look_at(self, peers: Collection[NodeId]) -> None:
        """Remember the counters of these peers; a chain that does not tell them is a setback, and no more."""
        if self._port is None:
            return
        try:
            await self._look(self._port, peers)
        except PowerdError as error:
            self._telemetry.happened(Setback("looking for signs of life", str(error), 0.0))

    async def objection(self) -> str:
        """Why this node must not power off now; empty when it may, as far as this is concerned."""
        if self._port is None:
            return ""
        try:
            peers = await self._farm.peers()
            await self._look(self._port, peers)
            now_s = self._clock.monotonic()
            alive = [n for n in peers if n in self._signs and is_fresh(self._signs[n], now_s, self._fresh_s)]
            powers = (await self._chain.powers(alive, HeadKind.BEST)).powers if alive else {}
        except PowerdError as error:
            return f"whether another node of the farm is awake can't be told: {error}"
        if any(is_awake(power) for power in powers.values()):
            return ""
        minutes = self._fresh_s / 60
        return f"no other node of the farm is known to be awake (up, and a sign of life within {minutes:.0f} min)"

    async def _look(self, port: SignsOfLife, peers: Collection[NodeId]) -> None:
        async with self._looking:
            if self._clock.monotonic() - self._looked_at_s < LOOK_S_MIN:
                return
            counters = await port.counters(peers) if peers else {}
            now_s = self._clock.monotonic()
            self._signs = signs_after(self._signs, counters, now_s, self._looked_at_s)
            self._looked_at_s = now_s
