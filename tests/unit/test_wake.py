"""R7: waking peers, on an event and on a look at the chain, until the chain shows them awake."""

from __future__ import annotations

import itertools

import pytest

from app.domain.events import PowerTargetChanged, StayingUp, WakeBurstStarted, WakeEnded
from app.domain.model import Mac, NodeId, Power
from tests.rigs.virtual_farm import VirtualFarm

pytestmark = pytest.mark.anyio


async def test_many_requests_at_once_are_one_burst(farm: VirtualFarm) -> None:
    """A caller that got no answer in time, say, asks again."""
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        for _ in range(200):
            node.container.services().wakes.request(NodeId(2), "asked for")
            await farm.clock.sleep(0.01)
        await farm.clock.sleep(5)
        assert len(node.packets_to(2)) == 10
        node.container.services().wakes.request(NodeId(2), "asked for")
        await farm.clock.sleep(5)
        assert len(node.packets_to(2)) == 20


async def test_an_event_brings_one_burst_of_ten_packets_half_a_second_apart_the_first_at_once(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        said_at = farm.clock.monotonic()
        await farm.until(lambda: len(node.packets_to(2)) == 10, within_s=10)
        sent = node.packets_to(2)
    assert sent[0] - said_at < 0.1
    assert [round(b - a, 3) for a, b in itertools.pairwise(sent)] == [0.5] * 9


async def test_a_node_that_stays_asleep_is_called_again_and_again_until_the_chain_shows_it_up(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: len(node.recorded(WakeBurstStarted)) >= 4, within_s=400)
        await farm.report_state(2, Power.UP)
        await farm.until(lambda: bool(node.recorded(WakeEnded)), within_s=400)
        packets = len(node.packets_to(2))
        await farm.clock.sleep(1200)
        assert len(node.packets_to(2)) == packets
    assert node.recorded(WakeEnded)[0].outcome == "awake"


async def test_without_any_event_the_look_on_the_clock_finds_the_sleeper(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP, tell=[])
        await farm.until(lambda: bool(node.packets_to(2)), within_s=400)


async def test_another_event_for_a_wake_under_way_brings_another_burst_at_once(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: len(node.packets_to(2)) == 10)
        await farm.clock.sleep(1)
        await node.deliver(PowerTargetChanged(farm.id, NodeId(2), Power.UP))
        await farm.until(lambda: len(node.packets_to(2)) > 10, within_s=0.2)


async def test_duplicates_of_an_event_bring_no_storm(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        for _ in range(40):
            await node.deliver(PowerTargetChanged(farm.id, NodeId(2), Power.UP))
            await farm.clock.sleep(0.1)
        assert len(node.packets_to(2)) <= 10


async def test_an_event_about_a_node_that_is_wanted_down_wakes_no_node(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await node.deliver(PowerTargetChanged(farm.id, NodeId(2), Power.UP))
        await farm.clock.sleep(300)
        assert not node.packets_to(2)


async def test_a_wish_for_a_wake_under_way_brings_a_burst_at_once(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: len(node.packets_to(2)) == 10)
        await farm.clock.sleep(1)
        node.container.server().power_up(NodeId(2), "an operator asked")
        await farm.until(lambda: len(node.packets_to(2)) > 10, within_s=0.2)


async def test_a_target_that_turns_down_ends_the_wake(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)))
        await farm.set_target(2, Power.DOWN, tell=[])
        await farm.until(lambda: bool(node.recorded(WakeEnded)), within_s=60)
    assert node.recorded(WakeEnded)[0].outcome == "its target is Down"


async def test_a_dark_node_whose_state_says_up_gets_three_bursts_within_two_minutes(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.recorded(WakeEnded)), within_s=300)
    sent = node.packets_to(2)
    assert len(sent) == 30
    assert sent[-1] - sent[0] <= 120


async def test_twenty_sleepers_all_get_their_first_packet_at_once(big_farm: VirtualFarm) -> None:
    async with big_farm.running(1) as node:
        sleepers = range(2, 22)
        big_farm.put_all_to_sleep_but(1)
        await big_farm.set_targets(sleepers, Power.UP)
        said_at = big_farm.clock.monotonic()
        await big_farm.until(lambda: all(node.packets_to(n) for n in sleepers), within_s=10)
        assert max(node.packets_to(n)[0] for n in sleepers) - said_at < 0.1


async def test_a_chain_that_hangs_for_a_later_burst_delays_no_first_burst(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        farm.put_to_sleep(3)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)))
        node.chain.hang_batches_of(NodeId(2))
        await farm.clock.sleep(60)
        await farm.set_target(3, Power.UP)
        await farm.until(lambda: bool(node.packets_to(3)), within_s=1)


