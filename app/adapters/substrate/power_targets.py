"""The port `PowerTargets` on Substrate nodes, for the farmer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.extrinsics import Extrinsics
from app.adapters.substrate.keys import SigningKey
from app.domain.errors import ExtrinsicFailed, PowerdError
from app.domain.model import Inclusion, NodeId, Power

REMEDIES = {
    "UnauthorizedToChangePowerTarget": "the key does not belong to the owner of the node's farm; use the farmer's key",
    "NodeNotExists": "the chain knows no node {node}; correct the id",
    "TwinNotExists": "the key has no twin on this chain; use the farmer's key",
    "NodeHasActiveContracts": "node {node} has active contracts; it can't sleep before they end",
}
"""Remedies by the pallet's error."""

SIDE_BY_SIDE = 48
"""How many extrinsics are under way at once. A pool limits how far a nonce can be ahead of the chain's."""


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
        """Submit ``change_power_target`` and wait for its inclusion."""
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
        """Submit all with consecutive nonces, and follow each one separately."""
        slots = asyncio.Semaphore(SIDE_BY_SIDE)

        async def end_of(node: NodeId) -> tuple[NodeId, Inclusion | PowerdError]:
            async with slots:
                try:
                    return node, await self.set_power_target(node, target)
                except PowerdError as error:
                    return node, error

        tasks = [asyncio.create_task(end_of(node), name=f"target of node {node}") for node in nodes]
        try:
            for each in asyncio.as_completed(tasks):
                yield await each
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
