"""R13 and R15: no fee is paid at a constant pace, and no income is lost in silence."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from dependency_injector import providers

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.ledger_blocks import Block
from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicRefused
from app.domain.events import FaultRaised, PowerStateSet, ShutdownStep, UptimeReported
from app.domain.model import Head, HeadKind, Power
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode, account_of

pytestmark = pytest.mark.anyio

DAY_S = 86_400.0
MINUTES = 60.0


def with_clock(farm: VirtualFarm, ahead_s: float) -> tuple[VirtualClock, Callable[[VirtualNode], None]]:
    """A wall clock of the node's own."""
    clock = VirtualClock(farm.clock.now() - farm.clock.monotonic() + ahead_s)

    def before(node: VirtualNode) -> None:
        node.container.clock.override(providers.Object(clock))

    return clock, before


class Fees:
    """Calls of node 1 that were included, by what became of them."""

    def __init__(self, farm: VirtualFarm) -> None:
        self._farm = farm
        self.failed_at_s: dict[str, list[float]] = {"report_uptime_v2": [], "change_power_state": []}
        self.succeeded = 0
        farm.ledger.listen(self._block)

    def _block(self, block: Block) -> None:
        for extrinsic, error in block.outcomes.items():
            if extrinsic.account == account_of(1):
                if error:
                    self.failed_at_s[extrinsic.call].append(self._farm.clock.monotonic())
                else:
                    self.succeeded += 1


def unregister(farm: VirtualFarm) -> None:
    """Whatever node 1 sends fails, at a fee."""
    twin = farm.ledger.read("TwinIdByAccountID", account_of(1))
    farm.ledger.force_storage("NodeIdByTwinID", twin, 0)


def register(farm: VirtualFarm) -> None:
    twin = farm.ledger.read("TwinIdByAccountID", account_of(1))
    farm.ledger.force_storage("NodeIdByTwinID", twin, 1)


@pytest.mark.parametrize("drift_s", [200.0, -200.0, 75.0, -75.0])
async def test_r13_a_clock_that_is_wrong_for_a_day_costs_no_fee_and_says_so_once(
    farm: VirtualFarm, drift_s: float
) -> None:
    clock, before = with_clock(farm, drift_s)
    fees = Fees(farm)
    async with farm.running(1, before=before) as node:
        await farm.until(lambda: "clock-drift" in node.fault_keys, within_s=60)
        drift = float(node.fault("clock-drift").message.split(" by ")[1].split(" s ")[0])
        assert drift == pytest.approx(drift_s, abs=10)
        await farm.clock.sleep(DAY_S)
        assert fees.failed_at_s["report_uptime_v2"] == []
        assert fees.succeeded == 0
        assert [told.key for told in node.recorded(FaultRaised)] == ["clock-drift", "uptime"]
        assert "NTP" in node.fault("clock-drift").message
        assert {len({f.message for f in shown if f.key == "clock-drift"}) for shown in node.faults.history} <= {0, 1}
        clock.step_wall_clock(-drift_s)
        await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=120)
        await farm.until(lambda: not node.fault_keys)


async def test_r13_the_drift_that_is_shown_does_not_change_at_every_look(farm: VirtualFarm) -> None:
    clock, before = with_clock(farm, 200.0)
    async with farm.running(1, before=before) as node:
        await farm.until(lambda: "clock-drift" in node.fault_keys, within_s=60)
        first = node.fault("clock-drift").message
        await farm.clock.sleep(3600)
        assert node.fault("clock-drift").message == first
        clock.step_wall_clock(300.0)
        await farm.clock.sleep(400)
        assert node.fault("clock-drift").message != first


async def test_r13_a_clock_at_the_edge_is_not_tried_again_and_again(farm: VirtualFarm) -> None:
    clock, before = with_clock(farm, 70.0)
    fees = Fees(farm)
    async with farm.running(1, before=before) as node:
        await farm.until(lambda: "clock-drift" in node.fault_keys, within_s=60)
        clock.step_wall_clock(-15.0)
        await farm.clock.sleep(3600)
        assert fees.succeeded == len(fees.failed_at_s["report_uptime_v2"]) == 0
        clock.step_wall_clock(-20.0)
        await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=120)


async def test_r13_while_no_head_can_be_read_a_clock_that_was_wrong_costs_no_fee_and_the_report_follows_soon(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreadable(_: HeadKind) -> Head:
        raise ChainUnavailable("flaky")

    clock, before = with_clock(farm, -80.0)
    fees = Fees(farm)
    async with farm.running(1, before=before) as node:
        await farm.until(lambda: "clock-drift" in node.fault_keys, within_s=60)
        with monkeypatch.context() as patch:
            patch.setattr(node.chain, "head", unreadable)
            await farm.clock.sleep(3600)
            clock.step_wall_clock(80.0)
            assert not fees.failed_at_s["report_uptime_v2"]
        await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=120)


