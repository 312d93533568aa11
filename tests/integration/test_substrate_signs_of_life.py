"""Signs of life on a real connection: in batches, of the finalized head, and one broken record spoils no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.adapters.substrate.signs_of_life import SubstrateSignsOfLife
from app.domain.errors import ChainUnavailable
from app.domain.model import NodeId, Power
from tests.rigs.chain.in_process import ChainWorld, chain_world

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world() -> AsyncIterator[ChainWorld]:
    async with chain_world() as made:
        yield made


async def test_a_change_shows_once_it_is_final(world: ChainWorld) -> None:
    signs = SubstrateSignsOfLife(world.client())
    peer = NodeId(world.farm.node_ids[1])
    assert (await signs.counters([world.node, peer])).of == {world.node: 0, peer: 0}
    await world.chain().announce_power_state(Power.UP)
    world.produce()
    assert (await signs.counters([world.node, peer])).of == {world.node: 0, peer: 0}
    world.produce(world.ledger.finality_lag)
    assert (await signs.counters([world.node, peer])).of == {world.node: 1, peer: 0}


async def test_a_chain_whose_first_block_is_not_final_has_nothing_earlier(world: ChainWorld) -> None:
    signs = SubstrateSignsOfLife(world.client())
    assert await signs.earlier([world.node]) is None
    world.produce(1 + world.ledger.finality_lag)
    earlier = await signs.earlier([world.node])
    assert earlier is not None
    assert earlier.of == {world.node: 0}


async def test_a_thousand_nodes_are_one_storage_query_once_their_accounts_are_known(world: ChainWorld) -> None:
    record = world.ledger.read("Nodes", world.node)
    for node in range(101, 1101):
        world.ledger.force_storage("Nodes", node, {**record, "id": node})
    proxy = await world.proxy()
    signs = SubstrateSignsOfLife(world.client(proxy.url, timeout_s=20.0))
    many = [NodeId(node) for node in range(101, 1101)]
    assert len((await signs.counters(many)).of) == 1000
    assert proxy.methods().count("state_queryStorageAt") <= 5  # the first read brings the runtime along
    proxy.asked.clear()
    await signs.counters(many)
    assert proxy.methods().count("state_queryStorageAt") == 1


async def test_a_record_that_can_not_be_read_is_left_out_and_reported(
    world: ChainWorld, caplog: pytest.LogCaptureFixture
) -> None:
    record = world.ledger.read("Nodes", world.node)
    world.ledger.force_storage("Nodes", 77, {**record, "id": 77, "twin_id": 4_000_000})
    world.ledger.force_storage("Nodes", 78, {**record, "id": 78, "twin_id": 5000})
    proxy = await world.proxy()
    broken = SubstrateSignsOfLife(world.client(proxy.url))
    asked = [world.node, NodeId(77), NodeId(78)]

    def spoil(keys: list[str], block: str = world.ledger.best.hash) -> Any:
        # A key ends in what it is the key of.
        ends = {(5000).to_bytes(4, "little").hex(): "0x01"}
        found = [[key, ends.get(key[-8:]) or world.stored(key, block)] for key in keys]
        return [{"block": block, "changes": found}]

    proxy.answers["state_queryStorageAt"] = spoil
    assert set((await broken.counters(asked)).of) == {world.node}
    assert "the record of twin 5000 can't be read" in caplog.text


async def test_an_account_that_can_not_be_read_is_left_out_and_reported(
    world: ChainWorld, caplog: pytest.LogCaptureFixture
) -> None:
    proxy = await world.proxy()
    signs = SubstrateSignsOfLife(world.client(proxy.url))
    account = world.farm.nodes[0].public_key.hex()

    def spoil(keys: list[str], block: str = world.ledger.best.hash) -> Any:
        found = [[key, "0x01" if key.endswith(account) else world.stored(key, block)] for key in keys]
        return [{"block": block, "changes": found}]

    proxy.answers["state_queryStorageAt"] = spoil
    peer = NodeId(world.farm.node_ids[1])
    assert (await signs.counters([world.node, peer])).of == {peer: 0}
    assert f"the account of node {world.node} can't be read" in caplog.text


async def test_a_chain_that_is_away_is_unavailable(world: ChainWorld) -> None:
    with pytest.raises(ChainUnavailable):
        await SubstrateSignsOfLife(world.client("ws://127.0.0.1:9")).counters([world.node])