async def test_waking_goes_on_while_the_chain_cannot_be_asked(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)))
        node.chain.unavailable = True
        await farm.until(lambda: len(node.recorded(WakeBurstStarted)) >= 3, within_s=200)


async def test_after_the_deadline_a_fault_is_shown_and_slow_retries_go_on(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: "node-2-asleep" in node.fault_keys, within_s=2400)
        bursts = len(node.recorded(WakeBurstStarted))
        await farm.clock.sleep(1200)
        assert len(node.recorded(WakeBurstStarted)) > bursts
        await farm.report_state(2, Power.UP)
        await farm.until(lambda: "node-2-asleep" not in node.fault_keys, within_s=400)


async def test_a_node_without_usable_mac_is_a_fault_of_that_node_only(farm: VirtualFarm) -> None:
    farm.break_mac(2)
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        farm.put_to_sleep(3)
        await farm.set_targets([2, 3], Power.UP)
        await farm.until(lambda: bool(node.packets_to(3)), within_s=10)
        await farm.until(lambda: "node-2-mac" in node.fault_keys, within_s=60)


async def test_a_card_that_was_replaced_is_called_by_its_new_address(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)))
        new = Mac.parse("02:00:00:00:ff:02")
        farm.replace_mac(2, new)
        await farm.until(lambda: bool(farm.network.sent_to(new)), within_s=600)


async def test_packets_that_cannot_be_sent_are_a_fault_that_clears_itself(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        node.packets.failing = True
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: "magic-packets" in node.fault_keys, within_s=10)
        node.packets.failing = False
        await farm.until(lambda: bool(node.packets_to(2)), within_s=60)
        assert "magic-packets" not in node.fault_keys


async def test_an_interface_by_which_no_packet_leaves_is_a_fault_of_its_own_and_the_others_wake(
    farm: VirtualFarm,
) -> None:
    farm.put_to_sleep(2)
    async with farm.running(1) as node:
        node.packets.broken_interfaces = {"br1": "br1 is down", "br2": "br2 is down"}
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: {"magic-packets-br1", "magic-packets-br2"} <= set(node.fault_keys), within_s=10)
        assert node.recorded(WakeBurstStarted)
        assert "magic-packets" not in node.fault_keys
        assert node.fault("magic-packets-br1").message == "waking peers behind br1 does not work: br1 is down"
        del node.packets.broken_interfaces["br1"]
        await farm.until(lambda: "magic-packets-br1" not in node.fault_keys, within_s=120)
        assert "magic-packets-br2" in node.fault_keys
        node.packets.broken_interfaces.clear()
        await farm.until(lambda: "magic-packets-br2" not in node.fault_keys, within_s=120)


async def test_a_node_that_left_the_farm_is_not_called_any_more(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)))
        farm.leave(2)
        await farm.until(lambda: bool(node.recorded(WakeEnded)), within_s=2400)
    assert "left the farm" in node.recorded(WakeEnded)[0].outcome


class TestTheOwnPowerOff:
    async def test_an_unfinished_wake_defers_it_by_three_minutes_at_most(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            farm.put_to_sleep(2)
            await farm.set_targets([2], Power.UP)
            await farm.until(lambda: bool(node.packets_to(2)))
            await farm.set_target(1, Power.DOWN)
            asked_at = farm.clock.monotonic()
            await farm.until(lambda: bool(node.recorded(StayingUp)), within_s=60)
            await farm.clock.sleep(120)
            assert not node.host_power.orders
            await farm.until(lambda: node.dark, within_s=300)
            assert 180 <= farm.clock.monotonic() - asked_at <= 240

    async def test_it_goes_ahead_as_soon_as_the_peer_is_awake(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            farm.put_to_sleep(2)
            await farm.set_targets([2], Power.UP)
            await farm.until(lambda: bool(node.packets_to(2)))
            await farm.set_target(1, Power.DOWN)
            await farm.clock.sleep(20)
            await farm.report_state(2, Power.UP)
            await farm.until(lambda: node.dark, within_s=120)

    async def test_a_burst_in_flight_is_finished_first(self, farm: VirtualFarm) -> None:
        async with farm.running(1, settings={"wake.defer_power_off_s": 0.0}) as node:
            farm.put_to_sleep(2)
            farm.want_up(2)
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: "uptime" in node.steps, within_s=120, every_s=0.01)
            await farm.clock.sleep(4)
            await node.deliver(PowerTargetChanged(farm.id, NodeId(2), Power.UP))
            await farm.until(lambda: node.dark, within_s=120)
            assert len(node.packets_to(2)) in (20, 30), "no burst of ten was cut off"
