"""The port `Identity`: the node's ids by its key (account → twin → node), by its id, or by both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.records import PALLET, account_of
from app.adapters.substrate.state import doubt_of, head_state, undecoded
from app.domain.errors import ChainUnavailable, UnknownIdentity
from app.domain.model import FarmId, Head, HeadKind, NodeId, NodeIdentity, TwinId


class SubstrateIdentity:
    """Looks up by ``node_id``, by ``seed`` (with ``key_type``), or by both, which are then compared."""

    def __init__(
        self,
        client: SubstrateClient,
        *,
        node_id: int | None = None,
        seed: bytes | None = None,
        key_type: str = "ed25519",
    ) -> None:
        if node_id is None and seed is None:
            raise ValueError("powerd needs the node's id or its key to know which node this is")
        self._client = client
        self._node_id = node_id
        self._heads: list[Head] = []
        self._last: NodeIdentity | None = None
        self._key = None if seed is None else SigningKey(seed, key_type)

    async def identify(self) -> NodeIdentity:
        """The ids. `UnknownIdentity` says which of them does not fit, and what to do.

        That error is permanent, so it is raised only if the heads are recent. The same holds for an answer
        that differs from the one before. Else it raises `ChainUnavailable`.
        """
        self._heads.clear()
        try:
            identity = await self._look_up()
        except UnknownIdentity as error:
            self._refuse_old_head(str(error))
            raise
        if self._last not in (None, identity):
            self._refuse_old_head(f"the chain says that this is node {identity.node} of farm {identity.farm}")
        self._last = identity
        return identity

    def _refuse_old_head(self, answer: str) -> None:
        """Raise `ChainUnavailable` if this answer came from an old head."""
        for doubt in filter(None, (doubt_of(self._client, head) for head in self._heads)):
            raise ChainUnavailable(f"{answer} ({doubt})")

    async def _look_up(self) -> NodeIdentity:
        if self._node_id is None:
            return await self._by_key()
        identity = await self._by_id(self._node_id)
        await self._check_key(identity)
        return identity

    async def _by_key(self) -> NodeIdentity:
        assert self._key is not None
        key = self._key
        account, address = await self._client.compute(lambda: (key.account_id, key.address))
        twin = await self._read("TwinIdByAccountID", account)
        if not twin:
            raise UnknownIdentity(
                f"the chain has no twin for this node's key ({address}); "
                "check the key and the network (chain.urls), or register the node first"
            )
        node = await self._read("NodeIdByTwinID", twin)
        if not node:
            raise UnknownIdentity(
                f"twin {twin} (key {address}) has no node; use the node's own key, or register the node first"
            )
        return await self._by_id(int(node))

    async def _by_id(self, node: int) -> NodeIdentity:
        record: Mapping[str, Any] | None = await self._read("Nodes", node)
        if record is None:
            raise UnknownIdentity(f"the chain knows no node {node}; correct the node's id, or the network (chain.urls)")
        return NodeIdentity(NodeId(node), FarmId(record["farm_id"]), TwinId(record["twin_id"]))

    async def _check_key(self, identity: NodeIdentity) -> None:
        if self._key is None:
            return
        key = self._key
        address = await self._client.compute(lambda: key.address)
        account = await self._client.compute(lambda: key.account_id)
        twin: Mapping[str, Any] | None = await self._read("Twins", identity.twin)
        if twin is None:
            raise UnknownIdentity(f"node {identity.node} belongs to twin {identity.twin}, which does not exist")
        owner = str(twin["account_id"])
        if await self._client.decode(lambda: account_of(owner)) != account:
            raise UnknownIdentity(
                f"node {identity.node} belongs to twin {identity.twin} with account {owner}, "
                f"and the key's account is {address}; correct the node's id or its key"
            )

    async def _read(self, item: str, argument: int | bytes) -> Any:
        state = await head_state(
            self._client, HeadKind.BEST, lambda runtime: [runtime.key(PALLET, item, argument)], undecoded
        )
        self._heads.append(state.head)
        runtime, values = state.runtime, state.values
        return await self._client.decode(
            lambda: runtime.value(PALLET, item, values.get(runtime.key(PALLET, item, argument)))
        )
