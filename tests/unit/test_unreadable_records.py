"""A peer whose record can't be read stays a member of the farm, and is called by what was last read."""

from __future__ import annotations

import pytest

from app.domain.events import FaultCleared, PowerTargetChanged, WakeEnded
from app.domain.model import NodeId, Power
from app.domain.services.context.node_context import NodeContext
from app.domain.services.waking.farm_directory import FarmDirectory
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

PEER = NodeId(2)
KEY = "node-2-record"


async def test_it_stays_a_member_is_called_by_the_address_last_read_and_is_a_fault(farm: VirtualFarm) -> None:
    farm.put_to_sleep(2)
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        await farm.set_target(2, Power.UP)
        node.chain.broken_records.add(PEER)
        await farm.until(lambda: KEY in node.fault_keys, within_s=600)
        assert "cut off; it is woken by 02:00:00:01:00:02, the address that was last read" in node.fault(KEY).message
        await farm.clock.sleep(4000)
        sent = len(node.packets_to(2))
        await farm.clock.sleep(1000)
        assert len(node.packets_to(2)) > sent
        assert not node.recorded(WakeEnded)
        assert FaultCleared(KEY) not in node.recorded(FaultCleared)
        node.chain.broken_records.clear()
        await farm.until(lambda: KEY not in node.fault_keys, within_s=2400)


async def test_one_that_was_never_read_is_a_member_too_and_is_called_once_it_can_be_read(farm: VirtualFarm) -> None:
    farm.put_to_sleep(2)

    def tear(node: VirtualNode) -> None:
        node.chain.broken_records.add(PEER)

    async with farm.running(1, before=tear) as node:
        await farm.clock.sleep(10)
        assert "it can't be woken" in node.fault(KEY).message
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: "node-2-mac" in node.fault_keys, within_s=60)
        assert node.fault("node-2-mac").message == "node 2 can't be woken: its record on chain can't be read"
        node.chain.broken_records.clear()
        await farm.until(lambda: bool(node.packets_to(2)), within_s=400)
        await farm.until(lambda: not {KEY, "node-2-mac"} & node.fault_keys, within_s=10)


async def test_one_that_leaves_the_farm_is_no_fault_any_more(farm: VirtualFarm) -> None:
    def tear(node: VirtualNode) -> None:
        node.chain.broken_records.add(PEER)

    async with farm.running(1, before=tear) as node:
        await farm.until(lambda: KEY in node.fault_keys, within_s=60)
        farm.leave(2)
        await farm.until(lambda: KEY not in node.fault_keys, within_s=2400)


async def test_of_a_node_that_is_no_member_yet_the_farms_list_is_read_again(farm: VirtualFarm) -> None:
    members = farm.ledger.read("NodesByFarmID", farm.id)
    farm.ledger.force_storage("NodesByFarmID", farm.id, tuple(n for n in members if n != 2))
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.chain.broken_records.add(PEER)
        farm.ledger.force_storage("NodesByFarmID", farm.id, members)
        await node.deliver(PowerTargetChanged(farm.id, PEER, Power.UP))
        await farm.until(lambda: KEY in node.fault_keys, within_s=400)


async def test_where_each_record_costs_a_call_only_those_that_could_not_be_read_are_read_again(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        context: NodeContext = node.container.services().context
        directory = FarmDirectory(context, node.chain, refresh_s=60, nodes_at_once=2)
        await directory.peers()
        await directory.among([PEER])
        node.chain.broken_records.add(PEER)
        await directory.reread([PEER])
        assert directory.is_unreadable(PEER)
        await farm.clock.sleep(61)
        node.chain.records_unavailable = True
        assert PEER in await directory.peers()
        node.chain.broken_records.clear()
        node.chain.records_unavailable = False
        await farm.clock.sleep(61)
        await directory.peers()
        assert not directory.is_unreadable(PEER)
        assert directory.known(NodeId(3)) is None


async def test_a_members_record_that_is_not_answered_stays_as_it_was(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        context: NodeContext = node.container.services().context
        directory = FarmDirectory(context, node.chain)
        await directory.peers()
        known = directory.known(PEER)
        farm.ledger.force_storage("Nodes", 2, None)
        await directory.reread([PEER])
        assert directory.known(PEER) == known
