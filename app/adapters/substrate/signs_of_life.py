"""Signs of life by the nonces of the nodes' accounts: the port `SignsOfLife` on a Substrate node.

Every extrinsic of an account raises ``System.Account[account].nonce``, and a node reports its uptime
by one, every 40 minutes. A node's account is that of its twin; neither ever changes, so they are
looked up once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.adapters.substrate import records
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.state import head_state
from app.domain.model import HeadKind, Node, NodeId


class SubstrateSignsOfLife:
    """For any number of nodes one storage query; two more for nodes not asked for before."""

    def __init__(self, client: SubstrateClient) -> None:
        self._client = client
        self._accounts: dict[NodeId, bytes] = {}

    async def counters(self, nodes: Collection[NodeId]) -> Mapping[NodeId, int]:
        """Nonces at the finalized head."""
        await self._find_accounts([node for node in nodes if node not in self._accounts])
        accounts = {node: self._accounts[node] for node in nodes if node in self._accounts}
        state = await head_state(
            self._client,
            HeadKind.FINALIZED,
            lambda runtime: [records.account_key(runtime, account) for account in accounts.values()],
        )
        return await self._client.compute(lambda: records.nonces(state.runtime, accounts, state.values))

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
        self._accounts |= await self._client.compute(lambda: records.accounts(state.runtime, twins, state.values))
