"""R7: the first few nodes of an order call a sleeper at once; the others only while it sleeps on, and in time."""

from __future__ import annotations

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.farm_setup import mac_of
from app.domain.events import OperationFailed, PowerTargetChanged, WakeBurstStarted, WakeDeferred, WakeEnded
from app.domain.model import NodeId, Power
from app.domain.rules.wake_rank import order
from app.domain.services.waking.wake_reads import TURN_READ_S_MAX
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

SLEEPER = 31
WAKERS = order(NodeId(SLEEPER), [NodeId(node) for node in range(1, 31)])
"""Of a farm of 31, in their order for it."""
FIRST, NEXT, LAST = WAKERS[0], WAKERS[3], WAKERS[-1]
STEP_S, BOUND_S = 120.0, 240.0
WITHIN_S = 1.0
"""So soon a burst begins once it may."""


@pytest.fixture
def farm31(clock: VirtualClock) -> VirtualFarm:
    """Thirty nodes that the chain shows awake, and one asleep."""
    farm = VirtualFarm(clock, nodes=31)
    farm.put_to_sleep(SLEEPER)
    return farm


def sent(farm: VirtualFarm) -> list[float]:
    """When packets went to the sleeper, from any node."""
    return list(farm.network.sent_to(mac_of(1, SLEEPER)))


def bursts(node: VirtualNode) -> int:
    return len(node.recorded(WakeBurstStarted))


async def want_up(farm: VirtualFarm) -> float:
    """Once the daemons know the farm, its owner wants the sleeper up; returns when they heard of it."""
    await farm.clock.sleep(10)
    await farm.set_target(SLEEPER, Power.UP)
    told_at = farm.clock.monotonic()
    await farm.clock.sleep(0.1)
    return told_at


async def first_packet_after(farm: VirtualFarm, told_at: float) -> float:
    await farm.until(lambda: bool(sent(farm)), within_s=400)
    return sent(farm)[0] - told_at


class TestAFarmOfThirtyWakers:
    async def test_three_call_at_once_and_the_others_leave_it_to_them(self, farm31: VirtualFarm) -> None:
        async with farm31.all_running(range(1, 31)) as nodes:
            told_at = await want_up(farm31)
            assert await first_packet_after(farm31, told_at) < WITHIN_S
            await farm31.clock.sleep(90)
            await farm31.report_state(SLEEPER, Power.UP)
            await farm31.until(lambda: all(node.recorded(WakeEnded) for node in nodes.values()), within_s=300)
        callers = {node for node, machine in nodes.items() if bursts(machine)}
        assert callers == set(WAKERS[:3])
        assert max(bursts(nodes[node]) for node in callers) >= 3, "those call on, with backoff"
        others = [machine for node, machine in nodes.items() if node not in callers]
        assert {machine.recorded(WakeEnded)[0].outcome for machine in others} == {"awake"}
        assert {machine.recorded(WakeEnded)[0].attempts for machine in others} == {0}
        assert {machine.recorded(WakeDeferred)[0].for_s for machine in others} == {STEP_S, BOUND_S}

    async def test_one_wake_costs_three_bursts_instead_of_thirty(self, farm31: VirtualFarm) -> None:
        costs = {}
        for first_wakers in (3, 0):
            before = len(farm31.network.sent)
            farm31.put_to_sleep(SLEEPER)
            async with farm31.all_running(range(1, 31), settings={"wake.first_wakers": first_wakers}):
                await want_up(farm31)
                await farm31.clock.sleep(2)
                await farm31.report_state(SLEEPER, Power.UP)
                await farm31.clock.sleep(300)
            costs[first_wakers] = len(farm31.network.sent) - before
        assert costs == {3: 3 * 10, 0: 30 * 10}

    async def test_it_calls_as_one_in_the_end_while_the_sleeper_sleeps_on(self, farm31: VirtualFarm) -> None:
        async with farm31.all_running(range(1, 31)) as nodes:
            await want_up(farm31)
            await farm31.clock.sleep(STEP_S - 1)
            assert {node for node, machine in nodes.items() if bursts(machine)} == set(WAKERS[:3])
            await farm31.clock.sleep(2)
            assert {node for node, machine in nodes.items() if bursts(machine)} == set(WAKERS[:6])
            await farm31.clock.sleep(BOUND_S - STEP_S)
            assert all(bursts(machine) for machine in nodes.values())

    async def test_without_any_event_the_order_is_the_same(self, farm31: VirtualFarm) -> None:
        async with farm31.all_running(range(1, 31)) as nodes:
            await farm31.clock.sleep(10)
            farm31.want_up(SLEEPER)
            await farm31.until(lambda: bool(sent(farm31)), within_s=400)
            await farm31.report_state(SLEEPER, Power.UP)
            await farm31.clock.sleep(600)
        assert {node for node, machine in nodes.items() if bursts(machine)} <= set(WAKERS[:3])


