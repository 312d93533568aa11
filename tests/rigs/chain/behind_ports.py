"""The chain as the contracts meet it: the simulated one in virtual time, a real one, and that one behind a gateway."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.adapters.linux.clock import SystemClock
from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.farm_setup import add_farm
from app.adapters.simulated.identity import SimulatedIdentity
from app.adapters.simulated.ledger import Ledger
from app.adapters.substrate.blocks import SubstrateBlocks
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.identity import SubstrateIdentity
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.adapters.zbus.chain import ZbusChain
from app.adapters.zbus.client import ZbusClient
from app.adapters.zbus.identity import ZbusIdentity
from app.domain.model import FarmId, NodeId, NodeIdentity, TwinId, UptimeSample
from app.ports.chain import Chain
from app.ports.chain_blocks import ChainBlocks
from app.ports.identity import Identity
from app.ports.power_targets import PowerTargets
from tests.rigs.chain.as_process import Chain as KeyedChain
from tests.rigs.chain.external import external_chain
from tests.rigs.redis import own_server
from tests.rigs.virtual_time import run_virtually
from tests.rigs.zos import Neighbour, neighbourhood
from tests.slowness import patient

NO_NODE = NodeId(4_000_000_000)
NO_FARM = FarmId(4_000_000_000)


@dataclass(frozen=True)
class World:
    """``chain`` signs as ``node``, ``targets`` as its farmer, and ``intruder`` as the node again."""

    chain: Chain
    targets: PowerTargets
    intruder: PowerTargets
    blocks: ChainBlocks
    identity: Identity
    farm: FarmId
    node: NodeId
    peer: NodeId
    now_s: Callable[[], float]
    has_heads: bool = True
    """Whether ``chain`` names the block it read, the block of an inclusion, and the final one."""

    def sample(self) -> UptimeSample:
        return UptimeSample(3600, int(self.now_s()))


Test = Callable[[World], Coroutine[Any, Any, None]]
Rig = Callable[[Test], None]
"""Runs a test in a world."""


@contextmanager
def simulated_rig() -> Iterator[Rig]:
    """A new chain for each test."""

    def play(test: Test) -> None:
        async def body() -> None:
            await test(simulated_world())

        run_virtually(body)

    yield play


@contextmanager
def substrate_rig() -> Iterator[Rig]:
    """One chain, one loop and one client for all tests: reading a runtime's metadata takes its time."""
    with external_chain() as chain, asyncio.Runner() as runner:
        client = SubstrateClient([chain.url])
        world = runner.run(substrate_world(client, chain))
        try:
            yield lambda test: runner.run(test(world))
        finally:
            runner.run(client.close())


@contextmanager
def zbus_rig() -> Iterator[Rig]:
    """As `substrate_rig`, but what the daemon does goes through the stand-in api-gateway, registrar and identityd."""
    with (
        external_chain() as chain,
        own_server() as redis,
        TemporaryDirectory() as directory,
        asyncio.Runner() as runner,
    ):
        client, zbus = SubstrateClient([chain.url]), ZbusClient(redis.url())
        direct = runner.run(substrate_world(client, chain))
        me = runner.run(direct.identity.identify())
        key_file = Path(directory) / "key"
        key_file.touch(mode=0o600)
        key_file.write_text(chain.node_seeds[0].hex())
        about = {"id": me.node, "twin_id": me.twin, "key_file": str(key_file)}
        around = neighbourhood(Path(directory), redis.url(), about, me.farm, chain.url)
        zos = runner.run(around.__aenter__())
        try:
            runner.run(_started(zos.gateway, zos.registrar, zos.identityd))
            world = dataclasses.replace(
                direct,
                chain=ZbusChain(zbus, SystemClock(), timeout_s=patient(30)),
                identity=ZbusIdentity(zbus, farm_id=None, timeout_s=patient(20)),
                has_heads=False,
            )
            yield lambda test: runner.run(test(world))
        finally:
            runner.run(zbus.close())
            runner.run(client.close())
            runner.run(around.__aexit__(None, None, None))


async def _started(*neighbours: Neighbour) -> None:
    await asyncio.gather(*(neighbour.start() for neighbour in neighbours))


def simulated_world() -> World:
    clock = VirtualClock()
    ledger = Ledger(clock.now(), block_time_s=0)
    farmer, *nodes = (bytes([number]) * 32 for number in range(1, 5))
    farm, ids = add_farm(ledger, farmer, nodes)
    chain = SimulatedChain(ledger, clock, nodes[0])
    record = ledger.read("Nodes", ids[0])
    return World(
        chain=chain,
        targets=SimulatedChain(ledger, clock, farmer),
        intruder=chain,
        blocks=chain,
        identity=SimulatedIdentity(NodeIdentity(NodeId(ids[0]), FarmId(farm), TwinId(record["twin_id"]))),
        farm=FarmId(farm),
        node=NodeId(ids[0]),
        peer=NodeId(ids[1]),
        now_s=clock.now,
    )


async def substrate_world(client: SubstrateClient, access: KeyedChain) -> World:
    own_seed, peer_seed = access.node_seeds[:2]
    own = await SubstrateIdentity(client, seed=own_seed).identify()
    peer = await SubstrateIdentity(client, seed=peer_seed).identify()
    return World(
        chain=SubstrateChain(client, seed=own_seed),
        targets=SubstratePowerTargets(client, seed=access.farmer_seed),
        intruder=SubstratePowerTargets(client, seed=own_seed, key_type="ed25519"),
        blocks=SubstrateBlocks(client),
        identity=SubstrateIdentity(client, seed=own_seed, node_id=own.node),
        farm=own.farm,
        node=own.node,
        peer=peer.node,
        now_s=time.time,
    )
