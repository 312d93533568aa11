"""A reboot takes down what runs there: powerd orders one only where it is paid for (R13)."""

from __future__ import annotations

from app.adapters.simulated.ledger_blocks import Block
from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World

JUST_NOW_S = 12.0
"""A target or a hold that comes at the moment of the order comes too late; a slow chain's answers are 2 s old."""


class NeverRebootsForNothing(Promise):
    """Looks at the target and at the holds when the host obeys."""

    text = "never rebooted under a hold, nor while the target is Down, since then no boot makes it paid again"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._target_since_s: dict[NodeId, float] = {}

    def block_made(self, block: Block) -> None:
        for event in block.events:
            if event.name == "PowerTargetChanged":
                self._target_since_s[NodeId(event.attributes["node_id"])] = self.world.now_s()

    def rebooted(self, machine: Machine) -> None:
        node, held_s = machine.identity.node, machine.has_condition_for_s("held")
        since_s = self.world.now_s() - self._target_since_s.get(node, 0.0)
        if held_s > JUST_NOW_S:
            self.broken(machine, f"rebooted although held for {held_s:.0f} s")
        elif self.world.power(node).target == "Down" and since_s > JUST_NOW_S:
            self.broken(machine, f"rebooted although its target has been Down for {since_s:.0f} s")
