"""R14, the last-waker guard: a node stays up until another one of its farm is known to be awake."""

from __future__ import annotations

import pytest
from dependency_injector import providers

from app.adapters.simulated.clock import VirtualClock
from app.domain.events import OperationFailed, StayingUp
from app.domain.model import Counters, NodeId, Power
from app.domain.services.waking.signs_watch import SignsWatch
from app.entrypoints.settings.loading import load_settings
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

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
        assert REASON in [told.reason for told in node.recorded(StayingUp)]
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
        assert "looking for signs of life" in [told.doing for told in node.recorded(OperationFailed)]
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(1000)
        assert not node.steps
        assert node.container.server().staying_up.startswith("whether another node of the farm is awake is not known")
        node.signs_of_life.unavailable = False
        await farm.until(lambda: node.dark, within_s=120)


async def test_r14_a_farm_of_one_never_sleeps_and_says_so_unless_its_operator_wants_it(clock: VirtualClock) -> None:
    farm = VirtualFarm(clock, nodes=1)
    async with farm.running(1, settings=ON) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(1000)
        assert node.container.server().staying_up.startswith("no other node of the farm could wake this one")
        assert "power_management.last_waker_guard = false" in node.container.server().staying_up
        assert not node.signs_of_life.reads
    async with farm.running(1) as node:
        await farm.until(lambda: node.dark, within_s=200)


def test_r14_it_is_on_unless_switched_off() -> None:
    assert load_settings(None, {}, {}).power_management.last_waker_guard
    assert load_settings(None, {}, {"profile": "zos"}).power_management.last_waker_guard


async def test_what_the_chain_remembers_spares_a_node_that_was_just_started_the_wait(farm: VirtualFarm) -> None:
    async with farm.running(2, settings=ON):
        await farm.clock.sleep(1000)
        async with farm.running(1, settings=ON) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: node.dark, within_s=120)


async def test_a_chain_that_remembers_nothing_makes_it_wait_for_the_next_report(farm: VirtualFarm) -> None:
    def forgets(node: VirtualNode) -> None:
        node.signs_of_life.forgets = True

    async with farm.running(2, settings=ON):
        await farm.clock.sleep(100)
        async with farm.running(1, settings=ON, before=forgets) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.clock.sleep(600)
            assert deferred(node)
            await farm.until(lambda: node.dark, within_s=2000)


class TestBehindAGateway:
    """Where the chain has no signs of life, target and state decide."""

    @staticmethod
    def gateway(node: VirtualNode) -> None:
        node.container.signs_of_life.override(providers.Object(None))
        node.chain.has_finality = False

    async def test_r14_it_sleeps_while_another_node_is_up_and_about_to_stay_so(self, farm: VirtualFarm) -> None:
        async with farm.running(1, settings=ON, before=self.gateway) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: node.dark, within_s=200)

    async def test_r14_it_stays_up_while_all_others_sleep_or_are_wanted_down_and_sleeps_when_one_is_woken(
        self, farm: VirtualFarm
    ) -> None:
        farm.put_to_sleep(2)
        farm.want_down(3)
        async with farm.running(1, settings=ON, before=self.gateway) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.clock.sleep(1000)
            assert node.container.server().staying_up == (
                "no other node of the farm is known to be awake (target and state Up)"
            )
            assert not node.steps
            await farm.set_target(2, Power.UP)
            await farm.report_state(2, Power.UP)
            await farm.until(lambda: node.dark, within_s=400)

    async def test_r14_one_that_seemed_awake_at_the_last_look_is_asked_for_once_more(self, farm: VirtualFarm) -> None:
        async with farm.running(1, settings=ON, before=self.gateway) as node:
            await farm.clock.sleep(20)
            farm.want_down(2)
            farm.want_down(3)
            await farm.set_target(1, Power.DOWN)
            await farm.clock.sleep(200)
            assert not node.steps

    async def test_a_target_that_turns_up_while_the_others_are_asked_for_is_seen(self, farm: VirtualFarm) -> None:
        async with farm.running(1, settings=ON, before=self.gateway) as node:
            await farm.clock.sleep(20)
            node.chain.latency_s = 8.0
            await farm.set_target(1, Power.DOWN)
            await farm.clock.sleep(10)
            await farm.set_target(1, Power.UP)
            await farm.clock.sleep(200)
            assert not node.dark
            assert farm.state(1) is Power.UP


async def test_without_guard_and_calls_no_signs_of_life_are_read(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
        assert not node.signs_of_life.reads


async def test_a_node_that_is_wanted_up_looks_with_the_farms_rounds_only(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=ON) as node:
        await farm.clock.sleep(3000)
        assert 8 <= node.signs_of_life.reads <= 13


class SignsOfTwentyMinutes:
    """Node 2 reported some time in the last 20 min, as the chain counts them."""

    def __init__(self, now_s: float) -> None:
        self._now_s = now_s

    async def earlier(self, _: object) -> Counters:
        return Counters(self._now_s - 1200, {NodeId(2): 5})

    async def counters(self, _: object) -> Counters:
        return Counters(self._now_s, {NodeId(2): 6})


@pytest.mark.parametrize("hours", [-2, 0], ids=["clock behind", "clock right"])
async def test_what_the_chain_remembers_is_as_old_as_the_chain_says_whatever_the_clock(
    clock: VirtualClock, hours: int
) -> None:
    watch = SignsWatch(SignsOfTwentyMinutes(clock.now() - 3600 * hours), clock, fresh_s=2700)
    await watch.look([NodeId(2)])
    await clock.sleep(1400)
    assert watch.fresh_among([NodeId(2)])
    await clock.sleep(200)
    assert not watch.fresh_among([NodeId(2)])
