"""R5 and R14: the card is armed and read back, or the node stays up."""

from __future__ import annotations

import pytest

from app.adapters.simulated.host_power import Obedience
from app.domain.events import PowerStateSet, ShutdownAborted
from app.domain.model import Power
from tests.rigs.virtual_farm import VirtualFarm

pytestmark = pytest.mark.anyio


async def test_a_card_that_forgets_arming_aborts_before_anything_is_written(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: node.container.services().management.enabled)
        node.nic.wake_modes.clear()
        node.nic.forgets_arming = True
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(120)
        assert farm.state(1) is Power.UP
        assert not node.host_power.orders
        assert any("will not power off" in fault.message for fault in node.faults.shown)


async def test_a_card_that_cannot_be_armed_any_more_aborts_before_anything_is_written(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: node.container.services().management.enabled)
        node.nic.cannot_arm = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=60)
        assert node.recorded(ShutdownAborted)[0].step == "arm"
        assert not node.recorded(PowerStateSet)
        assert "power-management" in node.fault_keys


async def test_a_card_that_is_disarmed_in_the_middle_is_armed_again_before_the_power_off(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "uptime" in node.steps, within_s=120, every_s=0.01)
        node.nic.wake_modes.clear()
        await farm.until(lambda: node.dark, within_s=120)
        assert "g" in node.nic.wake_modes


async def test_r14_what_runs_after_powerd_may_arm_the_card_again_only_in_a_power_off_of_powerds(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        node.host_power.mode = node.host_power.force_mode = Obedience.REFUSES
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.host_power.orders), within_s=120, every_s=0.01)
        assert node.nic.leaves
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=1000)
        await farm.until(lambda: not node.nic.leaves, within_s=1)
        node.host_power.mode = Obedience.OBEYS
        await farm.until(lambda: node.dark and node.nic.leaves, within_s=2000)


async def test_r14_a_daemon_that_is_stopped_before_its_order_leaves_no_card_to_others(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=120, every_s=0.01)
        node.nic.leaves = True
        await node.stop()
        assert not node.nic.leaves


async def test_a_card_that_is_disarmed_while_the_host_outlives_an_order_is_armed_again_before_the_next(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        node.host_power.mode = Obedience.IGNORES
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.host_power.orders), within_s=120, every_s=0.01)
        node.nic.wake_modes.clear()
        node.host_power.mode = Obedience.OBEYS
        await farm.until(lambda: node.dark, within_s=2000)
        assert "g" in node.nic.wake_modes


async def test_no_other_order_is_given_once_the_card_can_not_be_armed_any_more(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.host_power.mode = Obedience.IGNORES
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.host_power.orders), within_s=120, every_s=0.01)
        node.nic.cannot_arm = True
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=2000)
        assert len(node.host_power.orders) == 1
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)
        assert "power-management" in node.fault_keys
