"""Whether a node is there that could wake a machine: without one, a promise about waking means nothing."""

from __future__ import annotations

from collections.abc import Iterator

from app.entrypoints.simulator.world.machine import Machine, MachinePower
from app.entrypoints.simulator.world.world import World


def wakers(world: World, machine: Machine, since_s: float) -> Iterator[Machine]:
    """Machines of its farm and layer-2 segment that have been running for ``since_s``."""
    now_s = world.now_s()
    for other in world.farm.machines:
        if (
            other is not machine
            and other.plan.segment == machine.plan.segment
            and other.power is MachinePower.RUNNING
            and now_s - other.since_s >= since_s
        ):
            yield other


def has_waker(world: World, machine: Machine, since_s: float) -> bool:
    return next(wakers(world, machine, since_s), None) is not None
