"""What was asked before an event is older than it, however late the answer comes; a hold placed meanwhile counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.node_powers import node_power_of
from app.adapters.simulated.pallet import StoredPower
from app.domain.errors import ChainUnavailable
from app.domain.events import WakeEnded
from app.domain.model import FarmId, HeadKind, Hold, Node, NodeId, Power, PowerReading, Unreadable
from app.domain.rules.wake_rank import order
from app.domain.services.context.node_context import NodeContext
from app.domain.services.waking.farm_directory import FarmDirectory
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

SLEEPER = NodeId(2)
DOWN = node_power_of(StoredPower(0, "Down"))
ASLEEP = node_power_of(StoredPower(0, "Up"))


def answers_late(node: VirtualNode, farm: VirtualFarm, by_s: float) -> asyncio.Event:
    """The next answer about the sleeper is this late: what it says was read before. Tells when it is asked."""
    powers = node.chain.powers
    asked = asyncio.Event()

    async def late(nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        reading = await powers(nodes, kind)
        if SLEEPER in nodes and not asked.is_set():
            asked.set()
            await farm.clock.sleep(by_s)
        return reading

    node.chain.powers = late  # type: ignore[method-assign]
    return asked


async def test_a_look_at_the_farm_that_began_before_the_event_does_not_end_its_wake(farm: VirtualFarm) -> None:
    farm.put_to_sleep(SLEEPER)
    async with farm.running(1) as node:
        await farm.clock.sleep(30)
        asked = answers_late(node, farm, 8.0)
        node.container.services().farm_trigger.pull("a test")
        await asked.wait()
        await farm.set_target(SLEEPER, Power.UP)
        await farm.clock.sleep(60)
        assert not node.recorded(WakeEnded)
        assert len(node.packets_to(SLEEPER)) >= 30


async def test_nor_does_it_end_a_wake_because_the_node_was_no_member_then(farm: VirtualFarm) -> None:
    farm.put_to_sleep(SLEEPER)
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.container.services().farm.known(SLEEPER)))
        wakes = node.container.services().wakes
        asked_at_s = farm.clock.monotonic()
        await farm.clock.sleep(1)
        wakes.on_event({SLEEPER: ASLEEP})
        wakes.on_look_at_all({}, asked_at_s=asked_at_s)
        assert [wake.node for wake in wakes.wakes] == [SLEEPER]
        wakes.on_look_at_all({}, asked_at_s=farm.clock.monotonic())
        assert not wakes.wakes


async def test_an_answer_to_a_wake_that_fell_due_before_the_event_does_not_end_it(farm: VirtualFarm) -> None:
    farm.put_to_sleep(SLEEPER)
    farm.want_up(SLEEPER)
    async with farm.running(1) as node:
        await farm.until(lambda: len(node.packets_to(SLEEPER)) == 10)
        farm.put_to_sleep(SLEEPER)
        asked = answers_late(node, farm, 8.0)
        await asked.wait()
        await farm.set_target(SLEEPER, Power.UP)
        await farm.clock.sleep(60)
        assert not node.recorded(WakeEnded)


@asynccontextmanager
async def held_back(farm: VirtualFarm) -> AsyncIterator[VirtualNode]:
    """A node that leaves the sleeper to others for now."""
    farm.put_to_sleep(SLEEPER)
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.container.services().farm.known(SLEEPER)))
        wakes = node.container.services().wakes
        wakes.on_event({SLEEPER: ASLEEP})
        assert any(wake.deferred for wake in wakes.wakes), "node 1 is among the first to call it: take another one"
        yield node


async def test_an_old_down_that_waits_to_be_acted_on_is_dropped_by_a_newer_up(big_farm: VirtualFarm) -> None:
    async with held_back(big_farm) as node:
        wakes = node.container.services().wakes
        await big_farm.clock.sleep(1)
        wakes.on_look({SLEEPER: DOWN}, asked_at_s=big_farm.clock.monotonic())
        wakes.on_event({SLEEPER: ASLEEP})
        await big_farm.clock.sleep(1)
        assert [wake.node for wake in wakes.wakes] == [SLEEPER]


async def test_a_call_that_an_operator_asked_for_is_not_put_off_by_an_event(big_farm: VirtualFarm) -> None:
    async with held_back(big_farm) as node:
        wakes = node.container.services().wakes
        wakes.request(SLEEPER, "an operator")
        wakes.on_event({SLEEPER: ASLEEP})
        await big_farm.clock.sleep(1)
        assert node.packets_to(SLEEPER)


def context(node: VirtualNode) -> NodeContext:
    of_node: NodeContext = node.container.services().context
    return of_node


@pytest.mark.parametrize("nodes_at_once", [None, 2])
async def test_a_list_that_was_asked_for_before_a_node_joined_does_not_remove_it(
    farm: VirtualFarm, *, nodes_at_once: int | None
) -> None:
    async with farm.running(1) as node:
        directory = FarmDirectory(context(node), node.chain, nodes_at_once=nodes_at_once)
        farm_nodes, clock = node.chain.farm_nodes, farm.clock
        asked = asyncio.Event()

        async def late(farm: FarmId) -> tuple[NodeId, ...]:
            before = tuple(member for member in await farm_nodes(farm) if member != SLEEPER)
            asked.set()
            await clock.sleep(8.0)
            return before

        node.chain.farm_nodes = late  # type: ignore[method-assign]
        listing = asyncio.create_task(directory.peers())
        await asked.wait()
        assert list(await directory.among([SLEEPER])) == [SLEEPER]
        assert SLEEPER in await listing
        assert SLEEPER in await directory.peers()
        assert directory.known(SLEEPER)


async def test_nor_does_one_whose_records_were_asked_for_before(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        directory = FarmDirectory(context(node), node.chain)
        farm_nodes, records_of, clock = node.chain.farm_nodes, node.chain.nodes, farm.clock
        asked = asyncio.Event()

        async def before(farm: FarmId) -> tuple[NodeId, ...]:
            return tuple(member for member in await farm_nodes(farm) if member != SLEEPER)

        async def late(nodes: Collection[NodeId]) -> Mapping[NodeId, Node | Unreadable]:
            records = await records_of(nodes)
            if SLEEPER not in nodes:
                asked.set()
                await clock.sleep(8.0)
            return records

        node.chain.farm_nodes = before  # type: ignore[method-assign]
        node.chain.nodes = late  # type: ignore[method-assign]
        listing = asyncio.create_task(directory.peers())
        await asked.wait()
        await directory.among([SLEEPER])
        assert SLEEPER in await listing
        assert directory.known(SLEEPER)


async def test_a_peer_whose_record_cannot_be_decoded_stays_a_peer_with_the_record_last_read(farm: VirtualFarm) -> None:
    """R6: a record that can't be read is not one that is gone."""
    async with farm.running(1) as node:
        directory = FarmDirectory(context(node), node.chain, refresh_s=60)
        await directory.peers()
        record = directory.known(SLEEPER)
        assert record
        node.chain.broken_records = {SLEEPER}
        await directory.reread([SLEEPER])
        assert directory.known(SLEEPER) == record
        await farm.clock.sleep(61)
        assert SLEEPER in await directory.peers()
        assert directory.known(SLEEPER) == record


