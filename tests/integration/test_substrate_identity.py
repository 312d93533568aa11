"""Who this machine is, by key, by id, or by both; what does not fit is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from app.adapters.linux.clock import SystemClock
from app.adapters.simulated.fault_display import SimulatedFaultDisplay
from app.adapters.substrate.identity import SubstrateIdentity
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.domain.errors import ExtrinsicFailed, IdentityChanged, UnknownIdentity
from app.domain.model import FarmId, NodeId, NodeIdentity, Power, TwinId
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import Progress
from app.domain.services.registration_watch import RegistrationWatch
from tests.rigs.chain.external import ON_THE_CHAIN
from tests.rigs.chain.in_process import ChainAt, chain_anywhere, chain_world
from tests.rigs.simulated.telemetry import SimulatedTelemetry
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, *ON_THE_CHAIN]

STRANGER = bytes(32)
NO_NODE = NodeId(4_000_000_000)


@pytest.fixture
async def world() -> AsyncIterator[ChainAt]:
    async with chain_anywhere() as made:
        yield made


def expected(world: ChainAt) -> NodeIdentity:
    return NodeIdentity(world.node, FarmId(world.farm.id), TwinId(world.farm.twins[0]))


async def test_by_key(world: ChainAt) -> None:
    identity = SubstrateIdentity(world.client(), seed=world.farm.nodes[0].seed)
    assert await identity.identify() == expected(world)


async def test_by_id(world: ChainAt) -> None:
    assert await SubstrateIdentity(world.client(), node_id=world.node).identify() == expected(world)


async def test_by_both_that_agree(world: ChainAt) -> None:
    identity = SubstrateIdentity(world.client(), node_id=world.node, seed=world.farm.nodes[0].seed)
    assert await identity.identify() == expected(world)


async def test_by_both_that_disagree(world: ChainAt) -> None:
    other = world.farm.nodes[1]
    identity = SubstrateIdentity(world.client(), node_id=world.node, seed=other.seed)
    with pytest.raises(UnknownIdentity) as caught:
        await identity.identify()
    for part in (f"node {world.node} ", world.farm.nodes[0].address, other.address):
        assert part in str(caught.value)


async def test_an_id_the_chain_does_not_know(world: ChainAt) -> None:
    with pytest.raises(UnknownIdentity, match="no node 4000000000"):
        await SubstrateIdentity(world.client(), node_id=NO_NODE).identify()


async def test_a_key_without_a_twin(world: ChainAt) -> None:
    with pytest.raises(UnknownIdentity, match="no twin for this node's key"):
        await SubstrateIdentity(world.client(), seed=STRANGER).identify()


async def test_a_twin_without_a_node(world: ChainAt) -> None:
    identity = SubstrateIdentity(world.client(), seed=world.farm.farmer.seed, key_type="sr25519")
    with pytest.raises(UnknownIdentity, match="has no node"):
        await identity.identify()


async def test_neither_key_nor_id_is_a_mistake_of_the_caller(world: ChainAt) -> None:
    with pytest.raises(ValueError, match="id or its key"):
        SubstrateIdentity(world.client())


async def test_a_target_set_with_another_key_than_the_farmers_says_whose_it_takes(world: ChainAt) -> None:
    node = SubstratePowerTargets(world.client(), seed=world.farm.nodes[0].seed, key_type="ed25519")
    with pytest.raises(ExtrinsicFailed, match=r"UnauthorizedToChangePowerTarget.*use the farmer's"):
        await node.set_power_target(world.peer, Power.DOWN)


async def test_a_target_of_a_node_that_does_not_exist_names_it(world: ChainAt) -> None:
    with pytest.raises(ExtrinsicFailed, match=r"NodeNotExists.*no node 4000000000"):
        await world.targets().set_power_target(NO_NODE, Power.DOWN)


async def test_a_node_with_contracts_can_not_be_sent_to_sleep() -> None:
    async with chain_world(block_time_s=0) as world:
        world.ledger.force_storage("ActiveNodeContracts", world.node, [1])
        with pytest.raises(ExtrinsicFailed, match=r"NodeHasActiveContracts.*active contracts"):
            await world.targets().set_power_target(world.node, Power.DOWN)


async def test_r15_a_twin_that_moved_to_another_account_is_a_fault_until_it_is_back() -> None:
    """As tfchain's transfer of a twin's ownership leaves the chain: the old account has no twin."""
    async with chain_world() as inside:
        ledger, own = inside.ledger, inside.farm.nodes[0]
        identity = SubstrateIdentity(inside.client(), seed=own.seed)
        known = await identity.identify()
        clock, telemetry = SystemClock(), SimulatedTelemetry()
        board = FaultBoard(SimulatedFaultDisplay(), clock, telemetry, lambda: 0.5)
        context = NodeContext(clock, telemetry, board, lambda: 0.5, Progress(clock), known)
        watch = RegistrationWatch(identity, context, every_s=0.02)
        watching = asyncio.create_task(watch.run())
        ledger.force_storage("TwinIdByAccountID", own.public_key, 0)
        inside.produce()
        await until(lambda: [fault.key for fault in board.faults] == ["registration"])
        assert f"no twin for this node's key ({own.address})" in board.faults[0].message
        ledger.force_storage("TwinIdByAccountID", own.public_key, known.twin)
        inside.produce()
        await until(lambda: not board.faults)
        ledger.force_storage("Nodes", known.node, {**ledger.read("Nodes", known.node), "farm_id": known.farm + 1})
        inside.produce()
        with pytest.raises(IdentityChanged, match=rf"node {known.node} of farm {known.farm + 1} .*must be restarted"):
            await asyncio.wait_for(watching, patient(10))


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(patient(10)):
        while not seen():  # noqa: ASYNC110 - the watch looks every 20 ms
            await asyncio.sleep(0.01)
