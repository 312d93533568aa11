"""Signs of life on a ledger in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Block
from app.domain.errors import ChainUnavailable
from app.domain.model import Counters, NodeId

EARLIER_BLOCKS = 200


class SimulatedSignsOfLife:
    """`SignsOfLife`: the nonces of the nodes' accounts. ``reads`` counts.

    Switches: ``unavailable``, and ``forgets`` (no block but the head's can be read).
    """

    def __init__(self, ledger: Ledger, accounts: dict[NodeId, bytes] | None = None) -> None:
        """Those of one ledger may share the ``accounts`` of nodes that they learn."""
        self._ledger = ledger
        self._accounts = {} if accounts is None else accounts
        self._asked: tuple[Collection[NodeId], Mapping[NodeId, bytes]] = ((), {})
        self.unavailable = False
        self.forgets = False
        self.reads = 0

    async def counters(self, nodes: Collection[NodeId]) -> Counters:
        self.reads += 1
        self._check()
        ledger = self._ledger
        nonces = ledger.store.final("Nonce", ledger.finalized_number)
        accounts = self._accounts_of(nodes)
        nonce = nonces.get
        found = {node: nonce(account, 0) for node, account in accounts.items()}
        return Counters(ledger.finalized.time_ms / 1000, found)

    async def earlier(self, nodes: Collection[NodeId]) -> Counters | None:
        """As of a block 200 before that, unless it is forgotten."""
        block = self._ledger.block(max(self._ledger.finalized_number - EARLIER_BLOCKS, 0))
        return None if block is None or self.forgets else self._at(block, nodes)

    def _at(self, block: Block, nodes: Collection[NodeId]) -> Counters:
        self._check()
        nonce = self._ledger.store.read
        found = {node: nonce("Nonce", of, block.number, 0) for node, of in self._accounts_of(nodes).items()}
        return Counters(block.time_ms / 1000, found)

    def _check(self) -> None:
        if self.unavailable:
            raise ChainUnavailable("the simulated chain does not have signs of life")

    def _accounts_of(self, nodes: Collection[NodeId]) -> Mapping[NodeId, bytes]:
        """Of those that exist; a node keeps its twin, and a twin its account."""
        asked, accounts = self._asked
        if nodes != asked or len(accounts) < len(nodes):
            for node in nodes:
                if node not in self._accounts and (record := self._ledger.read("Nodes", node)) is not None:
                    self._accounts[node] = self._ledger.read("Twins", record["twin_id"])["account_id"]
            accounts = {node: self._accounts[node] for node in nodes if node in self._accounts}
            self._asked = tuple(nodes), accounts
        return accounts
