"""R13: a shutdown that ends after Down ends in a reboot, or in a fault that says what else is paid for."""

from __future__ import annotations

import pytest

from app.adapters.simulated.host_power import Obedience, Order
from app.domain.errors import ChainUnavailable
from app.domain.events import PowerStateSet, RebootOrdered, ShutdownAborted, ShutdownStep, UptimeReported
from app.domain.minting.events import NodeUptimeReported, PowerStateChanged, PowerTargetChanged
from app.domain.minting.month import Month, beginning
from app.domain.minting.period import Period
from app.domain.minting.rules import step
from app.domain.model import Hold, NodeId, Power
from app.domain.rules.paid import Remedy
from app.domain.rules.power import OwnPower
from app.domain.services.own_power.open_window import OpenWindow
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

AFTER_DOWN = ["final", "uptime", "target"]
QUICK: dict[str, object] = {"uptime.interval_s": 600.0}
HOLD = Hold("backup", "copies", None)


async def until_step(farm: VirtualFarm, node: VirtualNode, name: str) -> None:
    await farm.set_target(1, Power.DOWN)
    await farm.until(lambda: name in node.steps, within_s=200, every_s=0.001)


def minted(farm: VirtualFarm) -> Month:
    """What the grid makes of node 1's events up to now."""
    period = Period.holding(farm.ledger.best.time_ms / 1000)
    month = beginning(NodeId(1), period)
    for number in range(farm.ledger.best_number + 1):
        block = farm.ledger.block(number)
        assert block is not None
        at_s = block.time_ms // 1000
        for event in block.events:
            match event.name:
                case "NodeUptimeReported":
                    node, time_s, uptime_s = event.attributes
                    seen: NodeUptimeReported | PowerTargetChanged | PowerStateChanged
                    seen = NodeUptimeReported(time_s, NodeId(node), uptime_s)
                case "PowerTargetChanged":
                    told = event.attributes
                    seen = PowerTargetChanged(at_s, NodeId(told["node_id"]), Power(told["power_target"]))
                case "PowerStateChanged":
                    told = event.attributes
                    state = Power.UP if told["power_state"] == "Up" else Power.DOWN
                    seen = PowerStateChanged(at_s, NodeId(told["node_id"]), state)
                case _:
                    continue
            if seen.node == NodeId(1):
                month, _ = step(month, seen, period)
    return month


@pytest.mark.parametrize("name", AFTER_DOWN)
async def test_r13_called_up_after_its_down_the_machine_reboots_and_all_of_it_is_credited(
    farm: VirtualFarm, name: str
) -> None:
    async with farm.running(1) as node:
        await until_step(farm, node, name)
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: node.dark, within_s=300)
        assert node.host_power.orders in ([Order.REBOOT], [Order.POWER_OFF])
    async with farm.running(1) as node:
        await farm.until(lambda: farm.state(1) is Power.UP and bool(node.recorded(UptimeReported)), within_s=120)
        await farm.clock.sleep(1500)
        month = minted(farm)
        assert (month.window_s, month.slow_boots, month.violation) == (None, 0, None)
        assert node.hardware.window.record is None
        assert "uncredited" not in node.fault_keys
        assert not node.host_power.orders, "one reboot is enough"


