"""What endpoints do wrong between powerd and any chain, such as the one that POWERD_TEST_CHAIN_URL names.

Blocks may take seconds there, and others may make extrinsics too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.adapters.substrate.blocks import SubstrateBlocks
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.domain.errors import ChainUnavailable, ExtrinsicRefused
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, HeadKind, Inclusion, NodeId, NodePower, Power
from tests.rigs.chain.external import ON_THE_CHAIN
from tests.rigs.chain.in_process import ChainAt, chain_anywhere, sample
from tests.rigs.scripted_node import Refusal

pytestmark = [pytest.mark.anyio, *ON_THE_CHAIN]

DEAD = "ws://127.0.0.1:9"
WATCH = "author_submitAndWatchExtrinsic"


@pytest.fixture
async def world() -> AsyncIterator[ChainAt]:
    async with chain_anywhere() as made:
        yield made


async def power(chain: SubstrateChain, node: NodeId) -> NodePower:
    found = (await chain.powers([node], HeadKind.BEST)).powers[node]
    assert isinstance(found, NodePower)
    return found


async def test_an_endpoint_that_is_away_gives_way_to_the_next(world: ChainAt) -> None:
    chain = world.chain(DEAD, world.url)
    assert await chain.head(HeadKind.BEST) is not None
    assert isinstance(await chain.report_uptime(sample), Inclusion)


async def test_an_extrinsic_is_followed_up_elsewhere_when_its_endpoint_breaks_after_taking_it(world: ChainAt) -> None:
    proxy = await world.proxy()
    proxy.drop_after.add(WATCH)
    chain = world.chain(proxy.url, world.url, inclusion_timeout_s=60)
    down = await chain.set_power_state(Power.DOWN)
    assert (await power(chain, world.node)).state.since_block == down.block_number
    proxy.drop_after.clear()
    await chain.set_power_state(Power.UP)
    assert (await power(chain, world.node)).state.power is Power.UP


async def test_a_refusal_of_the_pool_has_its_reason(world: ChainAt) -> None:
    proxy = await world.proxy()
    proxy.answers[WATCH] = Refusal(1010, "Invalid Transaction", "Inability to pay some fees")
    with pytest.raises(ExtrinsicRefused) as caught:
        await world.chain(proxy.url).report_uptime(sample)
    assert caught.value.reason == "payment"


async def test_a_stale_nonce_is_refused_by_the_chain_itself(world: ChainAt) -> None:
    await world.chain().report_uptime(sample)
    proxy = await world.proxy()
    proxy.answers["system_accountNextIndex"] = 0
    with pytest.raises(ExtrinsicRefused) as caught:
        await world.chain(proxy.url).report_uptime(sample)
    assert caught.value.reason == "stale"


async def test_events_are_found_in_their_blocks_and_in_their_order(world: ChainAt) -> None:
    farmer = SubstratePowerTargets(world.client(), seed=world.farm.farmer.seed)
    included = [await farmer.set_power_target(world.peer, target) for target in (Power.DOWN, Power.UP)]
    first, last = (each.block_number for each in included)
    assert first is not None
    assert last is not None
    blocks = await SubstrateBlocks(world.client()).blocks(first, last)
    told = [change.target for block in blocks for change in block.changes if change.node == world.peer]
    assert told == [Power.DOWN, Power.UP]
    assert PowerTargetChanged(FarmId(world.farm.id), world.peer, Power.UP) in blocks[-1].changes


async def test_a_thousand_nodes_take_no_more_requests_than_one(world: ChainAt) -> None:
    proxy = await world.proxy()
    chain = world.chain(proxy.url, timeout_s=20)
    await chain.powers([world.node], HeadKind.BEST)
    proxy.asked.clear()
    await chain.powers([NodeId(number) for number in range(1, 1001)], HeadKind.BEST)
    assert proxy.methods() == ["state_queryStorageAt"]


async def test_a_chain_that_is_away_altogether_is_unavailable(world: ChainAt) -> None:
    with pytest.raises(ChainUnavailable):
        await world.chain(DEAD).powers([world.node], HeadKind.BEST)
