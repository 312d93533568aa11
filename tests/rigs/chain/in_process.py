"""A dev chain inside the test, whose ledger the test controls, or any chain; and clients of it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from app.adapters.simulated.ledger import Ledger
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.identity import SubstrateIdentity
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.domain.model import NodeId, UptimeSample
from app.entrypoints.devchain.dev_runtime import runtime
from app.entrypoints.devchain.farms import Account, DevFarm, set_up_farm
from app.entrypoints.devchain.node import DevNode
from app.entrypoints.devchain.server import serving
from tests.rigs.chain.external import external, external_chain
from tests.rigs.scripted_node import ScriptedNode
from tests.slowness import patient

ERA_BLOCKS = 8


def metadata() -> str:
    """Of the dev chain's runtime, as ``state_getMetadata`` returns it."""
    return runtime(0).metadata


@dataclass(frozen=True)
class ChainAt:
    """Any chain, at ``url``, and a farm on it. Whatever is made here is closed with it."""

    url: str
    farm: DevFarm
    stack: AsyncExitStack

    @property
    def node(self) -> NodeId:
        """The node whose key `chain` signs with."""
        return NodeId(self.farm.node_ids[0])

    @property
    def peer(self) -> NodeId:
        """Another one of its farm."""
        return NodeId(self.farm.node_ids[1])

    async def proxy(self) -> ScriptedNode:
        """An endpoint of the same chain that misbehaves on request."""
        return await self.stack.enter_async_context(ScriptedNode(upstream=self.url).running())

    def client(self, *urls: str, timeout_s: float = patient(5)) -> SubstrateClient:
        client = SubstrateClient(urls or [self.url], timeout_s=timeout_s, keepalive_s=0.1)
        self.stack.push_async_callback(client.close)
        return client

    def chain(self, *urls: str, inclusion_timeout_s: float = 30.0, timeout_s: float = patient(5)) -> SubstrateChain:
        return SubstrateChain(
            self.client(*urls, timeout_s=timeout_s),
            seed=self.farm.nodes[0].seed,
            inclusion_timeout_s=inclusion_timeout_s,
            era_blocks=ERA_BLOCKS,
        )

    def targets(self) -> SubstratePowerTargets:
        return SubstratePowerTargets(self.client(), seed=self.farm.farmer.seed)


@dataclass(frozen=True)
class ChainWorld(ChainAt):
    """A dev chain in this process; ``ledger`` is its inside."""

    ledger: Ledger
    inside: DevNode

    def stored(self, key: str, block_hash: str) -> str | None:
        """What lies under a storage key after a block."""
        block = self.ledger.by_hash(block_hash)
        assert block is not None
        value = self.inside.storage.read(bytes.fromhex(key[2:]), block)
        return None if value is None else f"0x{value.hex()}"

    def produce(self, blocks: int = 1) -> None:
        """Make blocks now."""
        for _ in range(blocks):
            self.ledger.produce(time.time())


@asynccontextmanager
async def chain_world(
    nodes: int = 2, *, block_time_s: float = 3600.0, start_s: float | None = None
) -> AsyncIterator[ChainWorld]:
    """By default blocks come only when the test makes them, and the first one is of now."""
    ledger = Ledger(time.time() if start_s is None else start_s, block_time_s=block_time_s)
    farm = set_up_farm(ledger, nodes, "test")
    inside = DevNode(ledger)
    async with serving(inside, "127.0.0.1", 0) as url, AsyncExitStack() as stack:
        yield ChainWorld(url, farm, stack, ledger, inside)


@asynccontextmanager
async def chain_anywhere() -> AsyncIterator[ChainAt]:
    """The chain that the tests were pointed at, else a dev chain that makes a block per extrinsic."""
    if not external():
        async with chain_world(block_time_s=0) as made:
            yield made
        return
    with external_chain() as access:
        async with AsyncExitStack() as stack:
            client = SubstrateClient([access.url], timeout_s=patient(20))
            stack.push_async_callback(client.close)
            found = [await SubstrateIdentity(client, seed=seed).identify() for seed in access.node_seeds]
            farm = DevFarm(
                found[0].farm,
                Account.of(access.farmer_seed, "sr25519"),
                tuple(identity.node for identity in found),
                tuple(identity.twin for identity in found),
                tuple(Account.of(seed, "ed25519") for seed in access.node_seeds),
            )
            yield ChainAt(access.url, farm, stack)


def sample() -> UptimeSample:
    """An honest one."""
    return UptimeSample(3600, int(time.time()))