async def test_r13_a_head_that_stands_still_is_no_evidence_against_the_clock_but_no_report_waits_for_its_end(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        farm.ledger.hold_blocks = True
        tried = len(node.chain.samples)
        await farm.clock.sleep(2 * 3600)
        assert "clock-drift" not in node.fault_keys
        assert "the chain has made no block for 30 s" in node.fault("uptime").message
        assert len(node.chain.samples) == tried
        farm.ledger.hold_blocks = False
        await farm.until(lambda: len(node.recorded(UptimeReported)) > 1, within_s=120)


async def test_r13_a_clock_that_is_ahead_reports_no_stale_uptime_when_the_chain_comes_back(farm: VirtualFarm) -> None:
    """Its time would fit the late block, and its uptime would be too small by the wait: a violation."""
    _, before = with_clock(farm, 150.0)
    async with farm.running(1, before=before) as node:
        await farm.until(lambda: "clock-drift" in node.fault_keys, within_s=60)
        farm.ledger.hold_blocks = True
        await farm.clock.sleep(150)
        farm.ledger.hold_blocks = False
        await farm.clock.sleep(300)
        assert not node.chain.samples


async def test_r13_a_clock_that_turns_wrong_between_look_and_block_is_found_out_by_the_refusal(
    farm: VirtualFarm,
) -> None:
    clock, before = with_clock(farm, 0.0)
    async with farm.running(1, before=before) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        clock.step_wall_clock(200.0)
        node.chain.fail_uptime = ExtrinsicFailed("report_uptime_v2", "InvalidTimestampHint", "0x1")
        check = node.container.services().uptime._clock_watch.refused
        with pytest.raises(Exception, match=r"differs by \+(19|20)\d s"):
            await check()
        pause_s = await node.container.services().uptime._after_failure(node.chain.fail_uptime)
        assert pause_s == 60.0, "a look at the clock is free, so the next one comes soon"


async def test_r15_a_report_that_fails_for_a_day_is_tried_ever_more_rarely_and_is_a_fault(farm: VirtualFarm) -> None:
    fees = Fees(farm)
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        unregister(farm)
        await farm.until(lambda: "uptime" in node.fault_keys, within_s=2460 + 5)
        message = node.fault("uptime").message
        assert "for more than 41 min" in message
        assert "report_uptime_v2 failed: NodeNotExists; see that this node is registered" in message
        await farm.clock.sleep(DAY_S)
        at_s = fees.failed_at_s["report_uptime_v2"]
        pauses_s = [later - sooner for sooner, later in itertools.pairwise(at_s)]
        assert len(at_s) < 90
        assert all(later_s > sooner_s for sooner_s, later_s in itertools.pairwise(pauses_s[:5]))
        assert min(pauses_s[6:]) > 850
        register(farm)
        await farm.until(lambda: "uptime" not in node.fault_keys, within_s=1600)


async def test_r15_a_state_that_fails_for_a_day_is_tried_ever_more_rarely_and_is_a_fault(farm: VirtualFarm) -> None:
    fees = Fees(farm)
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        unregister(farm)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "own-power" in node.fault_keys, within_s=600)
        await farm.clock.sleep(DAY_S)
        assert len(fees.failed_at_s["change_power_state"]) < 90
        assert "change_power_state failed: NodeNotExists" in node.fault("own-power").message
        assert len(node.recorded(ShutdownStep)) < 200, "no look begins a shutdown that can't say Down"
        register(farm)
        await farm.until(lambda: node.dark, within_s=2000)


async def test_r15_a_state_up_that_fails_for_a_day_is_tried_ever_more_rarely_and_is_a_fault(farm: VirtualFarm) -> None:
    fees = Fees(farm)
    farm.put_to_sleep(1)
    farm.want_up(1)
    unregister(farm)
    async with farm.running(1) as node:
        await farm.clock.sleep(DAY_S)
        assert 3 < len(fees.failed_at_s["change_power_state"]) < 90
        assert "own-power" in node.fault_keys
        register(farm)
        await farm.until(lambda: bool(node.recorded(PowerStateSet)), within_s=1600)
        await farm.until(lambda: not node.fault_keys, within_s=1600)


async def test_r15_a_state_of_unknown_fate_is_sent_again_ever_more_rarely(farm: VirtualFarm) -> None:
    farm.put_to_sleep(1)
    farm.want_up(1)
    farm.ledger.lose_next = 1 << 30
    async with farm.running(1) as node:
        nonces = [farm.ledger.lose_next]
        await farm.clock.sleep(DAY_S)
        nonces.append(farm.ledger.lose_next)
        assert nonces[0] - nonces[1] < 200, "uptime and state together"
        farm.ledger.lose_next = 0
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=1700)
        await farm.until(lambda: not node.fault_keys, within_s=1700)


