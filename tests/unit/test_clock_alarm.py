"""The clock's alarm (opt-in): a node that no other can wake comes back, and none sleeps without it."""

from __future__ import annotations

import pytest
from dependency_injector import providers

from app.adapters.simulated.host_power import Obedience
from app.adapters.simulated.rtc_alarm import SimulatedRtcAlarm
from app.domain.errors import RtcUnusable
from app.domain.events import AlarmLeft, OperationFailed, PowerStateSet, ShutdownAborted, UptimeReported
from app.domain.model import Power
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

ON: dict[str, object] = {"rtc_alarm.enabled": True}


async def test_it_is_armed_23_hours_ahead_before_the_power_off(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
        due_in_s = await node.hardware.rtc.due_in_s()
        assert due_in_s is not None
        assert due_in_s == pytest.approx(82_800, abs=30)


async def test_it_is_left_alone_unless_the_operator_asks_for_it(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.hardware.rtc.due_at_s = anothers = farm.clock.now() + 7
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
        assert node.hardware.rtc.due_at_s == anothers


async def test_it_is_cleared_when_the_daemon_starts(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON, before=armed) as node:
        await farm.until(lambda: node.hardware.rtc.due_at_s is None, within_s=1)


async def test_another_programs_alarm_is_not_cleared_when_the_daemon_starts(farm: VirtualFarm) -> None:
    def by_another(node: VirtualNode) -> None:
        node.hardware.rtc.due_at_s = 2e9

    async with farm.running(1, settings=ON, before=by_another) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        assert node.hardware.rtc.due_at_s == 2e9


async def test_an_earlier_alarm_of_another_program_is_left_and_reported(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        node.hardware.rtc.due_at_s = anothers = farm.clock.now() + 3600
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
        assert node.hardware.rtc.due_at_s == anothers
        assert node.recorded(AlarmLeft)
        assert "rtc-alarm" not in node.fault_keys


async def test_a_later_alarm_of_another_program_comes_back_after_the_sleep(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        node.hardware.rtc.due_at_s = anothers = farm.clock.now() + 100_000
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
        assert await node.hardware.rtc.due_in_s() == pytest.approx(82_800, abs=30)
    await farm.clock.sleep(82_800)
    farm.finalize()
    async with farm.running(1, settings=ON) as node:
        await farm.until(lambda: node.hardware.rtc.due_at_s == anothers, within_s=1)


async def test_an_alarm_of_another_program_that_is_near_keeps_the_node_up_until_it_is_over(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        node.hardware.rtc.due_at_s = farm.clock.now() + 400
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(300)
        assert "is due within 10 min; powerd waits until it is over" in node.fault("rtc-alarm").message
        assert not node.recorded(PowerStateSet)
        await farm.until(lambda: node.dark, within_s=400)
        assert "rtc-alarm" not in node.fault_keys
        assert await node.hardware.rtc.due_in_s() == pytest.approx(82_800, abs=30)


async def test_a_clock_that_cannot_be_cleared_is_reported_and_nothing_else_fails(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON, before=missing) as node:
        await farm.until(lambda: bool(node.recorded(OperationFailed)), within_s=1)
        assert node.recorded(OperationFailed)[0].doing == "clearing the clock's alarm"


async def test_a_clock_without_an_alarm_means_not_enabled(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON, before=missing) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(1000)
        assert not node.steps
        assert farm.state(1) is Power.UP
        assert "the simulated clock has no alarm" in node.fault("power-management").message
        node.hardware.rtc.missing = False
        await farm.until(lambda: node.dark, within_s=500)


@pytest.mark.parametrize("how", ["refuses", "forgets", "sets_another_time"])
async def test_an_alarm_that_does_not_take_aborts_before_anything_is_written_and_is_a_fault(
    farm: VirtualFarm, how: str
) -> None:
    async with farm.running(1, settings=ON) as node:
        await farm.until(lambda: node.container.services().management.enabled)
        setattr(node.hardware.rtc, how, True)
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(300)
        assert node.recorded(ShutdownAborted)[0].step == "arm"
        assert not node.recorded(PowerStateSet)
        assert node.hardware.rtc.due_at_s is None
        assert node.fault("rtc-alarm").message.startswith("this node will not power off: ")
        setattr(node.hardware.rtc, how, False)
        await farm.until(lambda: node.dark, within_s=200)
        assert "rtc-alarm" not in node.fault_keys


async def test_an_alarm_that_is_lost_in_the_middle_is_noticed_before_the_power_off(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "uptime" in node.steps, within_s=120, every_s=0.01)
        node.hardware.rtc.forgets = True
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=60)
        assert "reads back as none" in node.recorded(ShutdownAborted)[0].reason
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)
        assert not node.host_power.orders


async def test_a_shutdown_that_is_aborted_clears_it(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=120, every_s=0.01)
        assert node.hardware.rtc.due_at_s is not None
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: node.hardware.rtc.due_at_s is None, within_s=60)


@pytest.mark.parametrize("step", ["say down", "final"])
async def test_a_daemon_that_is_stopped_in_the_middle_clears_it(farm: VirtualFarm, step: str) -> None:
    async with farm.running(1, settings=ON) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: step in node.steps, within_s=120, every_s=0.001)
        await node.stop()
        assert node.hardware.rtc.due_at_s is None


async def test_a_stop_after_the_power_off_order_leaves_it_armed(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        node.host_power.mode = Obedience.IGNORES
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.host_power.orders), within_s=120)
        await node.stop()
        assert node.hardware.rtc.due_at_s is not None


