"""Every wake reaches its node, or ends in a fault that an operator sees."""

from __future__ import annotations

from collections.abc import Mapping

from app.adapters.simulated.ledger_blocks import Block
from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.watching.wakers import wakers
from app.entrypoints.simulator.world.fault_history import BUS, CHAIN, WAKING
from app.entrypoints.simulator.world.machine import Machine, MachinePower
from app.entrypoints.simulator.world.world import World

WITHOUT_FAULTS_S = 900.0
"""With nothing in the way: the slowest repetition is 300 s + 25 %, and a lost event costs a round of 330 s."""

AFTER_TROUBLE_S = 900.0
SHOWN_AFTER_S = 900.0
"""After the deadline: the fault is raised with the next burst, and shown at once."""


class EveryWakeEnds(Promise):
    """Follows every machine that is dark and wanted up."""

    text = "every wake reaches its node within 15 minutes, or an operator sees a fault after the deadline"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._since_s: dict[NodeId, float] = {}
        self._reported: set[NodeId] = set()

    def block_made(self, block: Block) -> None:
        """A target that is Down for less than a minute ends a wake too; the next one has its whole time."""
        for event in block.events:
            if event.name == "PowerTargetChanged" and event.attributes["power_target"] == "Down":
                self._forget(NodeId(event.attributes["node_id"]))

    def minute(self, running: Mapping[NodeId, Machine]) -> None:  # noqa: ARG002
        newest = self.world.ledger.store.newest("NodePower")
        off = MachinePower.OFF
        for node, machine in self.world.machines.items():
            if machine.power is off and ((power := newest.get(node)) is None or power.target == "Up"):
                self._look(node, machine)
            elif node in self._since_s:
                self._forget(node)

    def _forget(self, node: NodeId) -> None:
        self._since_s.pop(node, None)
        self._reported.discard(node)

    def _look(self, node: NodeId, machine: Machine) -> None:
        now_s = self.world.now_s()
        waiting_s = now_s - self._since_s.setdefault(node, now_s)
        power = self.world.power(node)
        if power.down_since is None or node in self._reported:
            # After a crash or a power cut its state says Up: nothing shows that it is dark.
            return
        if waiting_s > WITHOUT_FAULTS_S and self._could_be_woken(machine, waiting_s):
            self._reported.add(node)
            self.broken(machine, f"dark for {waiting_s:.0f} s although wanted up, and nothing stands in the way")
        deadline_s = self.world.policies.wake.deadline_s + SHOWN_AFTER_S
        if waiting_s <= deadline_s:
            return
        able = [
            waker for waker in wakers(self.world, machine, deadline_s) if not waker.fault_history.lately(CHAIN, 900)
        ]
        if able and not any(self._shows(waker, node) for waker in able):
            self._reported.add(node)
            self.broken(machine, f"dark for {waiting_s:.0f} s although wanted up, and no operator sees a fault")

    def _could_be_woken(self, machine: Machine, waiting_s: float) -> bool:
        if machine.plan.chain_mac or not machine.can_wake or machine.fault_history.lately(WAKING, AFTER_TROUBLE_S):
            return False
        kinds = {*CHAIN, *BUS, *WAKING, "clock-drift"}
        return any(
            not waker.fault_history.lately(kinds, AFTER_TROUBLE_S) for waker in wakers(self.world, machine, waiting_s)
        )

    @staticmethod
    def _shows(waker: Machine, node: NodeId) -> bool:
        return bool({f"node-{node}-asleep", f"node-{node}-mac"} & waker.display.keys)
