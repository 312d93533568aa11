"""Events behind a gateway of one worker, where each node is a call of seconds: each stands for itself (R7, R9)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.clock import VirtualClock
from app.domain.errors import ChainUnavailable
from app.domain.events import (
    EventsHandled,
    OperationFailed,
    PowerTargetChanged,
    ShutdownAborted,
    WakeBurstStarted,
    WakeEnded,
)
from app.domain.model import FarmId, HeadKind, Node, NodeId, Power, PowerReading, Unreadable
from app.domain.services.waking.farm_look import SYNC_FARM
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

CALL_S = 3.0
SETTINGS: dict[str, object] = {
    "chain.kind": "gateway",
    "power_management.reconcile_interval_s": 86400.0,
    "wake.first_wakers": 0,
}


class SlowGateway(SimulatedChain):
    """One call a node, one after the other; those in ``lost`` have no record that can be read."""

    worker: asyncio.Lock
    call_s = CALL_S
    lost: frozenset[int] = frozenset()
    silent_about: frozenset[int] = frozenset()
    elsewhere: frozenset[int] = frozenset()
    """Nodes of another farm."""
    unanswered = 0

    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        await self._calls(nodes)
        if self.silent_about.issuperset(nodes):
            raise ChainUnavailable("no answer")
        return await super().powers(nodes, kind)

    async def nodes(self, nodes: Collection[NodeId]) -> Mapping[NodeId, Node | Unreadable]:
        await self._calls(nodes)
        if not self.lost.isdisjoint(nodes):
            raise ChainUnavailable("its record can't be read")
        return {
            node: replace(record, farm=FarmId(99)) if node in self.elsewhere and isinstance(record, Node) else record
            for node, record in (await super().nodes(nodes)).items()
        }

    async def _calls(self, nodes: Collection[NodeId]) -> None:
        self.unanswered += len(nodes)
        try:
            for _ in nodes:
                async with self.worker:
                    await self._clock.sleep(self.call_s)
        finally:
            self.unanswered -= len(nodes)


def behind_a_slow_gateway(node: VirtualNode) -> None:
    node.chain.__class__ = SlowGateway
    gateway(node).worker = asyncio.Lock()
    node.chain.has_finality = node.chain.has_heads = False


def losing_two_and_three(node: VirtualNode) -> None:
    behind_a_slow_gateway(node)
    gateway(node).silent_about = frozenset({2, 3})


def gateway(node: VirtualNode) -> SlowGateway:
    assert isinstance(node.chain, SlowGateway)
    return node.chain


def bursts_of(node: VirtualNode, peer: int) -> int:
    return sum(each.node == peer for each in node.recorded(WakeBurstStarted))


@pytest.fixture
def eleven(clock: VirtualClock) -> VirtualFarm:
    return VirtualFarm(clock, nodes=11)


async def sleepers_wanted(farm: VirtualFarm, *nodes: int) -> None:
    for node in nodes:
        farm.put_to_sleep(node)
    await farm.set_targets(nodes, Power.UP, tell=[])


def up(farm: VirtualFarm, node: int) -> PowerTargetChanged:
    return PowerTargetChanged(farm.id, NodeId(node), Power.UP)


async def test_r7_packets_leave_for_the_first_while_the_others_are_read(eleven: VirtualFarm) -> None:
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(120)
        peers = range(2, 12)
        await sleepers_wanted(eleven, *peers)
        asked_at_s = eleven.clock.monotonic()
        await node.deliver(*(up(eleven, peer) for peer in peers))
        await eleven.until(lambda: bool(node.packets_to(2)), within_s=10)
        await eleven.until(lambda: all(node.packets_to(peer) for peer in peers), within_s=600)
        assert eleven.clock.monotonic() - asked_at_s > 10 * CALL_S, "each was a call"
        await eleven.until(lambda: not node.stream.pending, within_s=10)


async def test_r7_at_the_start_the_first_sleeper_is_called_before_the_whole_farm_was_read(eleven: VirtualFarm) -> None:
    peers = range(2, 12)
    await sleepers_wanted(eleven, *peers)
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.until(lambda: bool(node.packets_to(2)), within_s=100)
        first_at_s = eleven.clock.monotonic()
        await eleven.until(lambda: bool(node.packets_to(11)), within_s=600)
        assert eleven.clock.monotonic() - first_at_s > 5 * CALL_S, "those behind it were still to be read"


async def test_r7_the_next_burst_of_one_does_not_wait_until_all_were_read(eleven: VirtualFarm) -> None:
    peers = range(2, 12)
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(120)
        await sleepers_wanted(eleven, *peers)
        gateway(node).call_s = 0.0
        await node.deliver(*(up(eleven, peer) for peer in peers))
        await eleven.until(lambda: all(node.packets_to(peer) for peer in peers), within_s=10)
        gateway(node).call_s = 10.0  # by the end of the first call all are due

        def again() -> int:
            return sum(bursts_of(node, peer) > 1 for peer in peers)

        await eleven.until(lambda: again() >= 2, within_s=120)
        assert again() <= 4, "those behind them were still to be read"


async def test_r7_a_part_of_the_farm_that_can_not_be_read_spoils_no_other(eleven: VirtualFarm) -> None:
    await sleepers_wanted(eleven, *range(2, 12))
    async with eleven.running(1, before=losing_two_and_three, settings=SETTINGS) as node:
        await eleven.until(lambda: bool(node.packets_to(11)), within_s=600)


async def test_a_look_at_which_no_part_of_the_farm_answers_fails_and_is_tried_again(eleven: VirtualFarm) -> None:
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(120)
        gateway(node).silent_about = frozenset(range(2, 12))
        await sleepers_wanted(eleven, 5)
        node.container.services().farm_trigger.pull("test")
        await eleven.until(lambda: SYNC_FARM.doing in [told.doing for told in node.recorded(OperationFailed)])
        gateway(node).silent_about = frozenset()
        await eleven.until(lambda: bool(node.packets_to(5)), within_s=120)


async def test_r9_what_comes_while_a_batch_is_read_does_not_wait_for_the_own_node(eleven: VirtualFarm) -> None:
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(120)
        await sleepers_wanted(eleven, *range(2, 12))
        await eleven.set_target(1, Power.DOWN, tell=[])
        await node.deliver(*(up(eleven, peer) for peer in range(2, 12)))
        await node.deliver(PowerTargetChanged(eleven.id, NodeId(1), Power.DOWN))
        await eleven.until(lambda: bool(node.container.server().staying_up), within_s=40)
        assert not node.packets_to(11), "the own node is looked at before the last peer"


async def test_r9_a_node_that_can_not_be_read_delays_no_other(eleven: VirtualFarm) -> None:
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(120)
        await sleepers_wanted(eleven, 2, 3, 4)
        services = node.container.services()
        services.farm._members = (NodeId(3), NodeId(4))  # node 2 joined a moment ago
        gateway(node).lost = frozenset({2})
        await node.deliver(up(eleven, 2), up(eleven, 3))
        await eleven.until(lambda: bool(node.packets_to(3)), within_s=20)
        await eleven.clock.sleep(300)
        assert len(node.stream.pending) == 1, "the one that can't be read waits"
        assert len(node.recorded(OperationFailed)) < 30, "with growing pauses"
        await node.deliver(up(eleven, 4))
        await eleven.until(lambda: bool(node.packets_to(4)), within_s=3 * CALL_S)
        gateway(node).lost = frozenset()
        await eleven.until(lambda: bool(node.packets_to(2)), within_s=60)
        await eleven.until(lambda: not node.stream.pending, within_s=20)


async def test_r9_a_new_event_of_a_node_that_failed_takes_the_older_ones_along(eleven: VirtualFarm) -> None:
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(120)
        await sleepers_wanted(eleven, 2)
        node.container.services().farm._members = ()
        gateway(node).lost = frozenset({2})
        await node.deliver(up(eleven, 2))
        await eleven.clock.sleep(200)
        gateway(node).lost = frozenset()
        before = len(node.recorded(EventsHandled))
        await node.deliver(up(eleven, 2))
        await eleven.until(lambda: not node.stream.pending, within_s=5 * CALL_S)
        assert len(node.recorded(EventsHandled)) == before + 1


async def test_r9_an_event_of_a_node_that_does_not_exist_is_acknowledged(eleven: VirtualFarm) -> None:
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(120)
        await node.deliver(up(eleven, 404))
        await eleven.until(lambda: not node.stream.pending, within_s=3 * CALL_S)
        assert (node.recorded(WakeEnded), node.recorded(ShutdownAborted)) == ([], [])


async def test_events_before_their_blocks_are_looked_at_again_a_few_nodes_at_a_time(eleven: VirtualFarm) -> None:
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(200)
        asked: list[int] = []
        calls = gateway(node)._calls

        async def counted(nodes: Collection[NodeId]) -> None:
            asked.append(gateway(node).unanswered + len(nodes))
            await calls(nodes)

        gateway(node)._calls = counted  # type: ignore[method-assign]
        for peer in range(2, 12):
            eleven.put_to_sleep(peer)
        await node.deliver(*(PowerTargetChanged(eleven.id, NodeId(peer), Power.UP) for peer in range(2, 12)))
        await eleven.clock.sleep(400)
        assert len(asked) >= 40
        assert max(asked) <= 2


async def test_r7_the_power_of_a_peer_is_asked_while_its_record_is_read(eleven: VirtualFarm) -> None:
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(120)
        await sleepers_wanted(eleven, 2)
        await node.deliver(up(eleven, 2))
        await eleven.until(lambda: gateway(node).unanswered == 2, within_s=CALL_S / 2)
        await eleven.until(lambda: bool(node.packets_to(2)), within_s=2 * CALL_S)


async def test_r9_a_node_of_another_farm_is_not_woken_though_its_power_is_asked(eleven: VirtualFarm) -> None:
    async with eleven.running(1, before=behind_a_slow_gateway, settings=SETTINGS) as node:
        await eleven.clock.sleep(120)
        await sleepers_wanted(eleven, 2)
        gateway(node).elsewhere = frozenset({2})
        await node.deliver(up(eleven, 2))
        await eleven.until(lambda: gateway(node).unanswered == 2, within_s=CALL_S / 2)
        await eleven.until(lambda: not node.stream.pending, within_s=3 * CALL_S)
        await eleven.clock.sleep(60)
        assert (node.packets_to(2), gateway(node).unanswered) == ((), 0)
