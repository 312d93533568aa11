"""Signs of life on a ledger in memory."""

from __future__ import annotations

from collections.abc import Collection

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Block
from app.domain.errors import ChainUnavailable
from app.domain.model import Counters, NodeId

EARLIER_BLOCKS = 200


class SimulatedSignsOfLife:
    """`SignsOfLife`: the nonces of the nodes' accounts. ``reads`` counts.

    Switches: ``unavailable``, and ``forgets`` (no block but the head's can be read).
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.unavailable = False
        self.forgets = False
        self.reads = 0

    async def counters(self, nodes: Collection[NodeId]) -> Counters:
        """As of the finalized block."""
        self.reads += 1
        return self._at(self._ledger.finalized, nodes)

    async def earlier(self, nodes: Collection[NodeId]) -> Counters | None:
        """As of a block 200 before that, unless it is forgotten."""
        block = self._ledger.block(max(self._ledger.finalized_number - EARLIER_BLOCKS, 0))
        return None if block is None or self.forgets else self._at(block, nodes)

    def _at(self, block: Block, nodes: Collection[NodeId]) -> Counters:
        if self.unavailable:
            raise ChainUnavailable("the simulated chain does not tell signs of life")
        found = {}
        for node in nodes:
            record = self._ledger.read("Nodes", node)
            if record is not None:
                account = self._ledger.read("Twins", record["twin_id"])["account_id"]
                found[node] = int(self._ledger.read("Nonce", account, block.number, 0))
        return Counters(block.time_ms / 1000, found)