async def test_when_the_first_wakers_are_dark_the_next_ones_call(farm31: VirtualFarm) -> None:
    async with farm31.all_running(WAKERS[3:]):
        after_s = await first_packet_after(farm31, await want_up(farm31))
    assert STEP_S <= after_s < STEP_S + WITHIN_S


async def test_when_all_wakers_but_the_last_are_dark_it_calls_within_the_bound(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST):
        after_s = await first_packet_after(farm31, await want_up(farm31))
    assert BOUND_S <= after_s < BOUND_S + WITHIN_S


async def test_when_the_chain_shows_those_before_it_down_its_turn_comes_sooner(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST) as node:
        told_at = await want_up(farm31)
        farm31.put_all_to_sleep_but(LAST, SLEEPER, *WAKERS[:4])
        await node.container.server().sync_farm()
        assert STEP_S <= await first_packet_after(farm31, told_at) < STEP_S + WITHIN_S


async def test_when_the_chain_shows_all_others_down_it_calls_at_once(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST) as node:
        told_at = await want_up(farm31)
        await farm31.clock.sleep(5)
        farm31.put_all_to_sleep_but(LAST, SLEEPER)
        await node.deliver(PowerTargetChanged(farm31.id, NodeId(SLEEPER), Power.UP))
        await node.container.server().sync_farm()
        assert await first_packet_after(farm31, told_at) < 5 + WITHIN_S


async def test_events_show_who_is_no_waker_any_more(farm31: VirtualFarm) -> None:
    others = [node for node in WAKERS if node != LAST]
    async with farm31.running(LAST) as node:
        await farm31.clock.sleep(10)
        for other in others:
            farm31.want_down(other)
        await node.deliver(*(PowerTargetChanged(farm31.id, other, Power.DOWN) for other in others))
        await farm31.set_target(SLEEPER, Power.UP)
        assert await first_packet_after(farm31, farm31.clock.monotonic()) < WITHIN_S


async def test_when_its_turn_comes_the_chain_is_asked_once_and_for_nothing_but_power(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST) as node:
        await want_up(farm31)
        await farm31.clock.sleep(BOUND_S - 1)
        before = node.chain.reads
        await farm31.until(lambda: bool(sent(farm31)), within_s=2)
        assert node.chain.reads == before + 1


async def test_when_the_chain_is_away_as_its_turn_comes_the_burst_goes_out(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST) as node:
        told_at = await want_up(farm31)
        node.chain.unavailable = True
        assert await first_packet_after(farm31, told_at) < BOUND_S + WITHIN_S
        assert "looking at nodes that are being woken" in [failed.doing for failed in node.recorded(OperationFailed)]


async def test_when_the_chain_hangs_as_its_turn_comes_the_burst_waits_for_one_read_and_no_more(
    farm31: VirtualFarm,
) -> None:
    farm31.put_to_sleep(30)
    async with farm31.running(LAST) as node:
        told_at = await want_up(farm31)
        await farm31.clock.sleep(1)
        await farm31.set_target(30, Power.UP)
        other_told_at = farm31.clock.monotonic()
        await farm31.clock.sleep(0.1)
        node.chain.hang_batches_of(NodeId(SLEEPER), NodeId(30))
        node.chain._timeout_s = 3600.0
        assert await first_packet_after(farm31, told_at) < BOUND_S + TURN_READ_S_MAX + WITHIN_S
        await farm31.until(lambda: bool(node.packets_to(30)))
        waited_s = node.packets_to(30)[0] - other_told_at
        assert waited_s < BOUND_S + TURN_READ_S_MAX + WITHIN_S, "it fell due while the chain was asked for the other"


async def test_a_further_burst_whose_read_hangs_delays_no_turn(farm31: VirtualFarm) -> None:
    farm31.put_to_sleep(30)
    farm31.want_up(30)
    async with farm31.running(LAST) as node:
        node.container.server().power_up(NodeId(30), "an operator asked")
        told_at = await want_up(farm31)
        node.chain.hang_batches_of(NodeId(30))
        node.chain._timeout_s = 3600.0
        assert await first_packet_after(farm31, told_at) < BOUND_S + WITHIN_S


