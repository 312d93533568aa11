"""A burst goes to a peer that is wanted up, and a wake ends only when the chain shows that it is over."""

from __future__ import annotations

from app.adapters.simulated.ledger_blocks import Block
from app.domain.events import WakeBurstStarted, WakeEnded
from app.domain.model import NodeId
from app.domain.rules.wake import Then
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.fault_history import CHAIN
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World

READ_S_MAX = 30.0
"""What was read of the chain is this old at most: an answer takes 20 s at most."""

AFTER_TROUBLE_S = 300.0
"""A chain that does not answer, or not truly, ends no wake: bursts go on, whatever the target is meanwhile."""

SHOWN_BY: dict[str, tuple[str, ...]] = {
    Then.AWAKE.value: ("target Up", "state Up"),
    Then.UNWANTED.value: ("target Down",),
    Then.SPENT.value: ("target Up", "state Up"),
    Then.LEAVE.value: (),
}
"""What the chain must have said shortly before. A node that leaves has other nodes call; no node leaves a farm here."""


class WakesFollowTheChain(Promise):
    """Remembers when the chain last said each thing of each node."""

    text = "a burst goes to a peer that is wanted up, and a wake ends only when the chain shows that it is over"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._said_until_s: dict[tuple[NodeId, str], float] = {}
        self._said: dict[NodeId, tuple[str, str]] = {}
        for node in world.machines:
            self._look(node)

    def block_made(self, block: Block) -> None:
        """What the chain said before this block ended now."""
        for event in block.events:
            if event.name in ("PowerTargetChanged", "PowerStateChanged"):
                self._look(NodeId(event.attributes["node_id"]))

    def burst_started(self, machine: Machine, event: WakeBurstStarted) -> None:
        if event.node == machine.identity.node or event.node not in self.world.machines:
            self.broken(machine, f"sent a burst to node {event.node}, which is no peer")
        elif not self._lately(event.node, "target Up") and not self._excused(machine):
            self.broken(machine, f"sent a burst to node {event.node}, whose target is Down")

    def wake_ended(self, machine: Machine, event: WakeEnded) -> None:
        shown_by = SHOWN_BY.get(f"end: {event.outcome}")
        if shown_by is not None and all(self._lately(event.node, said) for said in shown_by):
            return
        if shown_by is None or not self._excused(machine):
            self.broken(machine, f"ended the wake of node {event.node} ({event.outcome}), which the chain did not show")

    def _lately(self, node: NodeId, said: str) -> bool:
        return said in self._look(node) or self._said_until_s.get((node, said), -1e9) > self.world.now_s() - READ_S_MAX

    def _look(self, node: NodeId) -> tuple[str, str]:
        power = self.world.power(node)
        now = (f"target {power.target}", "state Up" if power.down_since is None else "state Down")
        for before in self._said.get(node, ()):
            if before not in now:
                self._said_until_s[node, before] = self.world.now_s()
        self._said[node] = now
        return now

    @staticmethod
    def _excused(machine: Machine) -> bool:
        return machine.fault_history.lately(CHAIN, AFTER_TROUBLE_S)
