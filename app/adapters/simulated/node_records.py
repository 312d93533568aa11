"""The nodes' records of a ledger in the domain's words, each made once for all who read it.

The nodes of a simulated farm keep each other's records, and read them again every half hour.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import cast

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.pallet import Values
from app.domain.model import FarmId, Node, NodeId, TwinId, woken_address


class NodeRecords:
    """Of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._now: dict[NodeId, Node] = {}
        ledger.store.watch("Nodes", self._changed)

    def of(self, nodes: Collection[NodeId]) -> Mapping[NodeId, Node]:
        """Those that exist, as they stand now."""
        return {node: record for node in nodes if (record := self._now.get(node)) is not None}

    def _changed(self, node: Hashable, record: Values | None) -> None:
        if record is None:
            self._now.pop(cast(NodeId, node), None)
        else:
            self._now[cast(NodeId, node)] = _node(record)


def _node(record: Values) -> Node:
    mac, problem = woken_address((interface["name"], interface["mac"]) for interface in record["interfaces"])
    return Node(NodeId(record["id"]), FarmId(record["farm_id"]), TwinId(record["twin_id"]), mac, problem)