async def test_when_the_sleeper_is_wanted_down_again_nothing_is_sent(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST) as node:
        await want_up(farm31)
        await farm31.set_target(SLEEPER, Power.DOWN)
        await farm31.clock.sleep(600)
        assert not sent(farm31)
        assert node.recorded(WakeEnded)[0].outcome == "its target is Down"


class TestNobodyWaits:
    """Each with the node that stands last."""

    async def test_after_an_answer_that_cannot_be_read(self, farm31: VirtualFarm) -> None:
        async with farm31.running(LAST) as node:
            node.chain.broken.add(NodeId(SLEEPER))
            assert await first_packet_after(farm31, await want_up(farm31)) < WITHIN_S

    async def test_after_a_persons_wish(self, farm31: VirtualFarm) -> None:
        async with farm31.running(LAST) as node:
            await want_up(farm31)
            await farm31.clock.sleep(10)
            asked_at = farm31.clock.monotonic()
            node.container.server().power_up(NodeId(SLEEPER), "an operator asked")
            assert await first_packet_after(farm31, asked_at) < WITHIN_S

    async def test_in_a_farm_of_no_more_wakers_than_call_first(self, clock: VirtualClock) -> None:
        farm = VirtualFarm(clock, nodes=4)
        async with farm.all_running([1, 2, 3]) as nodes:
            farm.put_to_sleep(4)
            await clock.sleep(10)
            await farm.set_target(4, Power.UP)
            await farm.until(lambda: all(bursts(node) for node in nodes.values()), within_s=1)

    async def test_when_the_stagger_is_switched_off(self, farm31: VirtualFarm) -> None:
        async with farm31.running(LAST, settings={"wake.first_wakers": 0}):
            assert await first_packet_after(farm31, await want_up(farm31)) < WITHIN_S


async def test_what_is_held_back_is_sent_before_the_own_power_off(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST) as node:
        await want_up(farm31)
        await farm31.clock.sleep(10)
        await farm31.set_target(LAST, Power.DOWN)
        assert await first_packet_after(farm31, farm31.clock.monotonic()) < WITHIN_S
        await farm31.until(lambda: node.dark, within_s=300)


async def test_what_comes_in_the_middle_of_the_own_power_off_is_sent_at_once(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST, settings={"wake.defer_power_off_s": 0.0}) as node:
        await farm31.clock.sleep(10)
        await farm31.set_target(LAST, Power.DOWN)
        await farm31.until(lambda: "say down" in node.steps, within_s=60, every_s=0.01)
        farm31.want_up(SLEEPER)
        await node.deliver(PowerTargetChanged(farm31.id, NodeId(SLEEPER), Power.UP))
        assert await first_packet_after(farm31, farm31.clock.monotonic()) < WITHIN_S
        await farm31.until(lambda: node.dark, within_s=120)
        assert len(sent(farm31)) >= 10


async def test_more_events_do_not_begin_the_delay_again(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST) as node:
        told_at = await want_up(farm31)
        for _ in range(5):
            await farm31.clock.sleep(45)
            await node.deliver(PowerTargetChanged(farm31.id, NodeId(SLEEPER), Power.UP))
        assert not sent(farm31)
        assert await first_packet_after(farm31, told_at) < BOUND_S + WITHIN_S
        assert len(node.recorded(WakeDeferred)) == 1


async def test_once_its_turn_has_come_a_node_calls_as_the_first_ones_do(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST) as node:
        await want_up(farm31)
        await farm31.until(lambda: len(sent(farm31)) == 10, within_s=300)
        await farm31.clock.sleep(2)
        await node.deliver(PowerTargetChanged(farm31.id, NodeId(SLEEPER), Power.UP))
        await farm31.until(lambda: len(sent(farm31)) > 10, within_s=WITHIN_S)


async def test_nodes_that_were_woken_are_wakers_from_the_moment_it_is_seen(clock: VirtualClock) -> None:
    farm = VirtualFarm(clock, nodes=5)
    *others, last = order(NodeId(5), [NodeId(node) for node in range(1, 5)])
    farm.put_all_to_sleep_but(last)
    async with farm.running(last) as node:
        await clock.sleep(10)
        await farm.set_targets(others, Power.UP)
        await clock.sleep(1)
        for other in others:
            await farm.report_state(other, Power.UP)
        await farm.until(lambda: len(node.recorded(WakeEnded)) == 3)
        await farm.set_target(5, Power.UP)
        await farm.until(lambda: bool(node.recorded(WakeDeferred)), within_s=1)


