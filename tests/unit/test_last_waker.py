"""The last-waker guard (opt-in): a node stays up until another one of its farm is known to be awake."""

from __future__ import annotations

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.domain.events import Setback, StayingUp
from app.domain.model import Power
from app.entrypoints.settings_loading import SettingsError, load_settings
from tests.unit.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

ON: dict[str, object] = {"power_management.last_waker_guard": True}
REASON = "no other node of the farm is known to be awake (up, and a sign of life within 45 min)"


def deferred(node: VirtualNode) -> bool:
    reason: str = node.container.server().staying_up
    return reason == REASON


async def test_it_defers_its_power_off_says_so_and_obeys_as_soon_as_another_gives_a_sign_of_life(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1, settings=ON) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: deferred(node), within_s=60)
        await farm.clock.sleep(5000)
        assert REASON in [told.reason for told in node.told(StayingUp)]
        assert not node.steps
        assert farm.state(1) is Power.UP
        async with farm.running(2):
            await farm.until(lambda: node.dark, within_s=180)


async def test_a_node_that_was_awake_all_along_is_known_when_it_is_needed(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node, farm.running(2):
        await farm.clock.sleep(10_000)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)


async def test_what_the_chain_calls_up_counts_for_nothing_without_a_sign_of_life(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        await farm.clock.sleep(10_000)
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(5000)
        assert deferred(node)


@pytest.mark.parametrize(("minutes", "counts"), [(30, True), (45, False)])
async def test_a_node_that_crashed_stops_counting_after_45_minutes(
    farm: VirtualFarm, minutes: int, counts: bool
) -> None:
    async with farm.running(1, settings=ON) as node:
        async with farm.running(2):
            await farm.clock.sleep(600)
        await farm.clock.sleep(minutes * 60)
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(300)
        assert node.dark is counts
        assert deferred(node) is not counts


async def test_of_two_nodes_with_target_down_both_stay_up_until_one_is_wanted(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as first, farm.running(2, settings=ON) as second:
        await farm.clock.sleep(600)
        await farm.set_targets([1, 2], Power.DOWN)
        await farm.clock.sleep(6000)
        assert deferred(first)
        assert deferred(second)
        assert farm.state(1) is farm.state(2) is Power.UP
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: first.dark, within_s=180)
        assert not second.dark


async def test_two_nodes_never_both_believe_in_the_other_and_sleep(farm: VirtualFarm) -> None:
    """Both targets turn Down, one while the other is in the middle of its shutdown."""
    async with farm.running(1, settings=ON) as first, farm.running(2, settings=ON) as second:
        await farm.clock.sleep(600)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in first.steps, within_s=60, every_s=0.01)
        await farm.set_target(2, Power.DOWN)
        await farm.clock.sleep(6000)
        assert not (first.dark and second.dark)
        await farm.clock.sleep(6000)
        assert not (first.dark and second.dark)


async def test_signs_that_cannot_be_read_are_doubt(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node, farm.running(2):
        await farm.clock.sleep(600)
        node.signs_of_life.unavailable = True
        await farm.clock.sleep(600)
        assert "looking for signs of life" in [told.doing for told in node.told(Setback)]
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(1000)
        assert not node.steps
        assert node.container.server().staying_up.startswith("whether another node of the farm is awake can't be told")
        node.signs_of_life.unavailable = False
        await farm.until(lambda: node.dark, within_s=120)


async def test_a_farm_of_one_never_sleeps(clock: VirtualClock) -> None:
    farm = VirtualFarm(clock, nodes=1)
    async with farm.running(1, settings=ON) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(1000)
        assert deferred(node)
        assert not node.signs_of_life.reads


async def test_without_the_guard_nobody_looks_for_signs_of_life(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
        assert not node.signs_of_life.reads


async def test_a_node_that_is_wanted_up_looks_with_the_farms_rounds_only(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        await farm.clock.sleep(3000)
        assert 8 <= node.signs_of_life.reads <= 13


def test_behind_api_gateway_it_is_an_error_of_the_settings_with_the_remedy() -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(None, {"POWERD_POWER_MANAGEMENT_LAST_WAKER_GUARD": "true"}, {"profile": "zos"})
    message = str(raised.value)
    assert "the environment variable POWERD_POWER_MANAGEMENT_LAST_WAKER_GUARD: power_management.last_waker_guard" in (
        message
    )
    assert "api-gateway" in message
    assert 'chain.kind = "substrate"' in message
