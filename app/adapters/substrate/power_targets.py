"""The farmer's side: the port `PowerTargets` on a Substrate node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.extrinsics import Extrinsics
from app.adapters.substrate.keys import SigningKey
from app.domain.errors import ExtrinsicFailed, PowerdError
from app.domain.model import Inclusion, NodeId, Power

REMEDIES = {
    "UnauthorizedToChangePowerTarget": "the key is not that of the twin that owns the node's farm; use the farmer's",
    "NodeNotExists": "the chain knows no node {node}; correct the id",
    "TwinNotExists": "the key has no twin on this chain; use the farmer's",
    "NodeHasActiveContracts": "node {node} has active contracts; it can't be sent to sleep before they end",
}
"""What to do about the pallet's errors."""


class SubstratePowerTargets:
    """`PowerTargets` signed by the farmer's ``seed``; times and eras as for `SubstrateChain`."""

    def __init__(
        self,
        client: SubstrateClient,
        *,
        seed: bytes,
        key_type: str = "sr25519",
        inclusion_timeout_s: float = 100.0,
        era_blocks: int = 16,
    ) -> None:
        self._extrinsics = Extrinsics(
            client, SigningKey(seed, key_type), inclusion_timeout_s=inclusion_timeout_s, era_blocks=era_blocks
        )

    async def set_power_target(self, node: NodeId, target: Power) -> Inclusion:
        """``change_power_target``, waited for until included."""
        arguments = {"node_id": int(node), "power_target": target.value}
        try:
            return await self._extrinsics.include("change_power_target", lambda: arguments)
        except ExtrinsicFailed as error:
            remedy = REMEDIES.get(error.error)
            if remedy is not None:
                error.args = (f"{error} ({remedy.format(node=node)})",)
            raise

    async def set_power_targets(
        self, nodes: Sequence[NodeId], target: Power
    ) -> AsyncIterator[tuple[NodeId, Inclusion | PowerdError]]:
        """One after the other."""
        for node in nodes:
            try:
                yield node, await self.set_power_target(node, target)
            except PowerdError as error:
                yield node, error