class TestANodeWhoseStateSaysUp:
    """It may be dark all the same (a crash, a power cut), and nothing shows when it woke."""

    async def test_three_call_it_at_once_three_times_and_the_others_once_when_their_turn_has_come(
        self, farm31: VirtualFarm
    ) -> None:
        farm31.want_down(SLEEPER)
        async with farm31.all_running(range(1, 31)) as nodes:
            assert await first_packet_after(farm31, await want_up(farm31)) < WITHIN_S
            assert {node for node, machine in nodes.items() if bursts(machine)} == set(WAKERS[:3])
            await farm31.clock.sleep(STEP_S + 1)
            assert {node for node, machine in nodes.items() if bursts(machine)} == set(WAKERS[:6])
            await farm31.clock.sleep(BOUND_S)
        assert [bursts(nodes[node]) for node in WAKERS] == [3] * 3 + [1] * 27

    async def test_redundant_targets_up_put_no_power_off_off_by_minutes(self, farm31: VirtualFarm) -> None:
        """One that stands last, and the events of thirty nodes that are awake all the time."""
        async with farm31.running(LAST) as node:
            await farm31.clock.sleep(10)
            others = [other for other in farm31.node_ids if other != LAST]
            farm31.want_up(SLEEPER)
            await farm31.report_state(SLEEPER, Power.UP)
            await farm31.set_targets(others, Power.UP)
            await farm31.set_target(LAST, Power.DOWN)
            await farm31.until(lambda: node.dark, within_s=60)
            assert len(farm31.network.sent) <= 10 * 3 * 8, "most are left to those before it"

    async def test_one_that_is_left_to_others_is_not_shown_since_it_may_be_awake(self, farm31: VirtualFarm) -> None:
        farm31.want_down(SLEEPER)
        async with farm31.running(LAST) as node:
            await want_up(farm31)
            assert node.recorded(WakeDeferred)
            assert not node.container.operator().status().wakes

    async def test_one_that_is_left_to_others_is_not_sent_before_the_own_power_off(self, farm31: VirtualFarm) -> None:
        farm31.want_down(SLEEPER)
        async with farm31.running(LAST) as node:
            await want_up(farm31)
            await farm31.set_target(LAST, Power.DOWN)
            await farm31.until(lambda: node.dark, within_s=60)
        assert not sent(farm31)
        assert node.recorded(WakeEnded)[0].outcome == "its state is Up, and other nodes call it"

    async def test_more_events_do_not_begin_its_delay_again_and_one_that_falls_asleep_is_called_on(
        self, farm31: VirtualFarm
    ) -> None:
        farm31.want_down(SLEEPER)
        async with farm31.running(LAST) as node:
            told_at = await want_up(farm31)
            await farm31.clock.sleep(45)
            await node.deliver(PowerTargetChanged(farm31.id, NodeId(SLEEPER), Power.UP))
            await farm31.clock.sleep(45)
            await farm31.report_state(SLEEPER, Power.DOWN)
            await node.deliver(PowerTargetChanged(farm31.id, NodeId(SLEEPER), Power.UP))
            assert BOUND_S <= await first_packet_after(farm31, told_at) < BOUND_S + WITHIN_S
            await farm31.until(lambda: bursts(node) > 3, within_s=300)


class TestTheOwnPowerOff:
    """What was left to others is looked at before it, and sent where it is needed still."""

    async def test_nothing_is_sent_to_one_that_is_awake_by_then(self, farm31: VirtualFarm) -> None:
        async with farm31.running(LAST) as node:
            await want_up(farm31)
            await farm31.report_state(SLEEPER, Power.UP)
            asked_at = farm31.clock.monotonic()
            await farm31.set_target(LAST, Power.DOWN)
            await farm31.until(lambda: node.dark, within_s=120)
            assert not sent(farm31)
            assert node.recorded(WakeEnded)[0].outcome == "awake"
            assert farm31.clock.monotonic() - asked_at < 60

    async def test_it_is_sent_when_the_chain_does_not_show_it(self, farm31: VirtualFarm) -> None:
        async with farm31.running(LAST) as node:
            await want_up(farm31)
            node.chain.hang_batches_of(NodeId(SLEEPER))
            node.chain._timeout_s = 3600.0
            await farm31.set_target(LAST, Power.DOWN)
            assert await first_packet_after(farm31, farm31.clock.monotonic()) < TURN_READ_S_MAX + 10


async def test_one_that_others_woke_is_not_shown_as_left_to_them_for_long(farm31: VirtualFarm) -> None:
    async with farm31.running(LAST) as node:
        await want_up(farm31)
        assert node.container.operator().status().wakes
        await farm31.report_state(SLEEPER, Power.UP)
        await farm31.until(lambda: not node.container.operator().status().wakes, within_s=61)
        assert not sent(farm31)
