"""At the end every machine is on or off as its target says."""

from __future__ import annotations

from app.adapters.simulated.ledger_blocks import Block
from app.domain.commands import Guard
from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.watching.wakers import has_waker
from app.entrypoints.simulator.world.machine import Machine, MachinePower
from app.entrypoints.simulator.world.world import World

BOUND_S = 3000.0
"""From the last fault, and from the last change of the target: a failed power-off is tried again after 10 min, a
lost event costs a round of 5 min, wakes are repeated every 5 min, a machine boots, and a shutdown takes minutes."""


class PowerFollowsTheTarget(Promise):
    """Looks once, at the end of the calm time."""

    text = "50 minutes after the last fault every machine is on or off as its target says"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._changed_s: dict[NodeId, float] = {}

    @property
    def applies(self) -> bool:
        """Where nodes may power off, and the calm time is long enough to judge."""
        return self.world.policies.power_off_allowed and self.world.plan.calm_s >= BOUND_S

    def block_made(self, block: Block) -> None:
        for event in block.events:
            if event.name == "PowerTargetChanged":
                self._changed_s[NodeId(event.attributes["node_id"])] = self.world.now_s()

    def ended(self) -> None:
        for node, machine in self.world.machines.items():
            if self.world.now_s() - max(self._changed_s.get(node, 0.0), machine.since_s) >= BOUND_S:
                self._compare(machine)

    def _compare(self, machine: Machine) -> None:
        wanted_up = self.world.power(machine.identity.node).target == "Up"
        if wanted_up and machine.power is MachinePower.OFF and has_waker(self.world, machine, BOUND_S):
            if not machine.plan.chain_mac:
                self.broken(machine, "is still dark, and its target is Up")
        elif not wanted_up and machine.power is MachinePower.RUNNING and machine.plan.can_be_woken:
            if machine.plan.chain_mac or self._excused(machine):
                return
            reason = "" if machine.objection is None else machine.objection.reason
            self.broken(machine, f"still runs, and its target is Down: {reason}")

    def _excused(self, machine: Machine) -> bool:
        """The boot-loop guard excuses it while it keeps it up, the last-waker guard until another node is awake."""
        settings, now_s = self.world.settings, self.world.now_s()
        guard = None if machine.objection is None else machine.objection.guard
        if guard is Guard.UNPROVED:
            return True  # its trial is over, and no wake of it was proved
        if guard is Guard.BOOT_LOOP:
            return now_s - machine.since_s < settings.boot_loop.stay_s_max + BOUND_S
        enough_s = settings.power_management.sign_of_life_s + settings.uptime.interval_s
        others = [other for other in self.world.farm.machines if other is not machine]
        return guard is Guard.LAST_WAKER and not any(
            other.power is MachinePower.RUNNING
            and now_s - other.since_s > enough_s
            and self.world.power(other.identity.node).target == "Up"
            for other in others
        )
