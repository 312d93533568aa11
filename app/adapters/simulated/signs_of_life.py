"""Signs of life on a ledger in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.adapters.simulated.ledger import Ledger
from app.domain.errors import ChainUnavailable
from app.domain.model import NodeId


class SimulatedSignsOfLife:
    """`SignsOfLife`: the nonces of the nodes' accounts. With ``unavailable`` nobody can tell; ``reads`` counts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.unavailable = False
        self.reads = 0

    async def counters(self, nodes: Collection[NodeId]) -> Mapping[NodeId, int]:
        """As of the finalized block."""
        self.reads += 1
        if self.unavailable:
            raise ChainUnavailable("the simulated chain does not tell signs of life")
        found = {}
        for node in nodes:
            record = self._ledger.read("Nodes", node)
            if record is not None:
                account = self._ledger.read("Twins", record["twin_id"])["account_id"]
                found[node] = int(self._ledger.read("Nonce", account, self._ledger.finalized_number, 0))
        return found
