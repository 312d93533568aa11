"""Defects of the reference (the Go program), by name. powerd must have none of them.

Those that live in Redis itself (reconnecting, trimmed entries, leaking connections) are in
``tests/integration/test_redis_faults.py``; the card's are in ``tests/contracts/test_nic.py``.
"""

from __future__ import annotations

import pytest

from app.adapters.simulated.host_power import Obedience
from app.domain.events import Malformed, PowerTargetChanged, UptimeReported, WakeBurstStarted
from app.domain.model import NodeId, Power
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio


async def test_acknowledges_before_handling(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.chain.unavailable = True
        await node.deliver(PowerTargetChanged(farm.id, NodeId(2), Power.UP))
        await farm.clock.sleep(30)
        assert len(node.stream.pending) == 1


async def test_powers_off_on_a_replayed_old_event(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await node.deliver(PowerTargetChanged(farm.id, NodeId(1), Power.DOWN), age_s=86_400)
        await farm.clock.sleep(1000)
        assert not node.host_power.orders
        assert farm.state(1) is Power.UP


async def test_wakes_are_serial_five_seconds_each(big_farm: VirtualFarm) -> None:
    async with big_farm.running(1) as node:
        big_farm.put_all_to_sleep_but(1)
        await big_farm.set_targets(range(2, 22), Power.UP)
        await big_farm.until(lambda: len(node.recorded(WakeBurstStarted)) == 20, within_s=1)


async def test_wakes_delay_its_own_shutdown_for_as_long_as_they_last(big_farm: VirtualFarm) -> None:
    async with big_farm.running(1) as node:
        for sleeper in range(2, 22):
            big_farm.put_to_sleep(sleeper)
        await big_farm.set_targets([*range(2, 22)], Power.UP)
        await big_farm.set_target(1, Power.DOWN)
        await big_farm.until(lambda: node.dark, within_s=240)


async def test_one_bad_event_restarts_the_loop(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP, tell=[])
        await node.deliver(Malformed("garbage"), PowerTargetChanged(farm.id, NodeId(2), Power.UP))
        await farm.until(lambda: bool(node.packets_to(2)), within_s=1)


async def test_a_power_answer_with_neither_flag_set_powers_the_node_off(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.chain.broken.add(NodeId(1))
        await node.deliver(PowerTargetChanged(farm.id, NodeId(1), Power.DOWN))
        await farm.clock.sleep(1000)
        assert not node.host_power.orders


async def test_no_resync_on_a_clock(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        await farm.set_target(1, Power.DOWN, tell=[])
        await farm.until(lambda: node.dark, within_s=400)


async def test_never_reconnects_after_a_killed_connection(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.events.drop_connection()
        await farm.clock.sleep(5)
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)), within_s=10)


async def test_unhealthy_counts_as_reported(farm: VirtualFarm) -> None:
    def unhealthy(node: VirtualNode) -> None:
        node.facts.problems = ("readonly-cache",)

    async with farm.running(1, before=unhealthy) as node:
        await farm.clock.sleep(30)
        node.facts.problems = ()
        await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=90)


async def test_a_hung_uptime_call_blocks_shutdown_with_state_down_on_chain(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        node.chain.hang_uptime = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=240)


async def test_a_failed_shutdown_leaves_down_on_chain(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.host_power.mode = node.host_power.force_mode = Obedience.REFUSES
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: len(node.host_power.orders) == 3, within_s=300)
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)


async def test_will_not_start_unless_the_bridge_has_exactly_one_card(farm: VirtualFarm) -> None:
    def two_cards(node: VirtualNode) -> None:
        node.nic.several = True

    async with farm.running(1, before=two_cards) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)), within_s=10)
        assert "power-management" in node.fault_keys
