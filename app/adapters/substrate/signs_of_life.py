"""Signs of life by the nonces of the nodes' accounts: the port `SignsOfLife` on a Substrate node.

Every extrinsic of an account raises ``System.Account[account].nonce``, and a node reports its uptime
by one, every 40 minutes. A node's account is that of its twin. A twin may be given to another account,
whose nonce moves from then on: so where a nonce stands still the account is looked up again.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from app.adapters.substrate import records
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.state import head_state
from app.domain.model import HeadKind, Node, NodeId


class SubstrateSignsOfLife:
    """For any number of nodes one storage query; two more for nodes not asked for before.

    Two more also for those whose nonce stood still, ``look_again_s`` after their account was looked up.
    """

    def __init__(self, client: SubstrateClient, *, look_again_s: float = 600.0) -> None:
        self._client = client
        self._look_again_s = look_again_s
        self._accounts: dict[NodeId, bytes] = {}
        self._looked_up_s: dict[NodeId, float] = {}
        self._counters: dict[NodeId, int] = {}
        self._still: set[NodeId] = set()

    async def counters(self, nodes: Collection[NodeId]) -> Mapping[NodeId, int]:
        """Nonces at the finalized head."""
        await self._find_accounts([node for node in nodes if self._is_to_be_looked_up(node)])
        accounts = {node: self._accounts[node] for node in nodes if node in self._accounts}
        state = await head_state(
            self._client,
            HeadKind.FINALIZED,
            lambda runtime: [records.account_key(runtime, account) for account in accounts.values()],
        )
        found = await self._client.compute(lambda: records.nonces(state.runtime, accounts, state.values))
        self._still = {node for node, counter in found.items() if self._counters.get(node) == counter}
        self._counters |= found
        return found

    def _is_to_be_looked_up(self, node: NodeId) -> bool:
        if node not in self._accounts:
            return True
        return node in self._still and time.monotonic() - self._looked_up_s[node] >= self._look_again_s

    async def _find_accounts(self, nodes: Collection[NodeId]) -> None:
        if not nodes:
            return
        state = await head_state(
            self._client, HeadKind.BEST, lambda runtime: [records.node_key(runtime, node) for node in nodes]
        )
        found = await self._client.compute(lambda: records.nodes(state.runtime, tuple(nodes), state.values))
        twins = {node: record.twin for node, record in found.items() if isinstance(record, Node)}
        state = await head_state(
            self._client, HeadKind.BEST, lambda runtime: [records.twin_key(runtime, twin) for twin in twins.values()]
        )
        accounts = await self._client.compute(lambda: records.accounts(state.runtime, twins, state.values))
        self._accounts |= accounts
        self._looked_up_s |= dict.fromkeys(accounts, time.monotonic())
