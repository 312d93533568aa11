"""Following the chain's blocks: events in order, through pruning, upgrades, reorganisations and standstill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.adapters.substrate.blocks import SubstrateBlocks
from app.adapters.substrate.runtime import Runtime
from app.domain.errors import ChainUnavailable
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, Power, UptimeSample
from app.entrypoints.devchain.dev_runtime import SPEC_VERSION
from app.entrypoints.devchain.storage import prefix_of
from tests.rigs.chain.in_process import ChainWorld, chain_world, metadata, sample
from tests.rigs.scripted_node import Refusal, ScriptedNode

pytestmark = pytest.mark.anyio

PRUNED = Refusal(-32000, "Client error: UnknownBlock: State already discarded for 0x12")


@pytest.fixture
async def world() -> AsyncIterator[ChainWorld]:
    async with chain_world(block_time_s=0) as made:
        yield made


async def change(world: ChainWorld, *targets: Power) -> list[PowerTargetChanged]:
    """Blocks in which the farmer sets these targets, one after the other; their events."""
    farmer = world.targets()
    for target in targets:
        await farmer.set_power_target(world.node, target)
    return [PowerTargetChanged(FarmId(world.farm.id), world.node, target) for target in targets]


async def changes(blocks: SubstrateBlocks, first: int, last: int) -> list[PowerTargetChanged]:
    return [change for block in await blocks.blocks(first, last) for change in block.changes]


async def test_events_come_in_the_order_of_their_blocks(world: ChainWorld) -> None:
    expected = await change(world, Power.DOWN, Power.UP, Power.DOWN)
    await world.chain().report_uptime(sample)
    assert await changes(SubstrateBlocks(world.client()), 0, 4) == expected


async def test_many_blocks_take_two_rounds_of_requests(world: ChainWorld) -> None:
    await change(world, Power.DOWN)
    world.produce(100)
    proxy = await world.proxy()
    blocks = SubstrateBlocks(world.client(proxy.url))
    await blocks.blocks(1, 1)
    proxy.asked.clear()
    assert len(await blocks.blocks(1, 64)) == 64
    assert proxy.methods().count("chain_getBlockHash") == 64
    assert proxy.methods().count("state_queryStorageAt") == 64
    assert len(proxy.asked) == 3 * 64


async def test_a_head_that_comes_from_a_reorganisation_is_another_head(world: ChainWorld) -> None:
    await change(world, Power.DOWN, Power.UP)
    world.ledger.hold_finality = True
    world.produce(3)
    blocks = SubstrateBlocks(world.client())
    before = await blocks.next_head(None)
    world.ledger.reorganise(2)
    world.produce()
    after = await blocks.next_head(before)
    assert after.number == before.number - 1
    (block,) = await blocks.blocks(after.number, after.number)
    assert block.ref == after


async def test_a_head_that_stands_still_is_unavailable(world: ChainWorld) -> None:
    head = await SubstrateBlocks(world.client()).next_head(None)
    with pytest.raises(ChainUnavailable, match=r"no new block for 0\.3 s"):
        await SubstrateBlocks(world.client(), head_timeout_s=0.3).next_head(head)


async def test_a_head_is_found_though_the_connection_breaks_while_it_is_waited_for(world: ChainWorld) -> None:
    proxy = await world.proxy()
    blocks = SubstrateBlocks(world.client(proxy.url))
    head = await blocks.next_head(None)
    waiting = asyncio.ensure_future(blocks.next_head(head))
    while proxy.methods().count("chain_subscribeNewHeads") < 2:  # noqa: ASYNC110 - the proxy has no event to await
        await asyncio.sleep(0.005)
    proxy.hang_up()
    world.produce()
    assert (await waiting).number == head.number + 1


async def test_waiting_for_a_head_leaves_no_subscription_behind(world: ChainWorld) -> None:
    proxy = await world.proxy()
    blocks = SubstrateBlocks(world.client(proxy.url))
    head = await blocks.next_head(None)
    waiting = asyncio.ensure_future(blocks.next_head(head))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await blocks.blocks(0, 0)
    begun, ended = (proxy.methods().count(f"chain_{word}NewHeads") for word in ("subscribe", "unsubscribe"))
    assert begun == ended


def prune(node: ScriptedNode, *hashes: str) -> None:
    """From now on this node has no state of these blocks (and, for simplicity, of no other either)."""
    node.answers["state_queryStorageAt"] = lambda keys, block: (
        PRUNED if block in hashes else [{"block": block, "changes": []}]
    )


async def test_a_pruned_block_is_said_to_be_unreadable_and_spoils_no_other(world: ChainWorld) -> None:
    await change(world, Power.DOWN, Power.UP)
    proxy = await world.proxy()
    pruned = world.ledger.block(1)
    assert pruned is not None
    prune(proxy, pruned.hash)
    blocks = await SubstrateBlocks(world.client(proxy.url)).blocks(0, 2)
    assert [bool(block.unreadable) for block in blocks] == [False, True, False]
    assert "State already discarded" in blocks[1].unreadable
    assert blocks[2].parent_hash == blocks[1].ref.hash


async def test_a_block_that_another_endpoint_still_has_is_read_there(world: ChainWorld) -> None:
    expected = await change(world, Power.DOWN)
    proxy = await world.proxy()
    prune(proxy, world.ledger.best.hash)
    blocks = SubstrateBlocks(world.client(proxy.url, world.url))
    assert await changes(blocks, 1, 1) == expected
    assert not (await blocks.blocks(1, 1))[0].unreadable


async def test_events_that_can_not_be_read_make_their_block_unreadable(world: ChainWorld) -> None:
    await change(world, Power.DOWN)
    proxy = await world.proxy()

    def torn(keys: list[str], block: str) -> Any:
        """Two events are announced, and one and a half come; the bytes of ours are among them."""
        return [{"block": block, "changes": [[keys[0], "0x08" + "191d" * 7]]}]

    proxy.answers["state_queryStorageAt"] = torn
    (block,) = await SubstrateBlocks(world.client(proxy.url)).blocks(1, 1)
    assert "events can't be read" in block.unreadable
    assert block.changes == ()


async def test_blocks_around_an_upgrade_are_read_each_by_the_runtime_that_executed_it(world: ChainWorld) -> None:
    expected = await change(world, Power.DOWN, Power.UP, Power.DOWN)
    proxy = await world.proxy()
    hashes = [block.hash for number in range(4) if (block := world.ledger.block(number))]
    upgrade_key = prefix_of("System", "LastRuntimeUpgrade").hex()

    def version(block_hash: str) -> Any:
        """The code in the state: block 2 brings the new one, and block 3 is executed by it."""
        return {"specVersion": SPEC_VERSION + (block_hash in hashes[2:]), "transactionVersion": 2}

    def values(keys: list[str], block_hash: str) -> Any:
        executed_by = SPEC_VERSION + (block_hash in hashes[3:])
        upgraded = f"0x{(executed_by << 2 | 1).to_bytes(2, 'little').hex()}0478"
        stored = {key: upgraded if key[2:] == upgrade_key else world.stored(key, block_hash) for key in keys}
        return [{"block": block_hash, "changes": list(stored.items())}]

    proxy.answers |= {"state_getRuntimeVersion": version, "state_queryStorageAt": values}
    blocks = SubstrateBlocks(world.client(proxy.url))
    assert await changes(blocks, 1, 3) == expected
    metadata_of = [params for method, params in proxy.asked if method == "state_getMetadata"]
    assert metadata_of[-2:] == [[hashes[1]], [hashes[3]]], "block 2 by the code in block 1, block 3 by its own"


async def test_bytes_that_look_like_our_event_are_none(world: ChainWorld) -> None:
    tag = Runtime(SPEC_VERSION, metadata(), "0x00").event_tag("TfgridModule", "PowerTargetChanged")
    assert tag is not None
    look_alike = int.from_bytes(tag * 4, "little")
    await world.chain().report_uptime(lambda: UptimeSample(look_alike, sample().taken_at_s))
    (block,) = await SubstrateBlocks(world.client()).blocks(1, 1)
    assert block.changes == ()
    assert not block.unreadable
