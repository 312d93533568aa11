"""What every `Chain`, `PowerTargets`, `ChainBlocks` and `Identity` does.

On the simulated chain in virtual time, on a real one over WebSocket (`tests.rigs.chain.external`
says which), and on that one behind Zero-OS' api-gateway, which tells neither blocks nor finality.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.errors import ExtrinsicFailed
from app.domain.events import PowerTargetChanged
from app.domain.model import (
    Head,
    HeadKind,
    Inclusion,
    Mac,
    Node,
    NodeIdentity,
    NodePower,
    Power,
    PowerState,
    UptimeSample,
)
from app.ports.chain import Chain
from app.ports.chain_blocks import ChainBlocks
from app.ports.identity import Identity
from app.ports.power_targets import PowerTargets
from tests.rigs.chain.behind_ports import NO_FARM, NO_NODE, Rig, World, simulated_rig, substrate_rig, zbus_rig
from tests.rigs.chain.external import ON_THE_CHAIN

pytestmark = ON_THE_CHAIN


@pytest.fixture(scope="module", params=[simulated_rig, substrate_rig, zbus_rig], ids=["simulated", "substrate", "zbus"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with request.param() as made:
        yield made


async def power_of(world: World, node: Any) -> NodePower:
    reading = await world.chain.powers([node], HeadKind.BEST)
    power = reading.powers[node]
    assert isinstance(power, NodePower)
    return power


def test_the_adapters_have_the_shape_of_their_ports(rig: Rig) -> None:
    async def test(world: World) -> None:
        assert isinstance(world.chain, Chain)
        assert isinstance(world.targets, PowerTargets)
        assert isinstance(world.blocks, ChainBlocks)
        assert isinstance(world.identity, Identity)

    rig(test)


@pytest.mark.parametrize("kind", list(HeadKind))
def test_a_head_has_number_hash_and_time_of_its_block(rig: Rig, kind: HeadKind) -> None:
    async def test(world: World) -> None:
        await world.chain.report_uptime(world.sample)
        head = await world.chain.head(kind)
        assert isinstance(head, Head)
        assert head.kind is kind
        assert head.hash.startswith("0x") or not world.has_heads
        assert (head.number is not None) is world.has_heads
        assert abs(head.off_by_s(world.now_s())) < 120

    rig(test)


def test_r13_the_state_after_an_earlier_block_is_read_or_reported_as_unknown(rig: Rig) -> None:
    async def test(world: World) -> None:
        await world.targets.set_power_target(world.node, Power.DOWN)
        down = await world.chain.set_power_state(Power.DOWN)
        await world.targets.set_power_target(world.node, Power.UP)
        await world.chain.set_power_state(Power.UP)
        assert (await power_of(world, world.node)).state.power is Power.UP
        blocks = [down] if down.block_number is None else [down, Inclusion("", down.block_number)]
        for block in blocks:
            reading = await world.chain.power_in(world.node, block)
            if not world.has_heads:
                assert reading is None
                continue
            assert reading is not None
            assert (reading.head.number, reading.head.hash) == (down.block_number, down.block_hash)
            assert reading.power == NodePower(PowerState(Power.DOWN, down.block_number), Power.DOWN)
            assert reading.target_at_down is Power.DOWN
        assert await world.chain.power_in(world.node, Inclusion("", 4_000_000_000)) is None

    rig(test)


def test_the_best_head_is_never_behind_the_finalized_one(rig: Rig) -> None:
    async def test(world: World) -> None:
        final = await world.chain.head(HeadKind.FINALIZED)
        best = await world.chain.head(HeadKind.BEST)
        assert final is not None
        assert best is not None
        assert final.time_s <= best.time_s
        if not world.has_heads:
            return
        assert final.number is not None
        assert best.number is not None
        assert final.number <= best.number

    rig(test)


def test_powers_of_many_nodes_come_from_one_block(rig: Rig) -> None:
    async def test(world: World) -> None:
        reading = await world.chain.powers([world.node, world.peer, NO_NODE], HeadKind.BEST)
        assert set(reading.powers) == {world.node, world.peer, NO_NODE}
        assert (reading.head is not None) is world.has_heads
        assert reading.head is None or reading.head.kind is HeadKind.BEST

    rig(test)


def test_the_heads_are_read_together_and_the_best_one_last(rig: Rig) -> None:
    async def test(world: World) -> None:
        await world.chain.set_power_state(Power.UP)
        before = await world.chain.head(HeadKind.BEST)
        final, best = await world.chain.powers_at_heads([world.node, NO_NODE])
        assert set(best.powers) == {world.node, NO_NODE}
        assert (final is not None) is world.has_heads
        if final is None:
            return
        assert set(final.powers) == {world.node, NO_NODE}
        assert before is not None
        assert final.head is not None
        assert best.head is not None
        assert (final.head.kind, best.head.kind) == (HeadKind.FINALIZED, HeadKind.BEST)
        assert None not in (before.number, final.head.number, best.head.number)
        assert (final.head.number or 0) <= (best.head.number or 0)
        assert (before.number or 0) <= (best.head.number or 0)

    rig(test)


def test_a_node_without_an_entry_is_up_and_wanted_up(rig: Rig) -> None:
    async def test(world: World) -> None:
        assert await power_of(world, NO_NODE) == NodePower(PowerState(Power.UP), Power.UP)

    rig(test)


def test_powers_of_no_node_still_tell_the_head(rig: Rig) -> None:
    async def test(world: World) -> None:
        reading = await world.chain.powers([], HeadKind.FINALIZED)
        assert reading.powers == {}
        assert (reading.head is not None) is world.has_heads

    rig(test)


def test_records_tell_farm_and_address_and_leave_out_nodes_that_do_not_exist(rig: Rig) -> None:
    async def test(world: World) -> None:
        found = await world.chain.nodes([world.peer, NO_NODE])
        assert list(found) == [world.peer]
        peer = found[world.peer]
        assert isinstance(peer, Node)
        assert (peer.id, peer.farm) == (world.peer, world.farm)
        assert isinstance(peer.mac, Mac) or peer.mac_problem

    rig(test)


def test_a_farm_lists_its_nodes_in_order(rig: Rig) -> None:
    async def test(world: World) -> None:
        members = await world.chain.farm_nodes(world.farm)
        assert {world.node, world.peer} <= set(members)
        assert list(members) == sorted(members)
        assert await world.chain.farm_nodes(NO_FARM) == ()

    rig(test)


def test_a_state_that_was_set_is_on_the_chain_since_the_block_that_included_it(rig: Rig) -> None:
    async def test(world: World) -> None:
        down = await world.chain.set_power_state(Power.DOWN)
        assert (down.block_number is not None) is world.has_heads
        state = (await power_of(world, world.node)).state
        assert state == PowerState(Power.DOWN, down.block_number if world.has_heads else state.since_block)
        assert state.since_block is not None
        up = await world.chain.set_power_state(Power.UP)
        assert (await power_of(world, world.node)).state == PowerState(Power.UP)
        assert down.block_hash != up.block_hash

    rig(test)


def test_an_announced_state_comes_without_having_been_waited_for(rig: Rig) -> None:
    async def test(world: World) -> None:
        await world.chain.set_power_state(Power.DOWN)
        head = await world.blocks.next_head(None)
        await world.chain.announce_power_state(Power.UP)
        while (await power_of(world, world.node)).state.power is Power.DOWN:
            head = await world.blocks.next_head(head)

    rig(test)


def test_uptime_is_sampled_once_for_each_report(rig: Rig) -> None:
    async def test(world: World) -> None:
        samples: list[UptimeSample] = []

        def sample() -> UptimeSample:
            samples.append(world.sample())
            return samples[-1]

        inclusion = await world.chain.report_uptime(sample)
        assert inclusion.block_hash.startswith("0x")
        assert len(samples) == 1

    rig(test)


def test_uptime_with_a_clock_far_off_fails_by_name(rig: Rig) -> None:
    async def test(world: World) -> None:
        stale = UptimeSample(3600, int(world.now_s()) - 1200)
        with pytest.raises(ExtrinsicFailed) as caught:
            await world.chain.report_uptime(lambda: stale)
        assert caught.value.error == "InvalidTimestampHint"

    rig(test)


def test_a_target_that_was_set_is_on_the_chain_and_in_the_events_of_its_block(rig: Rig) -> None:
    async def test(world: World) -> None:
        for target in (Power.DOWN, Power.UP):
            inclusion = await world.targets.set_power_target(world.peer, target)
            assert (await power_of(world, world.peer)).target is target
            number = inclusion.block_number
            assert number is not None
            (block,) = await world.blocks.blocks(number, number)
            assert block.ref.hash == inclusion.block_hash
            assert PowerTargetChanged(world.farm, world.peer, target) in block.changes

    rig(test)


def test_a_target_that_is_not_set_by_the_farmer_fails_by_name(rig: Rig) -> None:
    async def test(world: World) -> None:
        with pytest.raises(ExtrinsicFailed) as caught:
            await world.intruder.set_power_target(world.peer, Power.DOWN)
        assert caught.value.error == "UnauthorizedToChangePowerTarget"

    rig(test)


def test_a_target_of_a_node_that_does_not_exist_fails_by_name(rig: Rig) -> None:
    async def test(world: World) -> None:
        with pytest.raises(ExtrinsicFailed) as caught:
            await world.targets.set_power_target(NO_NODE, Power.DOWN)
        assert caught.value.error == "NodeNotExists"

    rig(test)


def test_targets_of_many_nodes_are_set_and_the_one_that_fails_is_named(rig: Rig) -> None:
    async def test(world: World) -> None:
        nodes = [world.peer, NO_NODE, world.node]
        outcomes = {node: outcome async for node, outcome in world.targets.set_power_targets(nodes, Power.UP)}
        assert set(outcomes) == set(nodes)
        failure = outcomes[NO_NODE]
        assert isinstance(failure, ExtrinsicFailed)
        assert failure.error == "NodeNotExists"
        assert isinstance(outcomes[world.peer], Inclusion)
        assert isinstance(outcomes[world.node], Inclusion)

    rig(test)


def test_the_next_head_is_there_at_once_when_it_is_another(rig: Rig) -> None:
    async def test(world: World) -> None:
        before = await world.blocks.next_head(None)
        await world.chain.report_uptime(world.sample)
        after = await world.blocks.next_head(before)
        assert after.number > before.number

    rig(test)


def test_the_next_head_is_waited_for(rig: Rig) -> None:
    async def test(world: World) -> None:
        head = await world.blocks.next_head(None)
        waiting = asyncio.ensure_future(world.blocks.next_head(head))
        await world.chain.report_uptime(world.sample)
        assert (await waiting).number > head.number

    rig(test)


def test_blocks_come_in_order_each_on_top_of_the_one_before(rig: Rig) -> None:
    async def test(world: World) -> None:
        for _ in range(2):
            await world.chain.report_uptime(world.sample)
        head = await world.blocks.next_head(None)
        blocks = await world.blocks.blocks(head.number - 2, head.number)
        assert [block.ref.number for block in blocks] == [head.number - 2, head.number - 1, head.number]
        assert blocks[1].parent_hash == blocks[0].ref.hash
        assert blocks[2].parent_hash == blocks[1].ref.hash
        assert not any(block.unreadable for block in blocks)

    rig(test)


def test_blocks_beyond_the_head_are_left_out(rig: Rig) -> None:
    async def test(world: World) -> None:
        head = await world.blocks.next_head(None)
        beyond = await world.blocks.blocks(head.number, head.number + 1000)
        assert beyond[0].ref.number == head.number
        assert len(beyond) < 1000
        assert await world.blocks.blocks(head.number + 10_000, head.number + 10_001) == []

    rig(test)


def test_a_node_learns_its_ids(rig: Rig) -> None:
    async def test(world: World) -> None:
        identity = await world.identity.identify()
        record = (await world.chain.nodes([world.node]))[world.node]
        assert isinstance(record, Node)
        assert identity == NodeIdentity(record.id, record.farm, record.twin)

    rig(test)
