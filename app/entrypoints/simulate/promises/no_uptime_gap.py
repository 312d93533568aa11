"""No healthy node that can talk to the chain lets its uptime lapse."""

from __future__ import annotations

from app.adapters.simulated.ledger import Block
from app.domain.model import NodeId
from app.entrypoints.simulate.machine import MachinePower
from app.entrypoints.simulate.promise import Promise
from app.entrypoints.simulate.troubles import CHAIN
from app.entrypoints.simulate.world import World

GAP_S_MAX = 2460.0
"""The largest gap that the grid accepts, about 41 minutes."""

EXCUSED = (*CHAIN, "unhealthy", "clock-drift", "daemon-killed")
EXCUSED_S = 400.0
"""A report that hangs is given up after 160 s, and tried again after a minute."""


class NoUptimeGap(Promise):
    """Looks every minute at all that run."""

    text = "no gap of more than 41 minutes between uptime reports while node and chain are healthy"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._reported_s: dict[NodeId, float] = {}

    def block_made(self, block: Block) -> None:
        """Take note of reports."""
        for event in block.events:
            if event.name == "NodeUptimeReported":
                self._reported_s[NodeId(event.attributes[0])] = self.world.now_s()

    def minute(self) -> None:
        """Whose last report is too old?"""
        now_s = self.world.now_s()
        for node, machine in self.world.machines.items():
            if machine.power is MachinePower.RUNNING:
                since_s = max(self._reported_s.get(node, 0.0), machine.since_s)
                if now_s - since_s > GAP_S_MAX and not machine.troubles.lately(EXCUSED, EXCUSED_S):
                    self.broken(machine, f"no uptime report for {now_s - since_s:.0f} s")
                    self._reported_s[node] = now_s
