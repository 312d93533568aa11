"""A power-off and a reboot explain themselves fully, in one event before the first order."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.simulated.farm_setup import mac_of
from app.adapters.simulated.host_power import Obedience
from app.domain.events import PowerOffDecided, PowerOffOrdered, PowerStateSet, RebootDecided, RebootOrdered
from app.domain.model import Hold, Power
from app.domain.moments import utc
from app.domain.rules.paid import REBOOT_GUARDS
from app.domain.rules.power import GUARDS, names
from tests.rigs.virtual_farm import VirtualFarm

pytestmark = pytest.mark.anyio

GUARDED: dict[str, object] = {"power_management.last_waker_guard": True, "rtc_alarm.enabled": True}


async def test_a_power_off_says_which_target_who_was_asked_and_what_wakes_it(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=GUARDED) as node, farm.running(2, settings=GUARDED):
        await farm.clock.sleep(100)
        node.holds.place(Hold("backup", "copies", None))
        await farm.set_target(1, Power.DOWN)
        wanted_at_s = farm.clock.now()
        await farm.clock.sleep(3600)
        node.holds.lift("backup")
        await farm.until(lambda: node.dark, within_s=400)
    (why,) = node.recorded(PowerOffDecided)
    assert why.target is Power.DOWN
    (down,) = [state for state in node.recorded(PowerStateSet) if state.power is Power.DOWN]
    assert why.down_block == down.inclusion.block_number
    assert why.target_block is not None
    assert why.down_block is not None
    assert why.target_block >= why.down_block, "final"
    assert why.target_seen_since in (utc(wanted_at_s), utc(wanted_at_s + 20))
    assert why.guards_passed == tuple(guard.__name__ for guard in GUARDS)
    assert list(why.holds) == []
    assert list(why.woken_by) == [
        f"magic packets to {mac_of(1, 1)} on eth0",
        "the clock's alarm in 82800 s",
        "node 2 (seen awake)",
    ]
    kinds = [type(event) for event in node.telemetry.recorded]
    assert kinds.index(PowerOffOrdered) == kinds.index(PowerOffDecided) + 1


async def test_it_is_said_once_however_often_the_host_is_ordered(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.host_power.mode = node.host_power.force_mode = Obedience.IGNORES
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: len(node.recorded(PowerOffOrdered)) == 3, within_s=900)
        assert len(node.recorded(PowerOffDecided)) == 1


async def test_a_target_that_turned_up_in_between_counts_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.holds.place(Hold("backup", "copies", None))
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(1000)
        await farm.set_target(1, Power.UP)
        await farm.clock.sleep(1000)
        node.holds.lift("backup")
        await farm.set_target(1, Power.DOWN)
        wanted_at_s = farm.clock.now()
        await farm.until(lambda: node.dark, within_s=200)
    (why,) = node.recorded(PowerOffDecided)
    assert why.target_seen_since in (utc(wanted_at_s), utc(wanted_at_s + 20))


async def test_a_reboot_says_since_when_nothing_is_credited_and_until_when_it_helps(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.steps) and node.steps[-1] == "final", within_s=60)
        await farm.set_target(1, Power.UP)
        called_at_s = farm.clock.now()
        await farm.until(lambda: node.dark, within_s=300)
    (why,) = node.recorded(RebootDecided)
    assert why.target is Power.UP
    assert why.target_block is not None
    assert why.uncredited_since in (utc(called_at_s), utc(called_at_s - 60))
    assert why.called_up_at in (utc(called_at_s), utc(called_at_s + 60))
    assert why.boot_by in (utc(called_at_s + 1800), utc(called_at_s + 1860))
    assert why.guards_passed == tuple(guard.__name__ for guard in REBOOT_GUARDS)
    assert list(why.holds) == []
    kinds = [type(event) for event in node.telemetry.recorded]
    assert kinds.index(RebootOrdered) == kinds.index(RebootDecided) + 1


def test_the_sample_in_the_operator_s_guide_names_every_guard() -> None:
    guide = (Path(__file__).parents[2] / "docs/operator.md").read_text()
    assert f"guards_passed={','.join(names(GUARDS))} " in guide
