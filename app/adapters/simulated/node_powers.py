"""The nodes' powers of a ledger in the domain's words, kept up to date, for all who read them.

The nodes of a simulated farm read each other's powers every five minutes. Most are Up/Up, and all
those are one value.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from functools import lru_cache
from typing import Any, cast

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.pallet import ALWAYS_UP, StoredPower
from app.domain.model import Head, HeadKind, NodeId, NodePower, Power, PowerState


class NodePowers:
    """Of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._now: dict[NodeId, NodePower] = {}
        self._best_head = self._finalized_head = Head(HeadKind.BEST, None, "", 0.0)
        ledger.store.watch("NodePower", self._changed)

    def head(self, kind: HeadKind, *, final: bool) -> Head:
        """The ledger's head, named ``kind``: the same value for all who read it meanwhile."""
        block = self._ledger.finalized if final else self._ledger.best
        head = self._finalized_head if final else self._best_head
        if head.hash != block.hash or head.kind is not kind:
            head = Head(kind, block.number, block.hash, block.time_ms / 1000)
            if final:
                self._finalized_head = head
            else:
                self._best_head = head
        return head

    def best(self, nodes: Collection[NodeId]) -> dict[NodeId, NodePower]:
        now = self._now
        try:
            return {node: now[node] for node in nodes}
        except KeyError:
            for node in nodes:
                now.setdefault(node, node_power_of(ALWAYS_UP))
            return {node: now[node] for node in nodes}

    def finalized(self, nodes: Collection[NodeId]) -> dict[NodeId, NodePower]:
        at, store = self._ledger.finalized_number, self._ledger.store
        return {
            node: self._now[node]
            if store.changed_at("NodePower", node) <= at and node in self._now
            else node_power_of(store.read("NodePower", node, at, ALWAYS_UP))
            for node in nodes
        }

    def _changed(self, node: Hashable, power: Any) -> None:
        self._now[cast(NodeId, node)] = node_power_of(ALWAYS_UP if power is None else power)


@lru_cache(maxsize=65_536)
def node_power_of(power: StoredPower) -> NodePower:
    """One entry; equal entries are one value."""
    state = Power.UP if power.down_since is None else Power.DOWN
    return NodePower(PowerState(state, power.down_since), Power(power.target))
