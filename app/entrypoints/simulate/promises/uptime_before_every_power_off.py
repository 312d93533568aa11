"""Uptime is reported right before every power-off."""

from __future__ import annotations

from app.adapters.simulated.ledger import Block
from app.domain.model import NodeId
from app.entrypoints.simulate.machine import Machine
from app.entrypoints.simulate.promise import Promise
from app.entrypoints.simulate.troubles import CHAIN, HOST
from app.entrypoints.simulate.world import World

BEFORE_S = 300.0
EXCUSED_S = 600.0


class UptimeBeforeEveryPowerOff(Promise):
    """Knows when each node's last report was included."""

    text = "uptime was reported before every power-off, unless the chain was away"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._reported_s: dict[NodeId, float] = {}

    def block_made(self, block: Block) -> None:
        """Take note of reports."""
        for event in block.events:
            if event.name == "NodeUptimeReported":
                self._reported_s[NodeId(event.attributes[0])] = self.world.now_s()

    def powered_off(self, machine: Machine) -> None:
        """Was there one?"""
        ago_s = self.world.now_s() - self._reported_s.get(machine.identity.node, float("-inf"))
        # A host that disobeyed for a while is off long after its last words.
        excused = machine.troubles.lately((*CHAIN, "unhealthy", "clock-drift"), EXCUSED_S)
        if ago_s > BEFORE_S and not excused and not machine.troubles.lately(HOST, 3600.0):
            self.broken(machine, f"powered off {ago_s:.0f} s after its last uptime report")
