"""R5 and R6: the shutdown sequence, step by step, and everything that may end it."""

from __future__ import annotations

import pytest
from dependency_injector import providers

from app.adapters.simulated.host_power import Obedience, Order
from app.adapters.simulated.telemetry import SimulatedTelemetry
from app.domain.events import Happening, PowerStateSet, ShutdownAborted, ShutdownStep, UptimeReported
from app.domain.model import Hold, Power
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

STEPS = ["arm", "say down", "final", "uptime", "target", "power off"]


async def test_target_down_takes_the_node_down_in_the_order_of_the_steps(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
    assert [step.step for step in node.told(ShutdownStep)] == STEPS
    assert node.host_power.orders == [Order.POWER_OFF]
    assert farm.state(1) is Power.DOWN


async def test_the_last_uptime_report_follows_the_state_down_and_precedes_the_power_off(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: len(node.told(UptimeReported)) == 1)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
    kinds = [type(h).__name__ for h in node.telemetry.happenings]
    down = max(i for i, h in enumerate(node.telemetry.happenings) if isinstance(h, PowerStateSet))
    assert kinds.index("PowerOffOrdered") > kinds.index("UptimeReported", down) > down


async def test_r13_the_window_of_the_last_sleep_is_closed_before_down_though_a_fork_undid_the_boots_report(
    farm: VirtualFarm,
) -> None:
    reports: list[tuple[int, str]] = []
    farm.ledger.listen(lambda block: reports.extend((block.number, event.name) for event in block.events))
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.told(UptimeReported)))
        farm.ledger.reorganise(1, lose=True)
        reports.clear()
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
    names = [name for _, name in reports if name in ("NodeUptimeReported", "PowerStateChanged")]
    assert names == ["NodeUptimeReported", "PowerStateChanged", "NodeUptimeReported"]


async def test_a_node_that_reported_twice_says_down_without_another_report(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: len(node.told(UptimeReported)) == 2, within_s=1300)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
    assert len(node.told(UptimeReported)) == 3


async def test_the_power_off_waits_until_our_down_is_final(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: farm.state(1) is Power.DOWN)
        farm.ledger.hold_finality = True
        await farm.clock.sleep(60)
        assert not node.host_power.orders
        farm.ledger.hold_finality = False
        await farm.until(lambda: node.dark, within_s=60)


async def test_finality_that_never_comes_sets_the_state_up_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: farm.state(1) is Power.DOWN)
        farm.ledger.hold_finality = True
        await farm.until(lambda: bool(node.told(ShutdownAborted)), within_s=200)
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)
    assert not node.host_power.orders


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


@pytest.mark.parametrize("step", STEPS[:-1])
async def test_a_target_that_turns_up_at_any_step_ends_the_sequence(farm: VirtualFarm, step: str) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: step in [s.step for s in node.told(ShutdownStep)], within_s=120, every_s=0.001)
        await farm.set_target(1, Power.UP)
        await farm.clock.sleep(180)
        if step in ("arm", "say down", "final"):
            assert Order.POWER_OFF not in node.host_power.orders
        if not node.dark:
            assert farm.state(1) is Power.UP
            assert not node.host_power.orders


async def test_a_hold_placed_in_the_middle_ends_the_sequence(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in [s.step for s in node.told(ShutdownStep)], within_s=120)
        node.holds.place(Hold("operator", "copies data", None))
        await farm.clock.sleep(120)
        assert not node.host_power.orders
        assert farm.state(1) is Power.UP
        node.holds.lift("operator")
        await farm.until(lambda: node.dark, within_s=120)


async def test_an_uptime_report_that_hangs_does_not_keep_the_node_from_sleeping(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.told(UptimeReported)))
        node.chain.hang_uptime = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=300)


async def test_a_reorganisation_that_takes_our_down_back_aborts_and_it_is_tried_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=60, every_s=0.01)
        farm.ledger.reorganise(1, lose=True)
        await farm.until(lambda: bool(node.told(ShutdownAborted)), within_s=120)
        assert "reorganisation" in node.told(ShutdownAborted)[0].reason
        assert not node.host_power.orders
        await farm.until(lambda: node.dark, within_s=200)


async def test_where_finality_is_not_judged_by_age_the_deadline_still_ends_the_wait(farm: VirtualFarm) -> None:
    async with farm.running(1, settings={"chain.finalized_head_age_s_max": 0.0}) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=60)
        farm.ledger.hold_finality = True
        await farm.until(lambda: bool(node.told(ShutdownAborted)), within_s=130)
        assert "was not final after 12" in node.told(ShutdownAborted)[0].reason
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=30)


