"""Wakes the farm's sleeping nodes, and keeps waking them until the chain shows them awake (R7).

Two loops share the wakes. One sends first bursts at once and waits for nothing; the other looks
after the wakes that fall due, reads them all from the chain in one batch, and sends or ends them.
So a chain that hangs delays no first burst.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

from app.domain.backoff import Jitter
from app.domain.commands import EndWake
from app.domain.errors import PowerdError
from app.domain.events import WakeBurstStarted, WakeEnded
from app.domain.model import HeadKind, NodeId, NodePower, Unreadable
from app.domain.services.bursts import Burst, Bursts
from app.domain.services.farm_directory import FarmDirectory
from app.domain.services.trigger import Trigger
from app.domain.services.wake_faults import WakeFaults
from app.domain.wake_rules import (
    Wake,
    WakePolicy,
    may_be_wanted_up,
    next_step,
    retry_delay_s,
    wants_waking,
    worth_waiting,
)
from app.ports.chain import ChainReader
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry

Powers = Mapping[NodeId, NodePower | Unreadable]

BURSTS_PER_RECORD = 3
"""After so many bursts the node's record is read again: its card may have been replaced."""

IDLE_S = 3600.0
UNASKED = Unreadable("the chain can't be asked now")


class WakeService:
    """All wakes of this node's farm."""

    def __init__(
        self,
        chain: ChainReader,
        farm: FarmDirectory,
        bursts: Bursts,
        clock: Clock,
        faults: WakeFaults,
        telemetry: Telemetry,
        policy: WakePolicy,
        jitter: Jitter,
    ) -> None:
        self._chain = chain
        self._farm = farm
        self._bursts = bursts
        self._clock = clock
        self._faults = faults
        self._telemetry = telemetry
        self._policy = policy
        self._jitter = jitter
        self._wakes: dict[NodeId, Wake] = {}
        self._fresh: dict[NodeId, NodePower | Unreadable] = {}
        self._fresh_ones = Trigger(clock)
        self._due_changed = Trigger(clock)

    @property
    def unfinished(self) -> tuple[NodeId, ...]:
        """Nodes being woken that are worth waiting for."""
        return tuple(wake.node for wake in self._wakes.values() if worth_waiting(wake))

    @property
    def wakes(self) -> tuple[Wake, ...]:
        """All that are under way, for people to see."""
        return tuple(self._wakes.values())

    def hint(self, powers: Powers) -> None:
        """Events named these nodes, and this is what the chain said of them afterwards.

        Each that may be wanted up gets a burst at once, unless one is in flight.
        """
        now = self._clock.monotonic()
        for node, power in powers.items():
            wake = self._wakes.get(node)
            if wake is None:
                if may_be_wanted_up(power):
                    self._begin(node, "its target changed", power)
            elif now - wake.last_burst_at_s >= self._policy.burst_s:
                wake.bursts = 0
                self._act_now(node, power)

    def look(self, powers: Powers) -> None:
        """This is what the chain says of these peers, with no fresh event behind it."""
        for node, power in powers.items():
            wake = self._wakes.get(node)
            if wake is None:
                if wants_waking(power):
                    self._begin(node, "target Up, state Down", power)
            elif isinstance(next_step(wake, power), EndWake):
                self._act_now(node, power)

    def look_at_all(self, powers: Powers) -> None:
        """As `look`, but these are all peers there are: who is not among them left the farm."""
        for wake in [wake for wake in self._wakes.values() if wake.node not in powers]:
            self._end(wake, "it left the farm")
        self.look(powers)

    def call(self, node: NodeId, reason: str) -> None:
        """Begin a wake, or send a burst of the one that is under way, on somebody's wish."""
        if node in self._wakes:
            self._act_now(node, UNASKED)
        else:
            self._begin(node, reason, UNASKED)

    async def run(self) -> None:
        """Send bursts as they fall due; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve_fresh(group), name="wake: first bursts")
            group.create_task(self._serve_due(group), name="wake: further bursts")

    async def finish_bursts(self) -> None:
        """Wait for the bursts in flight (5 s), so that none is cut off by our own power-off."""
        await self._bursts.finish()

    def _begin(self, node: NodeId, reason: str, power: NodePower | Unreadable) -> None:
        now = self._clock.monotonic()
        self._wakes[node] = Wake(node, reason, began_at_s=now, due_at_s=now)
        self._act_now(node, power)

    def _act_now(self, node: NodeId, power: NodePower | Unreadable) -> None:
        self._fresh[node] = power
        self._fresh_ones.pull("fresh")

    async def _serve_fresh(self, group: asyncio.TaskGroup) -> None:
        while True:
            await self._fresh_ones.wait(IDLE_S)
            fresh, self._fresh = self._fresh, {}
            self._apply(group, [self._wakes[node] for node in fresh if node in self._wakes], fresh)
            self._due_changed.pull("fresh")

    async def _serve_due(self, group: asyncio.TaskGroup) -> None:
        while True:
            now = self._clock.monotonic()
            due = [wake for wake in self._wakes.values() if wake.due_at_s <= now]
            if due:
                powers = await self._read(due)
                self._apply(group, self._still_due(due), powers)
            await self._due_changed.wait(self._until_next())

    def _still_due(self, due: Iterable[Wake]) -> list[Wake]:
        """Those that no fresh event served, or ended, while the chain was read."""
        now = self._clock.monotonic()
        return [wake for wake in due if wake.due_at_s <= now and self._wakes.get(wake.node) is wake]

    def _until_next(self) -> float:
        now = self._clock.monotonic()
        return max(0.0, min((wake.due_at_s - now for wake in self._wakes.values()), default=IDLE_S))

    async def _read(self, due: Collection[Wake]) -> Powers:
        """Without an answer a wake goes on: what it knows was read after its event (R1)."""
        stale = [wake.node for wake in due if self._record_is_stale(wake)]
        try:
            await self._farm.reread(stale)
            reading = await self._chain.powers([wake.node for wake in due], HeadKind.BEST)
        except PowerdError:
            return {}
        return reading.powers

    def _record_is_stale(self, wake: Wake) -> bool:
        record = self._farm.known(wake.node)
        return record is None or record.mac is None or wake.bursts % BURSTS_PER_RECORD == 0

    def _apply(self, group: asyncio.TaskGroup, wakes: Iterable[Wake], powers: Powers) -> None:
        bursts = []
        for wake in wakes:
            power = powers.get(wake.node, UNASKED)
            wake.saw_down = wake.saw_down or wants_waking(power)
            step = next_step(wake, power)
            if isinstance(step, EndWake):
                self._end(wake, step.outcome)
            else:
                bursts += self._burst(wake)
        if bursts:
            self._bursts.starting()
            group.create_task(self._bursts.send(bursts), name="wake: burst")

    def _burst(self, wake: Wake) -> list[Burst]:
        now = self._clock.monotonic()
        wake.bursts += 1
        wake.last_burst_at_s = now
        wake.due_at_s = now + retry_delay_s(wake, self._policy, self._jitter)
        wake.overdue = now - wake.began_at_s >= self._policy.deadline_s
        mac = self._faults.check(wake, self._farm.known(wake.node))
        if mac is None:
            return []
        return [Burst(mac, WakeBurstStarted(wake.node, wake.bursts, wake.reason))]

    def _end(self, wake: Wake, outcome: str) -> None:
        del self._wakes[wake.node]
        self._fresh.pop(wake.node, None)
        self._faults.clear(wake.node)
        self._telemetry.happened(WakeEnded(wake.node, wake.bursts, outcome))
