"""A node whose target turns Up gets its first magic packet at once, not after those of others."""

from __future__ import annotations

from collections.abc import Callable

from app.adapters.simulated.ledger_blocks import Block
from app.domain.events import WakeBurstStarted
from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.watching.wakers import wakers
from app.entrypoints.simulator.world.fault_history import BUS, CHAIN
from app.entrypoints.simulator.world.machine import Machine, MachinePower
from app.entrypoints.simulator.world.world import World

AT_ONCE_S = 20.0
RUNNING_S = 300.0
"""A waker that has been running for this long knows its farm."""

KINDS = (*CHAIN, *BUS, "packets-refused", "daemon-killed", "clock-drift")


class WakesBeginAtOnce(Promise):
    """Waits after each target that turns Up, and then checks that a burst went out."""

    text = "the first burst of a wake goes out within 20 s of its event"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._burst_at_s: dict[NodeId, float] = {}

    def burst_started(self, machine: Machine, event: WakeBurstStarted) -> None:  # noqa: ARG002
        self._burst_at_s[event.node] = self.world.now_s()

    def block_made(self, block: Block) -> None:
        """Find the nodes whose target turned Up, and the nodes that can wake them."""
        for event in block.events:
            if event.name == "PowerTargetChanged" and event.attributes["power_target"] == "Up":
                machine = self.world.machines[NodeId(event.attributes["node_id"])]
                if machine.power is MachinePower.OFF and self._all_able(machine):
                    self.world.later(AT_ONCE_S, self._check(machine, self.world.now_s()))

    def _all_able(self, machine: Machine) -> bool:
        """Whether all wakers are able: the first in rank may be those that are not."""
        able = [not waker.fault_history.lately(KINDS, 900.0) for waker in wakers(self.world, machine, 0.0)]
        return all(able) and any(True for _ in wakers(self.world, machine, RUNNING_S))

    def _check(self, machine: Machine, since_s: float) -> Callable[[], None]:
        def look() -> None:
            node = machine.identity.node
            sent = self._burst_at_s.get(node, -1.0) >= since_s
            wanted = self.world.power(node).target == "Up" and machine.power is MachinePower.OFF
            if not sent and wanted and self._all_able(machine):
                self.broken(machine, f"no magic packet within {AT_ONCE_S:.0f} s of its target Up")

        return look