async def test_a_chain_that_is_away_for_a_while_does_not_end_the_wait_for_finality(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=60)
        node.chain.unavailable = True
        await farm.clock.sleep(20)
        node.chain.unavailable = False
        await farm.until(lambda: node.dark, within_s=60)
        assert not node.told(ShutdownAborted)


async def test_a_down_that_the_pool_refuses_is_tried_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: len(node.told(UptimeReported)) == 2, within_s=1300)
        await farm.set_target(1, Power.DOWN, tell=[])
        farm.ledger.refuse_next = "payment"
        await farm.until(lambda: bool(node.told(ShutdownAborted)), within_s=400)
        assert farm.state(1) is Power.UP
        await farm.until(lambda: node.dark, within_s=120)


async def test_a_card_that_cannot_be_armed_any_more_aborts_before_anything_is_written(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: node.container.services().management.enabled)
        node.nic.cannot_arm = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.told(ShutdownAborted)), within_s=60)
        assert node.told(ShutdownAborted)[0].step == "arm"
        assert not node.told(PowerStateSet)
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
        await farm.until(lambda: bool(node.told(ShutdownAborted)), within_s=1000)
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


class TestAlreadyDownOnChain:
    """The machine was booted by hand while its target is Down."""

    @pytest.mark.parametrize("final", [True, False])
    async def test_r13_a_down_of_before_the_boot_is_said_anew(self, farm: VirtualFarm, final: bool) -> None:
        """The boot may have been asked for, and have closed the window: only a new Down opens the next one."""
        farm.want_down(1)
        farm.finalize()
        farm.put_to_sleep(1)
        if final:
            farm.finalize()
        async with farm.running(1) as node:
            await farm.until(lambda: node.dark, within_s=120)
            assert [told.power for told in node.told(PowerStateSet)] == [Power.UP, Power.DOWN]
        assert farm.state(1) is Power.DOWN

    async def test_stopping_the_daemon_says_up(self, farm: VirtualFarm) -> None:
        farm.put_to_sleep(1)
        farm.finalize()
        async with farm.running(1) as node:
            await farm.until(lambda: "uptime" in node.steps, within_s=60, every_s=0.01)
            await node.stop()
            await farm.clock.sleep(20)
            assert farm.state(1) is Power.UP


class TestAGatewayThatTellsNoFinality:
    async def test_the_down_has_to_be_there_still_half_a_minute_later(self, farm: VirtualFarm) -> None:
        async with farm.running(1, before=no_finality) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: "final" in node.steps, within_s=60)
            said_at = farm.clock.monotonic()
            await farm.until(lambda: node.dark, within_s=120)
            assert farm.clock.monotonic() - said_at >= 30

    async def test_a_down_that_is_gone_at_the_last_look_aborts(self, farm: VirtualFarm) -> None:
        async with farm.running(1, before=no_finality) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: "uptime" in node.steps, within_s=90, every_s=0.01)
            farm.want_down(1)
            await farm.until(lambda: bool(node.told(ShutdownAborted)), within_s=60)
            assert "not on the chain any more" in node.told(ShutdownAborted)[0].reason
            assert not node.host_power.orders

    async def test_a_gateway_that_tells_no_heads_either_is_enough(self, farm: VirtualFarm) -> None:
        def bare(node: VirtualNode) -> None:
            no_finality(node)
            node.chain.tells_heads = False

        farm.put_to_sleep(1)
        async with farm.running(1, before=bare) as node:
            await farm.until(lambda: node.dark, within_s=120)


def no_finality(node: VirtualNode) -> None:
    node.chain.tells_finality = False