async def test_r15_an_account_that_cannot_pay_is_a_fault_at_once_with_its_address(farm: VirtualFarm) -> None:
    farm.ledger.refuse_next, farm.ledger.refuse_count = "payment", 1000
    async with farm.running(1) as node:
        await farm.until(lambda: "wallet" in node.fault_keys, within_s=10)
        assert account_of(1).hex() in node.fault("wallet").message
        assert "send that account some TFT" in node.fault("wallet").message
        await farm.until(lambda: "uptime" in node.fault_keys, within_s=601)
        assert "since powerd started, more than 10 min ago" in node.fault("uptime").message
        assert "the fault about its account says what to do" in node.fault("uptime").message
        farm.ledger.refuse_next, farm.ledger.refuse_count = "", 1
        await farm.until(lambda: not node.fault_keys, within_s=90)


async def test_r15_the_same_for_a_state_that_is_not_taken(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        await farm.set_target(1, Power.DOWN, tell=[])
        farm.ledger.refuse_next, farm.ledger.refuse_count = "payment", 1000
        await farm.until(lambda: "wallet" in node.fault_keys, within_s=400)
        await farm.until(lambda: "own-power" in node.fault_keys, within_s=300)


@pytest.mark.parametrize(("how", "reason"), [("unavailable", "away"), ("hang_everything", "no answer within")])
async def test_r15_a_chain_that_takes_no_uptime_for_41_minutes_is_a_fault(
    farm: VirtualFarm, how: str, reason: str
) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        began_s = farm.clock.monotonic()
        setattr(node.chain, how, True)
        await farm.until(lambda: "uptime" in node.fault_keys, within_s=2461)
        assert farm.clock.monotonic() - began_s > 2440, "one lost report costs nothing"
        assert reason in node.fault("uptime").message
        assert "chain.urls" in node.fault("uptime").message
        await farm.clock.sleep(3 * 3600)
        assert [told.key for told in node.recorded(FaultRaised)].count("uptime") == 1
        setattr(node.chain, how, False)
        await farm.until(lambda: "uptime" not in node.fault_keys, within_s=120)


async def test_r15_a_report_that_hangs_from_the_start_is_a_fault_after_ten_minutes(farm: VirtualFarm) -> None:
    def hang(node: VirtualNode) -> None:
        node.chain.hang_uptime = True

    async with farm.running(1, before=hang) as node:
        await farm.until(lambda: "uptime" in node.fault_keys, within_s=601)
        node.chain.hang_uptime = False
        await farm.until(lambda: "uptime" not in node.fault_keys, within_s=120)


async def test_r15_the_fault_of_an_unhealthy_node_says_what_it_costs(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        node.facts.problems = ("readonly-cache",)
        await farm.until(lambda: "uptime" in node.fault_keys, within_s=2500)
        assert "not healthy (readonly-cache); repair what these flags name" in node.fault("uptime").message
        node.facts.problems = ()
        await farm.until(lambda: not node.fault_keys, within_s=70)


async def test_a_refusal_that_is_not_for_money_says_nothing_about_the_account(farm: VirtualFarm) -> None:
    farm.ledger.refuse_next, farm.ledger.refuse_count = "stale", 1000
    async with farm.running(1) as node:
        await farm.until(lambda: "uptime" in node.fault_keys, within_s=620)
        assert "wallet" not in node.fault_keys
        assert f"{ExtrinsicRefused('report_uptime_v2', 'stale')}" in node.fault("uptime").message
        assert "try another one" in node.fault("uptime").message


async def test_r13_where_blocks_are_made_on_demand_an_old_head_is_not_watched(farm: VirtualFarm) -> None:
    clock, before = with_clock(farm, 200.0)
    async with farm.running(1, before=before, settings={"chain.best_head_age_s_max": 0.0}) as node:
        await farm.clock.sleep(100)
        assert "clock-drift" in node.fault_keys, "the refusal tells it"
        clock.step_wall_clock(-200.0)
        await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=1000)


async def test_r13_a_gateway_that_shows_an_old_block_again_is_no_evidence_against_the_clock(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vague times: each answer is another one, and still none is a block that came since."""
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        asked = itertools.count()

        async def head(kind: HeadKind) -> Head:
            return Head(kind, None, "", farm.clock.now() - 300 - next(asked) % 2, 0.0, 600.0)

        monkeypatch.setattr(node.chain, "head", head)
        await farm.clock.sleep(2 * 1200)
        assert next(asked) > 10
        assert len(node.recorded(UptimeReported)) >= 2
        assert node.fault_keys == set()
