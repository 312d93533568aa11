"""Makes up faults: which, when, where and how bad, all drawn from the seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from app.entrypoints.simulator.faults.kinds import FAULT_KINDS, FaultKind
from app.entrypoints.simulator.plan.plan import FarmPlan, FaultPlan

LEVELS = {"none": 0.0, "few": 0.3, "moderate": 1.0, "many": 6.0, "storm": 24.0}
"""Faults per node and day, on average."""

FARM_WIDE = 0.3
"""The share of the faults that hit a whole farm, of those that can."""

CHAIN_WIDE_PER_DAY = 12.0
"""Faults of the chain do not depend on the number of nodes; this is the number at the level ``moderate``."""


def made_up_faults(
    kinds: Sequence[str], per_node_day: float, farms: Sequence[FarmPlan], until_s: float, seed: int
) -> tuple[FaultPlan, ...]:
    """Faults of these kinds, all over at ``until_s``, in order of their beginning."""
    chance = random.Random(f"{seed}/faults")  # noqa: S311 - repeatable on purpose
    by_scope = {
        scope: [name for name in kinds if (FAULT_KINDS[name].scope == "chain") is scope] for scope in (True, False)
    }
    days = until_s / 86_400.0
    nodes = sum(len(farm.nodes) for farm in farms)
    wanted = {True: CHAIN_WIDE_PER_DAY * per_node_day * days, False: per_node_day * nodes * days}
    faults = []
    for chain_wide, names in by_scope.items():
        for _ in range(_count(wanted[chain_wide], chance) if names and until_s > 0 else 0):
            name = names[int(chance.random() * len(names))]
            faults.append(_made_up(name, FAULT_KINDS[name], farms, until_s, chance))
    return tuple(sorted(faults, key=lambda fault: (fault.at_s, fault.kind, fault.subject)))


def _count(mean: float, chance: random.Random) -> int:
    """The mean, rounded up or down by chance."""
    return int(mean + chance.random())


def _made_up(name: str, kind: FaultKind, farms: Sequence[FarmPlan], until_s: float, chance: random.Random) -> FaultPlan:
    farm = farms[int(chance.random() * len(farms))]
    node = farm.nodes[int(chance.random() * len(farm.nodes))]
    subject = f"node {node.id}"
    if kind.scope == "chain":
        subject = "all"
    elif kind.scope == "farm" and chance.random() < FARM_WIDE:
        subject = f"farm {farm.id}"
    for_s = min(_between(kind.for_s, chance), until_s)
    at_s = round(chance.random() * (until_s - for_s), 1)
    return FaultPlan(
        at_s=at_s, kind=name, subject=subject, for_s=round(for_s, 1), amount=round(_between(kind.amount, chance), 2)
    )


def _between(ends: tuple[float, float], chance: random.Random) -> float:
    return ends[0] + (ends[1] - ends[0]) * chance.random()
