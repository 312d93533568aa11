"""R1 to R4 and R11: the node keeps its state on chain true, whichever events arrive or are lost."""

from __future__ import annotations

import asyncio

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.host_power import Order
from app.domain.commands import Nothing
from app.domain.errors import ChainUnavailable, EventsUnavailable
from app.domain.events import PowerStateSet, PowerTargetChanged, Reconciled, StayingUp
from app.domain.model import Hold, NodeId, Power
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio


async def test_r4_target_up_and_state_up_writes_nothing(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(1000)
    assert not node.recorded(PowerStateSet)


async def test_r4_target_up_and_state_down_sets_the_state_up(farm: VirtualFarm) -> None:
    farm.put_to_sleep(1)
    await farm.set_target(1, Power.UP)
    async with farm.running(1):
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)


async def test_r2_a_lost_event_costs_only_time(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        await farm.set_target(1, Power.DOWN, tell=[])
        await farm.until(lambda: node.dark, within_s=400)


async def test_r2_a_reconnect_to_the_event_bus_looks_at_the_chain(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.events.unavailable = True
        await farm.clock.sleep(20)
        await farm.set_target(1, Power.DOWN, tell=[])
        node.events.unavailable = False
        await farm.until(lambda: node.dark, within_s=120)


async def test_r1_a_forged_event_powers_no_node_off(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        for _ in range(5):
            await node.deliver(PowerTargetChanged(farm.id, NodeId(1), Power.DOWN))
        await farm.clock.sleep(600)
        assert not node.host_power.orders
        assert not node.recorded(PowerStateSet)


async def test_r4_triggers_that_come_meanwhile_become_one_more_look(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.chain.latency_s = 0.5
        before = node.chain.reads
        for _ in range(200):
            await node.deliver(PowerTargetChanged(farm.id, NodeId(1), Power.DOWN))
            await farm.clock.sleep(0.01)
        await farm.clock.sleep(5)
        assert node.chain.reads - before < 30


async def test_r6_a_target_not_yet_final_waits_for_the_next_finalized_head(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        farm.ledger.hold_finality = True
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(30)
        assert not node.steps
        farm.ledger.hold_finality = False
        await farm.until(lambda: node.dark, within_s=60)


async def test_r6_a_hold_keeps_the_node_up_until_it_is_lifted(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.holds.place(Hold("backup", "nightly copy", None))
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(400)
        assert not node.steps
        assert "held by backup: nightly copy" in [told.reason for told in node.recorded(StayingUp)]
        node.holds.lift("backup")
        await farm.until(lambda: node.dark, within_s=60)


async def test_r6_holds_that_cannot_be_read_keep_the_node_up(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.holds.unreadable = True
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(400)
        assert not node.steps


async def test_r6_finality_that_stands_still_for_long_is_looked_at_on_the_clock_too(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        farm.ledger.hold_finality = True
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(30)
        node.chain.unavailable = True
        await farm.clock.sleep(10)
        node.chain.unavailable = False
        await farm.clock.sleep(400)
        assert "itself: clock" in [told.trigger for told in node.recorded(Reconciled)]
        assert not node.steps


async def test_r3_an_answer_that_is_neither_up_nor_down_is_no_ground_to_write(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.chain.broken.add(NodeId(1))
        with pytest.raises(ChainUnavailable, match="broken"):
            await node.container.server().set_node_power_state(up=False)


async def test_a_farm_of_one_has_no_node_to_wake(clock: VirtualClock) -> None:
    farm = VirtualFarm(clock, nodes=1)
    async with farm.running(1) as node:
        await farm.clock.sleep(1000)
        assert not farm.network.sent
        assert [told for told in node.recorded(Reconciled) if told.trigger.startswith("the farm")]


async def test_r6_a_chain_that_cannot_be_read_powers_no_node_off(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        await farm.set_target(1, Power.DOWN, tell=[])
        node.chain.unavailable = True
        await farm.clock.sleep(1000)
        assert not node.host_power.orders
        node.chain.unavailable = False
        await farm.until(lambda: node.dark, within_s=200)


class TestNotEnabled:
    """R11: always Up, never off; everything else goes on."""

    @staticmethod
    def without_card(node: VirtualNode) -> None:
        node.nic.missing = True

    async def test_r11_never_powers_off_and_says_why(self, farm: VirtualFarm) -> None:
        async with farm.running(1, before=self.without_card) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.clock.sleep(1000)
            assert not node.host_power.orders
            assert "power-management" in node.fault_keys

    async def test_r11_a_state_down_is_set_up(self, farm: VirtualFarm) -> None:
        farm.put_to_sleep(1)
        async with farm.running(1, before=self.without_card):
            await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)

    async def test_r3_setting_the_state_down_sets_it_up(self, farm: VirtualFarm) -> None:
        async with farm.running(1, before=self.without_card) as node:
            await farm.clock.sleep(10)
            await node.container.server().set_node_power_state(up=False)
            assert farm.state(1) is Power.UP

    async def test_r11_peers_are_still_woken(self, farm: VirtualFarm) -> None:
        async with farm.running(1, before=self.without_card) as node:
            farm.put_to_sleep(2)
            await farm.set_target(2, Power.UP)
            await farm.until(lambda: bool(node.packets_to(2)), within_s=10)

    async def test_a_card_that_appears_later_enables_it(self, farm: VirtualFarm) -> None:
        async with farm.running(1, before=self.without_card) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.clock.sleep(100)
            node.nic.missing = False
            await farm.until(lambda: node.dark, within_s=500)

    async def test_a_host_that_cannot_power_off_is_not_enabled_until_it_can(self, farm: VirtualFarm) -> None:
        def without_init_system(node: VirtualNode) -> None:
            node.host_power.unable = "there is no init system"

        async with farm.running(1, before=without_init_system) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: "power-management" in node.fault_keys)
            assert node.fault("power-management").message == "this node will not power off: there is no init system"
            await farm.clock.sleep(1000)
            assert not node.host_power.orders
            assert farm.state(1) is Power.UP
            node.host_power.unable = ""
            await farm.until(lambda: node.dark, within_s=500)
            assert "power-management" not in node.fault_keys

    async def test_the_operator_can_switch_it_off(self, farm: VirtualFarm) -> None:
        async with farm.running(1, settings={"power_management.enabled": False}) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.clock.sleep(1000)
            assert not node.host_power.orders


async def test_r3_two_downs_are_equal_though_they_carry_other_blocks(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: node.container.services().management.enabled)
        server = node.container.server()
        await server.set_node_power_state(up=False)
        await server.set_node_power_state(up=False)
        assert len(node.recorded(PowerStateSet)) == 1


async def test_an_extrinsic_of_unknown_fate_is_outbid_by_the_next(farm: VirtualFarm) -> None:
    """Our Down got lost on the way, and lands after we decided to stay up: the state still ends Up."""
    async with farm.running(1) as node:
        node.chain.lose_sight_of_next = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "say down" in node.steps, within_s=60)
        await farm.set_target(1, Power.UP)
        await farm.clock.sleep(400)
        assert farm.state(1) is Power.UP
        assert Order.POWER_OFF not in node.host_power.orders


async def test_power_up_wakes_a_node_on_request(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.container.server().power_up(NodeId(2), "an operator asked")
        await farm.until(lambda: bool(node.packets_to(2)), within_s=1)


async def test_one_event_by_hand_is_handled_like_one_from_the_stream(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP, tell=[])
        await node.container.server().event(PowerTargetChanged(farm.id, NodeId(2), Power.UP))
        await farm.until(lambda: bool(node.packets_to(2)), within_s=1)


async def test_one_event_by_hand_that_can_not_be_handled_raises(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.chain.unavailable = True
        with pytest.raises(ChainUnavailable):
            await node.container.server().event(PowerTargetChanged(farm.id, NodeId(2), Power.UP))


async def test_recv_reads_the_stream_by_itself_too(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        with pytest.raises((TimeoutError, EventsUnavailable)):
            async with farm.clock.timeout(5.0):
                await node.container.server().recv()


async def test_a_card_that_was_never_found_is_not_left_armed(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        management = node.container.services().management
        management._nic = None
        await management.leaving()
        assert not node.nic.leaves


async def test_one_look_by_hand_says_what_was_decided(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        assert await node.container.server().sync_self() == Nothing()


async def test_a_shutdown_by_hand_goes_through_the_same_steps(farm: VirtualFarm) -> None:
    async with farm.running(1, settings={"power_management.reconcile_interval_s": 86400.0}) as node:
        await farm.clock.sleep(120)
        await farm.set_target(1, Power.DOWN, tell=[])
        server = node.container.server()
        await farm.clock.sleep(60)
        by_hand = asyncio.create_task(server.shutdown(await node.container.services().observer.observe()))
        await farm.until(lambda: node.dark, within_s=120)
        by_hand.cancel()
    assert node.steps[0] == "arm"
    assert node.host_power.orders == [Order.POWER_OFF]
