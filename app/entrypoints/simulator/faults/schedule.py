"""Begins and ends the faults of a plan at their times, and notifies each machine that one concerns."""

from __future__ import annotations

from collections.abc import Callable

from app.entrypoints.simulator.faults.effects import Act, subjects
from app.entrypoints.simulator.faults.kinds import FAULT_KINDS
from app.entrypoints.simulator.plan.plan import FaultPlan
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World


def schedule(world: World) -> None:
    """Begin and end every fault of the plan at its time."""
    for fault in world.plan.faults:
        kind = FAULT_KINDS[fault.kind]
        world.later(fault.at_s, _acting(kind.begin, world, fault))
        world.later(fault.at_s + fault.for_s, _acting(kind.end or _over, world, fault))


def _acting(act: Act, world: World, fault: FaultPlan) -> Callable[[], None]:
    kind = FAULT_KINDS[fault.kind]

    def go() -> None:
        for machine in affected(world, fault):
            (machine.fault_history.begin if act is kind.begin else machine.fault_history.end)(fault.kind)
        act(world, fault)

    return go


def affected(world: World, fault: FaultPlan) -> list[Machine]:
    """The machines that the fault affects; a fault of the chain affects all, whatever its plan names."""
    kind = FAULT_KINDS[fault.kind]
    return world.farm.machines if kind.scope == "chain" or kind.farm_wide else subjects(world, fault)


def _over(world: World, fault: FaultPlan) -> None:
    """Do nothing: the fault lasted for only a moment, or left nothing to undo."""