async def test_r13_called_up_before_its_down_landed_it_says_up_at_once_and_does_not_reboot(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await until_step(farm, node, "say down")
        await farm.set_target(1, Power.UP)  # in the same block, or in the one before
        await farm.clock.sleep(600)
        assert farm.state(1) is Power.UP
        month = minted(farm)
        assert (month.window_s is None) is not bool(node.recorded(RebootOrdered))
        assert node.dark is bool(node.recorded(RebootOrdered))


async def test_r13_a_down_of_unknown_fate_is_looked_for_on_the_chain(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        node.chain.lose_sight_of_next = True
        await until_step(farm, node, "say down")
        await farm.set_target(1, Power.UP)
        await farm.clock.sleep(400)
        month = minted(farm)
        assert (month.window_s is not None and month.request_s is not None) is node.dark


@pytest.mark.parametrize("why", ["hold", "holds unreadable", "not enabled"])
async def test_r13_what_forbids_a_power_off_forbids_the_reboot_until_it_is_gone(farm: VirtualFarm, why: str) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        await until_step(farm, node, "final")
        if why == "hold":
            node.holds.place(HOLD)
        elif why == "holds unreadable":
            node.holds.unreadable = True
        else:
            node.host_power.unable = "no such command"
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: "uncredited" in node.fault_keys, within_s=120)
        await farm.until(lambda: "a guard forbids it" in node.fault("uncredited").message, within_s=60)
        assert farm.state(1) is Power.UP
        first = node.fault("uncredited").message
        await farm.clock.sleep(900)
        assert node.fault("uncredited").message == first, "its times stand still"
        assert "uptime has not been credited since" in first
        assert not node.host_power.orders
        node.holds.lift("backup")
        node.holds.unreadable = False
        node.host_power.unable = ""
        await farm.until(lambda: node.dark, within_s=400)
        assert node.host_power.orders == [Order.REBOOT]


async def test_r13_a_hold_that_comes_right_before_the_reboot_stops_it(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.host_power.mode = Obedience.IGNORES
        await until_step(farm, node, "final")
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: node.host_power.orders == [Order.REBOOT], within_s=120, every_s=0.01)
        node.holds.place(HOLD)
        await farm.clock.sleep(1000)
        assert node.host_power.orders == [Order.REBOOT], "asked once more before the second order"


async def test_r13_a_slow_chain_is_not_asked_between_the_last_look_and_the_reboot(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a hold that is placed meanwhile is overlooked."""
    async with farm.running(1) as node:
        await until_step(farm, node, "final")
        asked = [0]

        async def slowly(*_: object) -> None:
            asked[0] += 1
            if asked[0] == 2:  # the first one is asked before the last look
                farm.clock.call_later(1, lambda: node.holds.place(Hold("backup", "copies", None)))
            await farm.clock.sleep(25)
            raise ChainUnavailable("no answer within 25 s")

        monkeypatch.setattr(node.chain, "power_in", slowly)
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: bool(node.host_power.orders), within_s=300)
        assert not await node.holds.active()


async def test_r13_a_look_that_grew_old_behind_a_slow_disk_is_made_again_before_the_reboot(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, slow = OpenWindow.note, [True]

    async def slowly(window: OpenWindow, own: OwnPower) -> None:
        await note(window, own)
        if slow and window.remedy is Remedy.REBOOT:
            await farm.clock.sleep(200)

    monkeypatch.setattr(OpenWindow, "note", slowly)
    async with farm.running(1) as node:
        await until_step(farm, node, "final")
        await farm.set_target(1, Power.UP)
        await farm.clock.sleep(2000)
        assert not node.host_power.orders
        slow.clear()
        await farm.until(lambda: node.dark, within_s=600)
        assert node.host_power.orders == [Order.REBOOT]


async def test_r13_the_setting_turns_the_reboot_off_and_the_fault_says_so(farm: VirtualFarm) -> None:
    settings: dict[str, object] = {"power_management.reboot_after_aborted_sleep": False}
    async with farm.running(1, settings=settings) as node:
        await until_step(farm, node, "final")
        await farm.set_target(1, Power.UP)
        await farm.clock.sleep(600)
        assert farm.state(1) is Power.UP
        assert "reboot it by hand" in node.fault("uncredited").message
        assert not node.host_power.orders


async def test_r13_a_reboot_is_ordered_again_like_a_power_off_and_tried_again_later(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.host_power.mode = node.host_power.force_mode = Obedience.IGNORES
        await until_step(farm, node, "final")
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: "reboot" in node.fault_keys, within_s=900)
        assert node.host_power.orders == [Order.REBOOT, Order.REBOOT, Order.FORCE_REBOOT]
        assert "reboot it by hand" in node.fault("reboot").message
        node.host_power.mode = Obedience.OBEYS
        await farm.until(lambda: node.dark, within_s=900)


async def test_r13_held_with_its_target_down_it_says_up_and_what_it_costs_and_sleeps_as_soon_as_it_may(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await until_step(farm, node, "final")
        node.holds.place(HOLD)
        await farm.until(lambda: "uncredited" in node.fault_keys, within_s=120)
        assert farm.state(1) is Power.UP
        assert "shut down and woken by" in node.fault("uncredited").message
        assert not node.host_power.orders
        node.holds.lift("backup")
        await farm.until(lambda: node.dark, within_s=200)
        assert node.host_power.orders == [Order.POWER_OFF]
    await farm.set_target(1, Power.UP)
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=60)
        await farm.clock.sleep(60)
        assert "uncredited" not in node.fault_keys
        assert minted(farm).window_s is None


async def test_r13_called_up_only_after_it_said_up_no_reboot_helps_and_the_fault_names_what_does(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await until_step(farm, node, "final")
        node.holds.place(HOLD)
        await farm.until(lambda: farm.state(1) is Power.UP and bool(node.recorded(ShutdownAborted)), within_s=120)
        await farm.clock.sleep(60)
        await farm.set_target(1, Power.UP)
        await farm.clock.sleep(60)
        node.holds.lift("backup")
        await farm.clock.sleep(600)
        assert "powerd farm down 1, powerd farm up 1" in node.fault("uncredited").message
        assert not node.host_power.orders
    async with farm.running(1) as node:  # booted by hand: it does not help
        await farm.clock.sleep(120)
        assert "powerd farm down 1" in node.fault("uncredited").message
        assert minted(farm).window_s is not None
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=200)
    await farm.set_target(1, Power.UP)
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=60)
        await farm.clock.sleep(60)
        assert not node.fault_keys
        assert minted(farm).window_s is None


@pytest.mark.parametrize("name", ["final", "uptime"])
async def test_r13_a_daemon_that_is_stopped_after_its_down_remembers_it(farm: VirtualFarm, name: str) -> None:
    async with farm.running(1) as node:
        await until_step(farm, node, name)
        await node.stop()
        await farm.clock.sleep(20)
        assert farm.state(1) is Power.UP
    async with farm.running(1, before=held, same_boot=True) as node:
        await farm.clock.sleep(30)
        assert "uncredited" in node.fault_keys
        assert node.container.operator().status().uncredited is not None
        node.holds.lift("backup")
        await farm.until(lambda: node.dark, within_s=200)


async def test_r13_without_a_file_the_chain_shows_a_down_of_this_boot(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(60)
        await until_step(farm, node, "final")
        node.chain.unavailable = True  # as a kill: nothing is written any more
        await node.stop()
    farm.hardware[1].window.record = None
    await farm.set_target(1, Power.UP)
    uptime_s = farm.clock.monotonic()

    def same_boot(node: VirtualNode) -> None:
        node.facts._booted_at_s -= uptime_s

    async with farm.running(1, before=same_boot, same_boot=True) as node:
        await farm.until(lambda: node.dark, within_s=200)
        assert node.host_power.orders == [Order.REBOOT]


async def test_r13_a_down_that_never_was_included_is_forgotten(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: len(node.recorded(UptimeReported)) == 2, within_s=1300)
        await farm.set_target(1, Power.DOWN, tell=[])
        farm.ledger.refuse_next = "payment"
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=400)
        assert node.hardware.window.record is None


async def test_r13_a_disk_that_takes_nothing_is_a_fault_and_the_reboot_comes_all_the_same(farm: VirtualFarm) -> None:
    def broken(node: VirtualNode) -> None:
        node.hardware.window.unwritable = node.hardware.window.unreadable = True

    async with farm.running(1, before=broken) as node:
        await until_step(farm, node, "uptime")
        assert "window-memory" in node.fault_keys
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: node.dark, within_s=300)
        assert node.host_power.orders in ([Order.REBOOT], [Order.POWER_OFF])


async def test_r13_behind_a_gateway_without_earlier_blocks_the_machine_reboots(farm: VirtualFarm) -> None:
    def gateway(node: VirtualNode) -> None:
        node.chain.has_finality = node.chain.has_heads = False

    async with farm.running(1, before=gateway) as node:
        await until_step(farm, node, "final")
        await farm.clock.sleep(5)
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: node.dark, within_s=300)
        assert node.host_power.orders == [Order.REBOOT]


async def test_r13_a_chain_that_is_away_delays_what_is_asked_of_earlier_blocks(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await until_step(farm, node, "final")
        await farm.set_target(1, Power.UP)
        node.chain.unavailable = True
        await farm.clock.sleep(60)
        assert not node.host_power.orders
        node.chain.unavailable = False
        await farm.until(lambda: node.dark, within_s=300)
        assert node.host_power.orders == [Order.REBOOT]


async def test_a_good_sleep_leaves_no_fault_and_is_forgotten_at_the_wake(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
        assert "uncredited" not in node.fault_keys
        assert len(node.recorded(PowerStateSet)) == 1
        assert [s.step for s in node.recorded(ShutdownStep)][-1] == "power off"
    assert farm.hardware[1].window.record is not None
    await farm.set_target(1, Power.UP)
    async with farm.running(1) as node:
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)
        assert node.hardware.window.record is None
        assert not node.host_power.orders


def held(node: VirtualNode) -> None:
    node.holds.place(HOLD)
