"""The nodes' powers of a ledger in the domain's words, kept up to date, for all who read them.

The nodes of a simulated farm read each other's powers every five minutes. Most are Up/Up, and all
those are one value.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from functools import lru_cache
from typing import Any, cast

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.pallet import ALWAYS_UP
from app.adapters.simulated.pallet import Power as LedgerPower
from app.domain.model import NodeId, NodePower, Power, PowerState


class NodePowers:
    """Of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._now: dict[NodeId, NodePower] = {}
        ledger.store.watch("NodePower", self._changed)

    def best(self, nodes: Collection[NodeId]) -> dict[NodeId, NodePower]:
        """As of the newest block."""
        power, up = self._now.get, node_power_of(ALWAYS_UP)
        return {node: power(node, up) for node in nodes}

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
