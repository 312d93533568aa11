"""The port `SignsOfLife` on Substrate nodes, by the nonces of the nodes' accounts.

Every extrinsic of an account raises ``System.Account[account].nonce``, and a node sends an uptime report
every 40 minutes. A node's account is that of its twin. A twin can move to another account, whose nonce
moves from then on. So if a nonce stands still, the account is looked up again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping

from app.adapters.substrate import records
from app.adapters.substrate.answers import Header
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import RpcRefused
from app.adapters.substrate.state import KeysOf, Reading, State, head_state, state_at
from app.domain.model import Counters, HeadKind, Node, NodeId

EARLIER_BLOCKS = 200

log = logging.getLogger(__name__)


class SubstrateSignsOfLife:
    """`SignsOfLife` with one storage query for any number of nodes.

    New nodes take two more queries. So do nodes whose nonce stood still, ``look_again_s`` after the last
    look-up of their account.
    """

    def __init__(self, client: SubstrateClient, *, look_again_s: float = 600.0) -> None:
        self._client = client
        self._look_again_s = look_again_s
        self._accounts: dict[NodeId, bytes] = {}
        self._looked_up_s: dict[NodeId, float] = {}
        self._counters: dict[NodeId, int] = {}
        self._still: set[NodeId] = set()

    async def counters(self, nodes: Collection[NodeId]) -> Counters:
        accounts = await self._accounts_of(nodes)
        found = _counters(await head_state(self._client, HeadKind.FINALIZED, *_nonces_of(accounts)))
        self._still = {node for node, counter in found.of.items() if self._counters.get(node) == counter}
        self._counters |= found.of
        return found

    async def earlier(self, nodes: Collection[NodeId]) -> Counters | None:
        """Nonces 200 blocks earlier: a node without an archive still has the state of some 250 blocks."""
        accounts = await self._accounts_of(nodes)

        async def question(connection: RpcConnection) -> State[dict[NodeId, int]] | None:
            head = await connection.ask_for(str, "chain_getFinalizedHead")
            number = (await connection.ask_for(Header, "chain_getHeader", head)).height
            if number < 1:
                return None  # only block 0 is finalized
            then = await connection.ask_for(str, "chain_getBlockHash", max(number - EARLIER_BLOCKS, 1))
            try:
                return await state_at(self._client, connection, then, HeadKind.FINALIZED, *_nonces_of(accounts))
            except RpcRefused as error:
                log.info("an earlier block can't be read: %s", error)
                return None

        state = await self._client.ask(question)
        return None if state is None else _counters(state)

    async def _accounts_of(self, nodes: Collection[NodeId]) -> Mapping[NodeId, bytes]:
        await self._find_accounts([node for node in nodes if self._is_to_be_looked_up(node)])
        return {node: self._accounts[node] for node in nodes if node in self._accounts}

    def _is_to_be_looked_up(self, node: NodeId) -> bool:
        if node not in self._accounts:
            return True
        return node in self._still and time.monotonic() - self._looked_up_s[node] >= self._look_again_s

    async def _find_accounts(self, nodes: Collection[NodeId]) -> None:
        if not nodes:
            return
        asked = tuple(nodes)
        found = await head_state(
            self._client,
            HeadKind.BEST,
            lambda runtime: [records.node_key(runtime, node) for node in asked],
            lambda runtime, values: records.nodes(runtime, asked, values),
        )
        twins = {node: record.twin for node, record in found.content.items() if isinstance(record, Node)}
        state = await head_state(
            self._client,
            HeadKind.BEST,
            lambda runtime: [records.twin_key(runtime, twin) for twin in twins.values()],
            lambda runtime, values: records.accounts(runtime, twins, values),
        )
        accounts = state.content
        self._accounts |= accounts
        self._looked_up_s |= dict.fromkeys(accounts, time.monotonic())


def _nonces_of(accounts: Mapping[NodeId, bytes]) -> tuple[KeysOf, Reading[dict[NodeId, int]]]:
    return (
        lambda runtime: [records.account_key(runtime, account) for account in accounts.values()],
        lambda runtime, values: records.nonces(runtime, accounts, values),
    )


def _counters(state: State[dict[NodeId, int]]) -> Counters:
    return Counters(state.head.time_s, state.content)
