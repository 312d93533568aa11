"""A farm is a world: the part of a plan that concerns one farm, so that farms can be simulated one by one, anywhere.

Farms share nothing but the weather of the chain: its blocks, forks, stalls, refusals and finality. That
follows from the plan and the seed, and so each farm meets the same weather on a ledger of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec.structs import replace

from app.entrypoints.simulator.faults.kinds import FAULT_KINDS
from app.entrypoints.simulator.plan.plan import FaultPlan, Plan

T = TypeVar("T")

EVERY_FARM = 0
"""No farm has this id."""


def farm_plans(plan: Plan) -> Iterator[Plan]:
    """A plan of one farm for each, in the plan's order; one is made at a time.

    Script, trace and faults keep their order.
    """
    farm_of = {node.id: farm.id for farm in plan.farms for node in farm.nodes}
    script = _by_farm((farm_of[line.node], line) for line in plan.policy.script)
    trace = plan.workload.trace
    deployments = _by_farm((deployment.farm, deployment) for deployment in trace or ())
    faults = _by_farm((_farm_of(fault, farm_of), fault) for fault in plan.faults)
    for farm in plan.farms:
        yield replace(
            plan,
            farms=(farm,),
            policy=replace(plan.policy, script=_of(script, farm.id)),
            workload=replace(plan.workload, trace=None if trace is None else _of(deployments, farm.id)),
            faults=_of(faults, farm.id),
        )


def _farm_of(fault: FaultPlan, farm_of: dict[int, int]) -> int:
    """When the chain stalls, it stalls for every farm, whichever farm the plan names."""
    what, _, number = fault.subject.partition(" ")
    if what == "all" or FAULT_KINDS[fault.kind].scope == "chain":
        return EVERY_FARM
    return farm_of[int(number)] if what == "node" else int(number)


def _by_farm(parts: Iterable[tuple[int, T]]) -> dict[int, list[tuple[int, T]]]:
    """Group items by farm, each with its place in the plan."""
    found: dict[int, list[tuple[int, T]]] = {}
    for place, (farm, part) in enumerate(parts):
        found.setdefault(farm, []).append((place, part))
    return found


def _of(parts: dict[int, list[tuple[int, T]]], farm: int) -> tuple[T, ...]:
    together = sorted([*parts.get(EVERY_FARM, ()), *parts.get(farm, ())], key=lambda placed: placed[0])
    return tuple(part for _, part in together)
