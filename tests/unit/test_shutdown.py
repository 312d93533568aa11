"""R5: the shutdown sequence, step by step, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from app.adapters.simulated.host_power import Order
from app.domain.events import PowerStateSet, ShutdownAborted, ShutdownStep, UptimeReported
from app.domain.model import Hold, Power
from app.domain.rules.proved_wake import WakeRecord
from tests.rigs.virtual_farm import VirtualFarm

pytestmark = pytest.mark.anyio

STEPS = ["arm", "say down", "final", "uptime", "target", "power off"]


async def test_target_down_takes_the_node_down_in_the_order_of_the_steps(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
    assert [step.step for step in node.recorded(ShutdownStep)] == STEPS
    assert node.host_power.orders == [Order.POWER_OFF]
    assert farm.state(1) is Power.DOWN


async def test_the_last_uptime_report_follows_the_state_down_and_precedes_the_power_off(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: len(node.recorded(UptimeReported)) == 1)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
    kinds = [type(h).__name__ for h in node.telemetry.recorded]
    down = max(i for i, h in enumerate(node.telemetry.recorded) if isinstance(h, PowerStateSet))
    assert kinds.index("PowerOffOrdered") > kinds.index("UptimeReported", down) > down


async def test_r13_the_window_of_the_last_sleep_is_closed_before_down_though_a_fork_undid_the_boots_report(
    farm: VirtualFarm,
) -> None:
    reports: list[tuple[int, str]] = []
    farm.ledger.listen(lambda block: reports.extend((block.number, event.name) for event in block.events))
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        farm.ledger.reorganise(1, lose=True)
        reports.clear()
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
    names = [name for _, name in reports if name in ("NodeUptimeReported", "PowerStateChanged")]
    assert names == ["NodeUptimeReported", "PowerStateChanged", "NodeUptimeReported"]


async def test_a_node_that_reported_twice_says_down_without_another_report(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: len(node.recorded(UptimeReported)) == 2, within_s=1300)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
    assert len(node.recorded(UptimeReported)) == 3


@pytest.mark.parametrize(
    ("step", "ordered", "aborted_at"),
    [
        ("arm", [], "arm"),
        ("say down", [Order.REBOOT], "final"),
        ("final", [Order.REBOOT], "final"),
        ("uptime", [Order.REBOOT], "target"),
    ],
)
async def test_a_target_that_turns_up_at_any_step_ends_the_sequence(
    farm: VirtualFarm, step: str, ordered: list[Order], aborted_at: str
) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: step in [s.step for s in node.recorded(ShutdownStep)], within_s=120, every_s=0.001)
        await farm.set_target(1, Power.UP)
        await farm.clock.sleep(180)
    assert [abort.step for abort in node.recorded(ShutdownAborted)] == [aborted_at]
    assert node.host_power.orders == ordered, "after Down it reboots, since nothing is credited before (R13)"
    assert farm.state(1) is Power.UP


async def test_a_target_that_turns_up_in_a_block_after_the_last_look_comes_too_late(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "target" in [s.step for s in node.recorded(ShutdownStep)], within_s=120, every_s=0.001)
        turned = asyncio.create_task(farm.set_target(1, Power.UP), name="the farmer")
        await farm.until(lambda: node.dark, within_s=120, every_s=0.001)
        assert not turned.done(), "the Up is in no block yet"
        await turned
    assert node.host_power.orders == [Order.POWER_OFF]
    assert farm.state(1) is Power.DOWN


async def test_a_hold_placed_while_the_departure_is_saved_ends_the_sequence(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that hangs for seconds must not make the last look old."""
    async with farm.running(1) as node:
        save = node.hardware.wakes.save

        async def slowly(record: WakeRecord, *, durably: bool = True) -> None:
            if record.departure is not None:
                farm.clock.call_later(0.5, lambda: node.holds.place(Hold("backup", "copies", None)))
                await farm.clock.sleep(5)
            await save(record, durably=durably)

        monkeypatch.setattr(node.hardware.wakes, "save", slowly)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=120)
        assert node.recorded(ShutdownAborted)[0].step == "target"
        await farm.clock.sleep(120)
        assert not node.host_power.orders


async def test_a_target_that_turns_up_while_the_holds_are_slow_ends_the_sequence(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with farm.running(1) as node:
        active = node.holds.active

        async def slowly() -> Sequence[Hold]:
            if "target" in [s.step for s in node.recorded(ShutdownStep)]:
                await farm.set_target(1, Power.UP)
            return await active()

        monkeypatch.setattr(node.holds, "active", slowly)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=120)
        assert Order.POWER_OFF not in node.host_power.orders


async def test_a_hold_placed_in_the_middle_ends_the_sequence(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in [s.step for s in node.recorded(ShutdownStep)], within_s=120)
        node.holds.place(Hold("operator", "copies data", None))
        await farm.clock.sleep(120)
        assert not node.host_power.orders
        assert farm.state(1) is Power.UP
        node.holds.lift("operator")
        await farm.until(lambda: node.dark, within_s=120)


async def test_an_uptime_report_that_hangs_does_not_keep_the_node_from_sleeping(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        node.chain.hang_uptime = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=300)


async def test_a_down_that_the_pool_refuses_is_tried_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: len(node.recorded(UptimeReported)) == 2, within_s=1300)
        await farm.set_target(1, Power.DOWN, tell=[])
        farm.ledger.refuse_next = "payment"
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=400)
        assert farm.state(1) is Power.UP
        await farm.until(lambda: node.dark, within_s=120)