class HangingRtcAlarm(SimulatedRtcAlarm):
    """Its driver takes a minute, on request."""

    hangs = ""

    async def arm(self, ahead_s: int) -> None:
        await super().arm(ahead_s)
        if self.hangs == "arm":
            await self._clock.sleep(60)

    async def clear(self) -> None:
        if self.hangs == "clear":
            await self._clock.sleep(60)
        await super().clear()


async def test_a_daemon_that_is_stopped_while_it_sets_the_alarm_clears_it(farm: VirtualFarm) -> None:
    rtc = HangingRtcAlarm(farm.clock)
    async with farm.running(1, settings=ON, before=lambda node: with_clock(node, rtc)) as node:
        rtc.hangs = "arm"
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: rtc.due_at_s is not None, within_s=120)
        await node.stop()
        assert rtc.due_at_s is None
        assert not node.recorded(PowerStateSet)


async def test_a_clock_that_hangs_does_not_hold_up_the_stop(farm: VirtualFarm) -> None:
    rtc = HangingRtcAlarm(farm.clock)
    async with farm.running(1, settings=ON, before=lambda node: with_clock(node, rtc)) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=120, every_s=0.001)
        rtc.hangs = "clear"
        asked_at = farm.clock.monotonic()
        await node.stop()
        assert farm.clock.monotonic() - asked_at < 4.5


async def test_a_clock_that_hangs_when_the_daemon_starts_is_reported_and_delays_nothing(farm: VirtualFarm) -> None:
    rtc = HangingRtcAlarm(farm.clock)
    rtc.hangs = "clear"
    async with farm.running(1, settings=ON, before=lambda node: with_clock(node, rtc)) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        assert "no answer within 0.5 s" in [told.error for told in node.recorded(OperationFailed)]


async def test_a_wake_up_by_the_alarm_is_no_boot_loop(farm: VirtualFarm) -> None:
    farm.put_to_sleep(1)
    farm.finalize()
    for _ in range(5):
        async with farm.running(1, settings=ON) as node:
            await farm.until(lambda node=node: node.dark, within_s=120)  # type: ignore[misc]
            due_in_s = await node.hardware.rtc.due_in_s()
        await farm.clock.sleep(due_in_s or 0)
        farm.finalize()


async def test_the_fake_refuses_whatever_is_asked_of_a_missing_clock(farm: VirtualFarm) -> None:
    rtc = SimulatedRtcAlarm(farm.clock)
    rtc.missing = True
    for ask in (rtc.clear, rtc.mine):
        with pytest.raises(RtcUnusable):
            await ask()


def armed(node: VirtualNode) -> None:
    """By powerd, before the last sleep."""
    node.hardware.rtc.due_at_s = node.hardware.rtc.own_at_s = 2e9


def missing(node: VirtualNode) -> None:
    node.hardware.rtc.missing = True


def with_clock(node: VirtualNode, rtc: SimulatedRtcAlarm) -> None:
    node.container.rtc_alarm.override(providers.Object(rtc))
