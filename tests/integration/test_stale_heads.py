"""An absence at an old head proves nothing (R6): what is missing may have come since."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from app.adapters.simulated.pallet import StoredPower
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.identity import SubstrateIdentity
from app.adapters.substrate.signs_of_life import SubstrateSignsOfLife
from app.domain.errors import ChainUnavailable, UnknownIdentity
from app.domain.model import FarmId, HeadKind, Node, NodeId, NodePower, Power, Unreadable
from app.entrypoints.devchain.endpoint import Endpoint
from app.entrypoints.devchain.farms import DevFarm, set_up_farm
from app.entrypoints.devchain.server import listening
from tests.rigs.chain.in_process import ChainWorld, chain_world

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Late:
    """A farm that came to be at block 5. ``behind`` is an endpoint that stands at the block of an hour ago."""

    world: ChainWorld
    farm: DevFarm
    behind: str

    @property
    def node(self) -> NodeId:
        return NodeId(self.farm.node_ids[0])


@pytest.fixture
async def late() -> AsyncIterator[Late]:
    async with chain_world() as world, AsyncExitStack() as stack:
        world.ledger.best.time_ms -= HOUR_MS
        world.produce(5)
        farm = set_up_farm(world.ledger, 1, "late")
        endpoint = Endpoint(world.inside)
        endpoint.lag_blocks = 5
        yield Late(world, farm, await stack.enter_async_context(listening(endpoint, "127.0.0.1", 0)))


async def test_who_this_node_is_is_asked_of_the_next_endpoint_when_the_first_one_stands_still(late: Late) -> None:
    client = late.world.client(late.behind, late.world.url)
    identity = await SubstrateIdentity(client, seed=late.farm.nodes[0].seed).identify()
    assert identity.node == late.node


@pytest.mark.parametrize("by", ["key", "id"])
async def test_no_such_node_by_old_heads_alone_is_waited_out(late: Late, by: str) -> None:
    client = late.world.client(late.behind, late.behind)
    identity = SubstrateIdentity(
        client, seed=late.farm.nodes[0].seed if by == "key" else None, node_id=late.node if by == "id" else None
    )
    with pytest.raises(ChainUnavailable, match=r"the chain .* no .*too old to say so"):
        await identity.identify()


async def test_another_farm_by_old_heads_alone_is_waited_out_and_believed_by_a_new_one(late: Late) -> None:
    """Else the daemon would end, and start again as the node that it was long ago."""
    ledger = late.world.ledger
    identity = SubstrateIdentity(late.world.client(late.world.url), node_id=late.node)
    before = await identity.identify()
    ledger.force_storage("Nodes", late.node, {**ledger.read("Nodes", late.node), "farm_id": 99})
    now_ms, ledger.best.time_ms = ledger.best.time_ms, ledger.best.time_ms - HOUR_MS
    with pytest.raises(ChainUnavailable, match=r"of farm 99 .*too old to say so"):
        await identity.identify()
    ledger.best.time_ms = now_ms
    assert (await identity.identify()).farm == 99 != before.farm


async def test_no_such_node_by_a_new_head_is_for_good(late: Late) -> None:
    client = late.world.client(late.behind, late.world.url)
    with pytest.raises(UnknownIdentity):
        await SubstrateIdentity(client, seed=b"?" * 32).identify()


async def test_a_node_that_an_old_head_does_not_have_is_unreadable_and_not_absent(late: Late) -> None:
    record = (await SubstrateChain(late.world.client(late.behind)).nodes([late.node]))[late.node]
    assert isinstance(record, Unreadable)
    assert "too old" in record.reason


async def test_nor_is_its_address_gone(late: Late) -> None:
    """The record of an hour ago had none."""
    ledger = late.world.ledger
    ledger.store.write("Nodes", 77, {**ledger.read("Nodes", late.node), "id": 77, "interfaces": []}, 0)
    record = (await SubstrateChain(late.world.client(late.behind)).nodes([NodeId(77)]))[NodeId(77)]
    assert isinstance(record, Unreadable)
    record = (await SubstrateChain(late.world.client(late.world.url)).nodes([NodeId(77)]))[NodeId(77)]
    assert isinstance(record, Node)
    assert record.mac is None


async def test_a_farm_that_an_old_head_shows_empty_is_asked_of_the_next_endpoint_or_waited_for(late: Late) -> None:
    farm = FarmId(late.world.ledger.read("Nodes", late.node)["farm_id"])
    both = SubstrateChain(late.world.client(late.behind, late.world.url))
    assert await both.farm_nodes(farm) == (late.node,)
    with pytest.raises(ChainUnavailable, match="too old"):
        await SubstrateChain(late.world.client(late.behind)).farm_nodes(farm)


async def test_a_list_by_an_old_head_takes_no_member_away(late: Late) -> None:
    farm = FarmId(late.world.ledger.read("Nodes", late.node)["farm_id"])
    proxy = await late.world.proxy()
    chain = SubstrateChain(late.world.client(proxy.url))
    assert await chain.farm_nodes(farm) == (late.node,)
    late.world.ledger.force_storage("NodesByFarmID", farm, [])
    late.world.ledger.best.time_ms -= HOUR_MS
    assert await chain.farm_nodes(farm) == (late.node,)


async def test_a_finalized_head_that_stands_still_at_one_endpoint_is_asked_of_the_next(late: Late) -> None:
    late.world.produce(10)
    chain = SubstrateChain(late.world.client(late.behind, late.world.url))
    late.world.ledger.force_storage("NodePower", late.node, StoredPower(None, "Down"))
    late.world.produce(10)
    power = (await chain.powers([late.node], HeadKind.FINALIZED)).powers[late.node]
    assert isinstance(power, NodePower)
    assert power.target is Power.DOWN


async def test_both_heads_are_asked_of_the_next_endpoint_where_the_first_one_stands_still(late: Late) -> None:
    late.world.produce(10)
    chain = SubstrateChain(late.world.client(late.behind, late.world.url))
    late.world.ledger.force_storage("NodePower", late.node, StoredPower(None, "Down"))
    late.world.produce(10)
    for reading in await chain.powers_at_heads([late.node]):
        power = reading.powers[late.node]
        assert isinstance(power, NodePower)
        assert power.target is Power.DOWN


async def test_a_healthy_read_stays_one_request(late: Late) -> None:
    proxy = await late.world.proxy()
    chain = SubstrateChain(late.world.client(proxy.url, late.behind))
    await chain.head(HeadKind.BEST)
    asked = len(proxy.asked)
    await chain.powers([late.node], HeadKind.BEST)
    assert len(proxy.asked) == asked + 1


async def test_a_twin_that_was_given_to_another_account_is_followed(late: Late) -> None:
    """Whose nonce counts is looked up again where it stands still."""
    ledger = late.world.ledger
    signs = SubstrateSignsOfLife(late.world.client(late.world.url), look_again_s=0)
    await signs.counters([late.node])
    twin = ledger.read("Nodes", late.node)["twin_id"]
    new = b"n" * 32
    ledger.force_storage("Twins", twin, {**ledger.read("Twins", twin), "account_id": new})
    ledger.force_storage("Nonce", new, 41)
    ledger.force_storage("Balance", new, 1)
    late.world.produce(10)
    await signs.counters([late.node])
    assert (await signs.counters([late.node])).of == {late.node: 41}
