"""R14: a node sleeps only if the address in its record on chain is one that its card listens to."""

from __future__ import annotations

import pytest

from app.adapters.simulated.farm_setup import mac_of
from app.domain.events import OperationFailed, PowerStateSet, ShutdownAborted
from app.domain.model import FarmId, Mac, Nic, Node, NodeId, Power, TwinId, Unreadable
from app.domain.rules.address import address_objection
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

ME = NodeId(1)
IN_USE, BURNT_IN, ANOTHER = (Mac.parse(f"02:00:00:00:00:0{n}") for n in (1, 2, 3))
CARD = Nic("eth0", IN_USE, BURNT_IN)


def record(mac: Mac | None, problem: str = "") -> Node:
    return Node(ME, FarmId(1), TwinId(2), mac, problem)


class TestTheAddressOnChain:
    @pytest.mark.parametrize("mac", [IN_USE, BURNT_IN])
    def test_r14_may_be_the_cards_address_in_use_or_the_one_burnt_in(self, mac: Mac) -> None:
        assert address_objection(ME, record(mac), [CARD]) == ""

    def test_r14_may_be_that_of_any_card_of_several(self) -> None:
        assert address_objection(ME, record(ANOTHER), [CARD, Nic("eth1", ANOTHER)]) == ""

    def test_r14_of_another_is_named_beside_those_of_the_card(self) -> None:
        said = address_objection(ME, record(ANOTHER), [CARD, Nic("eth1", Mac.parse("02:00:00:00:00:04"))])
        assert said.startswith(
            "other nodes would call node 1 by 02:00:00:00:00:03, which is its address on chain, and eth0 has "
            "02:00:00:00:00:01 and 02:00:00:00:00:02, eth1 has 02:00:00:00:00:04; "
        )
        assert "nic.bridge" in said

    @pytest.mark.parametrize(
        ("found", "says"),
        [
            (None, "the chain has no record of node 1"),
            (Unreadable("3 bytes left"), "no other node can call node 1: 3 bytes left"),
            (record(None, "it has no interface named 'zos'"), "no other node can call node 1: it has no interface"),
        ],
    )
    def test_r14_that_is_none_says_why(self, found: Node | Unreadable | None, says: str) -> None:
        said = address_objection(ME, found, [CARD])
        assert said.startswith(says)
        assert "register its network cards again" in said


def fault(node: VirtualNode) -> str:
    return node.fault("power-management").message if "power-management" in node.fault_keys else ""


async def test_r14_with_another_mac_on_chain_it_stays_up_and_names_both_until_the_record_is_right(
    farm: VirtualFarm,
) -> None:
    farm.replace_mac(1, ANOTHER)
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(fault(node)), within_s=60)
        assert f"by {ANOTHER}, which is its address on chain, and eth0 has {mac_of(1, 1)}" in fault(node)
        await farm.clock.sleep(1000)
        assert not node.steps
        farm.replace_mac(1, mac_of(1, 1))
        await farm.until(lambda: node.dark, within_s=500)
        assert not fault(node)


@pytest.mark.parametrize("how", ["no address", "cut off"])
async def test_r14_a_record_that_names_no_address_keeps_it_up_and_a_state_down_is_set_up(
    farm: VirtualFarm, how: str
) -> None:
    farm.put_to_sleep(1)

    def spoil(node: VirtualNode) -> None:
        if how == "cut off":
            node.chain.broken_records.add(ME)
        else:
            farm.break_mac(1)

    async with farm.running(1, before=spoil) as node:
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)
        assert how in fault(node)
        await farm.clock.sleep(1000)
        assert not node.steps


async def test_r14_a_card_that_was_replaced_is_noticed_though_the_record_fitted_a_moment_ago(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: node.container.services().management.enabled)
        node.nic.nic = Nic("eth0", ANOTHER)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: str(ANOTHER) in fault(node), within_s=60)
        assert not node.steps


async def test_r14_a_record_that_changed_after_the_last_look_ends_the_shutdown_before_anything_is_written(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: node.container.services().management.enabled)
        farm.replace_mac(1, ANOTHER)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=60)
        assert node.recorded(ShutdownAborted)[0].step == "arm"
        assert not node.recorded(PowerStateSet)
        assert str(ANOTHER) in fault(node)


async def test_r14_a_record_that_cannot_be_read_before_down_ends_the_shutdown_before_anything_is_written(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: node.container.services().management.enabled)
        node.chain.records_unavailable = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=60)
        assert node.recorded(ShutdownAborted)[0].step == "arm"
        assert not node.recorded(PowerStateSet)


async def test_r14_a_record_that_changes_in_the_middle_ends_the_shutdown_before_the_power_off(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=60, every_s=0.01)
        farm.replace_mac(1, ANOTHER)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=120)
        assert node.recorded(ShutdownAborted)[0].step == "target"
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)
        assert not node.host_power.orders


async def test_r13_a_record_that_cannot_be_read_once_down_is_on_chain_ends_no_shutdown(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=60, every_s=0.01)
        node.chain.records_unavailable = True
        await farm.until(lambda: node.dark, within_s=120)
        assert "reading this node's record" in [failed.doing for failed in node.recorded(OperationFailed)]


async def test_r14_a_chain_that_does_not_tell_the_record_is_doubt_and_no_fault(farm: VirtualFarm) -> None:
    def away(node: VirtualNode) -> None:
        node.chain.records_unavailable = True

    async with farm.running(1, before=away) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(1000)
        assert "the address of this machine's card is not known" in node.container.server().staying_up
        assert not node.steps
        assert not fault(node)
        node.chain.records_unavailable = False
        await farm.until(lambda: node.dark, within_s=500)


async def test_a_record_that_fits_is_not_read_at_every_look(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: node.container.services().management.enabled)
        read: list[object] = []
        nodes_of = node.chain.nodes

        async def counted(nodes: object) -> object:
            read.append(nodes)
            return await nodes_of(nodes)  # type: ignore[arg-type]

        node.chain.nodes = counted  # type: ignore[method-assign, assignment]
        for _ in range(30):
            await node.container.services().management.check()
            await farm.clock.sleep(2)
        await farm.clock.sleep(900)
        assert [ME] not in read, "nor at every round"
        await farm.clock.sleep(900)
        assert [ME] in read
