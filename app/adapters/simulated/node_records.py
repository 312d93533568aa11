"""The nodes' records of a ledger in the domain's words, each made once for all who read it.

The nodes of a simulated farm keep each other's records, and read them again every half hour.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.pallet import Values
from app.domain.model import FarmId, Node, NodeId, TwinId, woken_address


class NodeRecords:
    """Of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._made: dict[NodeId, tuple[Values, Node]] = {}

    def of(self, nodes: Collection[NodeId]) -> Mapping[NodeId, Node]:
        """Those that exist, as they stand now."""
        records = self._ledger.store.newest("Nodes")
        return {node: self._node(node, record) for node in nodes if (record := records.get(node)) is not None}

    def _node(self, node: NodeId, record: Values) -> Node:
        made = self._made.get(node)
        if made is None or made[0] is not record:
            made = self._made[node] = record, _node(record)
        return made[1]


def _node(record: Values) -> Node:
    mac, problem = woken_address((interface["name"], interface["mac"]) for interface in record["interfaces"])
    return Node(NodeId(record["id"]), FarmId(record["farm_id"]), TwinId(record["twin_id"]), mac, problem)