async def test_a_peer_whose_record_never_could_be_decoded_is_a_peer_without_an_address(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        directory = FarmDirectory(context(node), node.chain)
        node.chain.broken_records = {SLEEPER}
        assert SLEEPER in await directory.peers()
        assert SLEEPER in await directory.among([SLEEPER])
        assert directory.known(SLEEPER) is None


async def test_a_hold_placed_while_the_chain_is_read_is_seen(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(30)
        powers = node.chain.powers

        async def slow(nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
            if kind is HeadKind.BEST:
                node.holds.place(Hold("backup", "copies", None))
            return await powers(nodes, kind)

        node.chain.powers = slow  # type: ignore[method-assign]
        seen = await node.container.services().observer.observe()
        assert [hold.holder for hold in seen.holds] == ["backup"]


async def test_a_member_whose_record_alone_can_not_be_read_keeps_no_other_from_being_woken(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        directory = node.container.services().farm
        await directory.peers()
        directory._nodes.pop(NodeId(3))

        async def broken(nodes: Collection[NodeId]) -> dict[NodeId, Node]:
            raise ChainUnavailable(f"the gateway can't tell the records of {nodes}")

        node.chain.nodes = broken  # type: ignore[method-assign]
        assert list(await directory.among([NodeId(2), NodeId(3)])) == [2, 3]
        with pytest.raises(ChainUnavailable):
            await directory.among([NodeId(2), NodeId(99)])


async def test_no_call_that_was_left_to_others_waits_for_two_reads(clock: VirtualClock) -> None:
    """The second falls due while the chain is asked, slowly, about the first: it is called when that is over."""
    farm = VirtualFarm(clock, nodes=31)
    first, second = NodeId(31), NodeId(30)
    wakers = [NodeId(node) for node in range(1, 30)]
    last = next(n for n in wakers if min(order(each, wakers).index(n) for each in (first, second)) >= 6)
    for sleeper in (first, second):
        farm.put_to_sleep(sleeper)
    async with farm.running(last) as node:
        await clock.sleep(10)
        await farm.set_target(first, Power.UP)
        await clock.sleep(0.5)
        await farm.set_target(second, Power.UP)
        told_at_s = clock.monotonic()
        await clock.sleep(200)
        node.chain.latency_s = 19.0
        await farm.until(lambda: bool(node.packets_to(second)), within_s=400)
        assert node.packets_to(second)[0] - told_at_s <= 260