class TestTheHostDoesNotObey:
    async def test_an_order_that_hangs_on_a_stopping_system_counts_as_accepted(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.HANGS
            node.host_power.is_stopping = True
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: bool(node.host_power.orders), within_s=60)
            await farm.clock.sleep(600)
            assert node.host_power.orders == [Order.POWER_OFF]
            assert farm.state(1) is Power.DOWN

    async def test_a_system_that_does_not_say_whether_it_is_stopping_is_not_waited_for(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.IGNORES
            node.host_power.stopping_unknown = True
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: len(node.host_power.orders) == 3, within_s=600)

    async def test_a_refused_power_off_is_asked_again_then_forced_then_taken_back(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = node.host_power.force_mode = Obedience.REFUSES
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: len(node.host_power.orders) == 3, within_s=300)
            await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)
        assert node.host_power.orders == [Order.POWER_OFF, Order.POWER_OFF, Order.FORCE_POWER_OFF]
        assert any(fault.key == "power-off" for fault in node.faults.shown)

    async def test_it_is_tried_again_later_not_at_once(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = node.host_power.force_mode = Obedience.REFUSES
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: len(node.host_power.orders) == 3, within_s=300)
            failed_at = farm.clock.monotonic()
            node.host_power.mode = Obedience.OBEYS
            await farm.until(lambda: node.dark, within_s=1200)
            assert farm.clock.monotonic() - failed_at >= 600

    async def test_an_order_without_effect_is_forced_after_the_deadline(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.IGNORES
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: node.dark, within_s=600)
        orders = node.host_power.given
        assert [given.order for given in orders] == [Order.POWER_OFF, Order.POWER_OFF, Order.FORCE_POWER_OFF]
        assert orders[1].at_s - orders[0].at_s >= 150

    async def test_a_system_that_says_stopping_is_given_time(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.IGNORES
            node.host_power.is_stopping = True
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: len(node.host_power.orders) == 2, within_s=1200)
        assert node.host_power.given[1].at_s - node.host_power.given[0].at_s >= 900

    async def test_a_target_that_turns_up_before_the_second_order_stops_it(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.IGNORES
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: bool(node.host_power.orders), within_s=120)
            await farm.set_target(1, Power.UP)
            await farm.until(lambda: farm.state(1) is Power.UP, within_s=300)
            await farm.clock.sleep(600)
        assert node.host_power.orders.count(Order.POWER_OFF) == 1


class Bug(Exception):
    """What nobody expects."""


class BrokenTelemetry(SimulatedTelemetry):
    """Has a bug that shows when the sequence passes a step."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    def happened(self, happening: Happening) -> None:
        super().happened(happening)
        if happening == ShutdownStep(self._step):
            raise Bug


class TestABugInTheSequence:
    """It ends the daemon loudly; the machine goes on, so the chain must not say Down."""

    async def goes_down(self, farm: VirtualFarm, step: str) -> VirtualNode:
        nodes: list[VirtualNode] = []

        def break_it(node: VirtualNode) -> None:
            nodes.append(node)
            node.telemetry = BrokenTelemetry(step)
            node.container.telemetry.override(providers.Object(node.telemetry))

        async def go_down() -> None:
            async with farm.running(1, before=break_it):
                await farm.set_target(1, Power.DOWN)
                await farm.clock.sleep(600)

        with pytest.raises(ExceptionGroup) as raised:
            await go_down()
        assert raised.group_contains(Bug)
        return nodes[0]

    @pytest.mark.parametrize("step", ["final", "uptime", "target", "power off"])
    async def test_takes_the_down_back_that_was_said(self, farm: VirtualFarm, step: str) -> None:
        node = await self.goes_down(farm, step)
        assert node.told(PowerStateSet)[-1].power is Power.DOWN
        assert farm.state(1) is Power.DOWN
        farm.ledger.produce(farm.clock.now())
        assert farm.state(1) is Power.UP
        assert node.host_power.orders == []

    async def test_writes_nothing_where_nothing_was_said(self, farm: VirtualFarm) -> None:
        node = await self.goes_down(farm, "arm")
        farm.ledger.produce(farm.clock.now())
        assert node.told(PowerStateSet) == []
        assert farm.state(1) is Power.UP


async def settled(farm: VirtualFarm, node: VirtualNode) -> None:
    """The node has run for a while: it has its two reports, and sends none before Down."""
    await farm.until(lambda: len(node.told(UptimeReported)) >= 2, within_s=1500)


async def test_r13_a_down_of_unknown_fate_counts_as_said(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await settled(farm, node)
        node.chain.lose_sight_of_next = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.told(ShutdownAborted)), within_s=300)
        assert node.told(ShutdownAborted)[0].step == "say down"
        assert node.container.server().own.window is not None


async def test_a_down_that_the_last_process_of_this_boot_said_is_waited_for_until_it_is_final(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await settled(farm, node)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "arm" in node.steps, within_s=120, every_s=0.001)
        farm.ledger.hold_finality = True
        await farm.until(lambda: "final" in node.steps, within_s=120)
        node.chain.unavailable = True  # so that no Up is said at the stop
        await node.stop()
    assert farm.state(1) is Power.DOWN
    async with farm.running(1, same_boot=True) as node:
        await farm.until(lambda: "final" in node.steps, within_s=100)
        assert not node.told(PowerStateSet), "the chain says Down already"
        farm.ledger.hold_finality = False
        await farm.until(lambda: node.dark, within_s=200)
