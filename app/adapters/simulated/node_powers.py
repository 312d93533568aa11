"""The nodes' powers of a ledger in the domain's words, kept up to date, for all who read them.

The nodes of a simulated farm read each other's powers every five minutes. Most are Up/Up, and all
those are one value.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from functools import lru_cache
from typing import Any, cast

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Block
from app.adapters.simulated.pallet import ALWAYS_UP
from app.adapters.simulated.pallet import Power as LedgerPower
from app.domain.model import Head, HeadKind, NodeId, NodePower, Power, PowerState


class _Entries(dict[NodeId, NodePower]):
    """A node without an entry is Up, and wanted so."""

    def __missing__(self, node: NodeId) -> NodePower:
        power = self[node] = node_power_of(ALWAYS_UP)
        return power


class NodePowers:
    """Of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._now = _Entries()
        self._best_head = self._finalized_head = Head(HeadKind.BEST, None, "", 0.0)
        ledger.store.watch("NodePower", self._changed)

    def head(self, kind: HeadKind, block: Block) -> Head:
        """This block as the head of that kind: the same value for all who read it meanwhile."""
        best = kind is HeadKind.BEST
        head = self._best_head if best else self._finalized_head
        if head.hash != block.hash:
            head = Head(kind, block.number, block.hash, block.time_ms / 1000)
            if best:
                self._best_head = head
            else:
                self._finalized_head = head
        return head

    def best(self, nodes: Collection[NodeId]) -> dict[NodeId, NodePower]:
        """As of the newest block."""
        return dict(zip(nodes, map(self._now.__getitem__, nodes), strict=True))

    def finalized(self, nodes: Collection[NodeId]) -> dict[NodeId, NodePower]:
        """As of the finalized block."""
        at = self._ledger.finalized_number
        return {node: node_power_of(self._ledger.read("NodePower", node, at, ALWAYS_UP)) for node in nodes}

    def _changed(self, node: Hashable, power: Any) -> None:
        self._now[cast(NodeId, node)] = node_power_of(ALWAYS_UP if power is None else power)


@lru_cache(maxsize=65_536)
def node_power_of(power: LedgerPower) -> NodePower:
    """One entry; equal entries are one value."""
    state = Power.UP if power.down_since is None else Power.DOWN
    return NodePower(PowerState(state, power.down_since), Power(power.target))
