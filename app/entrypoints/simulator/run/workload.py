"""Deployments of customers: they come, wait for room on a node that is up, run a while, and go."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.model import NodeId
from app.entrypoints.simulator.plan.plan import Deployment, WorkloadPlan
from app.entrypoints.simulator.world.world import World

DAY_S = 86_400.0
PEAK_S = 16 * 3600.0
SIZES = (1, 1, 1, 2, 2, 4)
"""The slots that a made-up deployment takes: one of these."""


def arrivals(
    plan: WorkloadPlan, farm: int, slots: int, size_max: int, end_s: float, chance: random.Random
) -> Iterator[Deployment]:
    """A farm's deployments in order of arrival: a Poisson process whose rate follows the time of day."""
    if plan.trace is not None:
        yield from (deployment for deployment in plan.trace if deployment.farm == farm)
        return
    mean_size = sum(SIZES) / len(SIZES)
    rate = plan.load * slots / (mean_size * plan.lifetime_s_mean)
    peak_rate = rate * (1 + plan.daily_swing)
    at_s = 0.0
    while rate:
        at_s -= math.log(1.0 - chance.random()) / peak_rate
        if at_s >= end_s:
            return
        if chance.random() * peak_rate < rate * daily(at_s, plan.daily_swing):  # thinning
            lifetime_s = -math.log(1.0 - chance.random()) * plan.lifetime_s_mean
            size = min(SIZES[int(chance.random() * len(SIZES))], size_max)
            yield Deployment(at_s=at_s, farm=farm, slots=size, for_s=max(60.0, lifetime_s))


def daily(at_s: float, swing: float) -> float:
    """The share of the average that arrives at this time of the day."""
    return 1.0 + swing * math.cos(2 * math.pi * (at_s - PEAK_S) / DAY_S)


@dataclass(slots=True)
class Room:
    """The deployments that run on one node."""

    slots: int
    used: int = 0
    deployments: int = 0
    busy_s: float = 0.0
    """Used slots × seconds, divided by the node's slots."""
    since_s: float = 0.0

    def use(self, slots: int, now_s: float) -> None:
        """Change the used slots by this number from now on."""
        self.busy_s += (now_s - self.since_s) * self.used / self.slots
        self.since_s = now_s
        self.used += slots


@dataclass(slots=True)
class Waiting:
    """A deployment for which there is no room yet."""

    deployment: Deployment
    since_s: float = field(default=0.0)


class Placement:
    """Puts deployments on the farm's nodes that the chain shows awake, fullest first."""

    def __init__(self, world: World) -> None:
        self._world = world
        farm = world.farm
        self.rooms = {machine.identity.node: Room(machine.plan.slots) for machine in farm.machines}
        self.waiting: list[Waiting] = []
        self.waits_s: list[float] = []
        self._to_come = arrivals(
            world.plan.workload,
            farm.id,
            sum(room.slots for room in self.rooms.values()),
            max(room.slots for room in self.rooms.values()),
            world.plan.end_s,
            world.chance("workload", farm.id),
        )
        self._schedule()

    @property
    def slots_wanted(self) -> int:
        return sum(waiting.deployment.slots for waiting in self.waiting)

    def busy_s(self) -> dict[NodeId, float]:
        """For each node the seconds so far, weighted by the share of its slots in use."""
        for room in self.rooms.values():
            room.use(0, self._world.now_s())
        return {node: room.busy_s for node, room in self.rooms.items()}

    def place(self) -> None:
        self.waiting = [waiting for waiting in self.waiting if not self._find_room(waiting)]

    def _schedule(self) -> None:
        deployment = next(self._to_come, None)
        if deployment is not None:
            self._world.later(max(0.0, deployment.at_s - self._world.now_s()), lambda: self._arrive(deployment))

    def _arrive(self, deployment: Deployment) -> None:
        self.waiting.append(Waiting(deployment, self._world.now_s()))
        self._world.counts["deployments"] += 1
        self.place()
        self._schedule()

    def _find_room(self, waiting: Waiting) -> bool:
        slots, is_up = waiting.deployment.slots, self._world.is_up
        best = None
        for node, room in self.rooms.items():
            if room.slots - room.used >= slots and is_up(node):
                best = node if best is None or room.used > self.rooms[best].used else best
        if best is None:
            return False
        self.waits_s.append(self._world.now_s() - waiting.since_s)
        self._change(best, slots, 1)
        self._world.later(waiting.deployment.for_s, lambda: self._change(best, -slots, -1))
        return True

    def _change(self, node: NodeId, slots: int, deployments: int) -> None:
        room = self.rooms[node]
        room.use(slots, self._world.now_s())
        room.deployments += deployments
        # The pallet itself refuses the target Down to a node that carries contracts.
        self._world.ledger.force_storage("ActiveNodeContracts", node, tuple(range(room.deployments)))
        if slots < 0 and self.waiting:
            self.place()
