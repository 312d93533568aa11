"""Nodes that the farmer may lose, whatever powerd does: the plan's own, and those the run left in the dark.

The promises judge powerd. This judges the farm: a node that no other node can wake stays dark after the
first power cut or power-off, and its darkness earns nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from app.entrypoints.simulator.plan.plan import FarmPlan, NodePlan, Plan

DAY_S = 86_400.0
WAKING_S_MAX = 1800.0
"""How long a node whose target is Up can take to come up (the grid's minting: 30 min from the target to the boot)."""


class Risk(enum.Enum):
    """Why a node is at risk, in a farmer's words."""

    UNWAKEABLE = "cannot be woken by any other node"
    DARK_AND_WANTED = "dark at the end though its target is Up"
    DARK_TOO_LONG = "dark for more than 24 hours"


class NodeAtRisk(Struct, frozen=True, kw_only=True):
    """One node and one risk; ``detail`` says more where there is more to say."""

    node: int
    risk: Risk
    detail: str = ""

    def __str__(self) -> str:
        return f"node {self.node}: {self.risk.value}{f' ({self.detail})' if self.detail else ''}"


def unwakeable(plan: Plan) -> Iterator[NodeAtRisk]:
    """Nodes at risk that the plan alone shows, before the run."""
    for farm in plan.farms:
        for node in farm.nodes:
            if reason := _why_unwakeable(farm, node):
                yield NodeAtRisk(node=node.id, risk=Risk.UNWAKEABLE, detail=reason)


def _why_unwakeable(farm: FarmPlan, node: NodePlan) -> str:
    if len(farm.nodes) == 1:
        return "it is the only node of its farm"
    if not any(peer.segment == node.segment for peer in farm.nodes if peer is not node):
        return f"no other node of its farm is in segment {node.segment!r}"
    if not node.can_be_woken:
        return "its card does not support Wake-on-LAN"
    if node.chain_mac and node.chain_mac.lower() != node.mac.lower():
        return f"the chain has {node.chain_mac!r} as its MAC"
    return ""


def lines(nodes: Sequence[NodeAtRisk]) -> Iterator[str]:
    """Text lines: how many nodes, and each with its reason."""
    if nodes:
        number = len({each.node for each in nodes})
        yield f"NODES AT RISK: {number:,} {'node' if number == 1 else 'nodes'} may be lost, whatever powerd does"
        yield from (f"    {each}" for each in nodes[:LISTED_MAX])
    if len(nodes) > LISTED_MAX:
        yield f"    … and {len(nodes) - LISTED_MAX:,} more (--json has all)"


def counted(nodes: Iterable[NodeAtRisk]) -> int:
    """The nodes at risk, each once."""
    return len({each.node for each in nodes})


LISTED_MAX = 20
