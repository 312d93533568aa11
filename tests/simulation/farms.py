"""Small plans for tests."""

from __future__ import annotations

from app.entrypoints.simulator.faults.kinds import FAULT_KINDS
from app.entrypoints.simulator.plan.plan import (
    FarmPlan,
    FaultPlan,
    NodePlan,
    Plan,
    PolicyPlan,
    ScriptedTarget,
    WorkloadPlan,
)

IDLE = WorkloadPlan(load=0.0)


def scripted(
    *lines: tuple[float, int, str],
    nodes: int = 3,
    hours: float = 4.0,
    faults: tuple[FaultPlan, ...] = (),
    farm: tuple[NodePlan, ...] = (),
    settings: dict[str, object] | None = None,
) -> Plan:
    """One farm without workload, whose farmer follows these lines: (time, node, target)."""
    return Plan(
        seed=1,
        hours=hours,
        farms=(FarmPlan(id=1, nodes=farm or tuple(NodePlan(id=n + 1) for n in range(nodes))),),
        policy=PolicyPlan(
            kind="script", script=tuple(ScriptedTarget(at_s=at, node=node, target=target) for at, node, target in lines)
        ),
        workload=IDLE,
        faults=faults,
        settings=settings or {},
    )


def fault(kind: str, at_s: float, subject: str, for_s: float = 0.0, amount: float = 0.0) -> FaultPlan:
    """One fault; its kind has to exist."""
    assert kind in FAULT_KINDS
    return FaultPlan(at_s=at_s, kind=kind, subject=subject, for_s=for_s, amount=amount)
