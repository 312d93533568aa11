"""R8: uptime arrives fresh, in time, and counts as sent only when it was."""

from __future__ import annotations

import itertools

import pytest

from app.domain.errors import ExtrinsicFailed, ExtrinsicUncertain
from app.domain.events import Reconciled, UptimeReported, UptimeSkipped
from app.domain.model import Inclusion, UptimeSample
from app.domain.rules.uptime import stood_still_s
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio


def unhealthy(node: VirtualNode) -> None:
    node.facts.problems = ("readonly-cache",)


async def test_reports_at_boot_and_every_twenty_minutes_counted_from_the_sample(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(3 * 1200 + 60)
        taken = [report.sample.taken_at_s for report in node.recorded(UptimeReported)]
    assert len(taken) == 4
    assert all(abs(b - a - 1200) <= 1 for a, b in itertools.pairwise(taken))


async def test_a_retry_takes_a_new_sample(farm: VirtualFarm) -> None:
    async with farm.running(1, before=lambda node: node.chain.refuse_uptime(times=3)) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=120)
        report = node.recorded(UptimeReported)[0]
        assert farm.clock.now() - report.sample.taken_at_s < 15
    assert len(set(node.chain.samples)) == len(node.chain.samples) == 4


async def test_r13_two_reports_never_carry_the_same_second_though_the_fate_of_the_first_is_unknown(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        node.chain.lose_sight_of_next = True
        uptime = node.container.services().uptime
        with pytest.raises(ExtrinsicUncertain):
            await uptime.send_now()
        await uptime.send_now()
        seconds = [sample.uptime_s for sample in node.chain.samples]
    assert len(set(seconds)) == len(seconds) == 3


async def test_an_unhealthy_node_skips_and_looks_again_soon(farm: VirtualFarm) -> None:
    async with farm.running(1, before=unhealthy) as node:
        await farm.until(lambda: bool(node.recorded(UptimeSkipped)), within_s=10)
        await farm.clock.sleep(300)
        assert not node.recorded(UptimeReported)
        assert "unhealthy" in node.fault_keys
        node.facts.problems = ()
        await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=90)
        await farm.until(lambda: "unhealthy" not in node.fault_keys, within_s=5)


async def test_skipped_is_not_success(farm: VirtualFarm) -> None:
    async with farm.running(1, before=unhealthy) as node:
        result = await node.container.services().uptime.send_now()
        assert result == UptimeSkipped(("readonly-cache",))
        assert not node.container.services().uptime.reported_once.is_set()


async def test_the_first_reconcile_waits_for_the_first_report_but_not_for_ever(farm: VirtualFarm) -> None:
    def hang(node: VirtualNode) -> None:
        node.chain.hang_uptime = True

    async with farm.running(1, before=hang) as node:
        await farm.clock.sleep(59)
        assert not [r for r in node.recorded(Reconciled) if r.trigger.startswith("itself")]
        await farm.clock.sleep(5)
        assert [r for r in node.recorded(Reconciled) if r.trigger.startswith("itself")]


async def test_the_first_reconcile_does_not_wait_for_an_unhealthy_nodes_report(farm: VirtualFarm) -> None:
    async with farm.running(1, before=unhealthy) as node:
        await farm.clock.sleep(5)
        assert [r for r in node.recorded(Reconciled) if r.trigger.startswith("itself")]


async def test_a_drift_that_cannot_be_measured_is_a_fault_all_the_same(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        node.chain.fail_uptime = ExtrinsicFailed("report_uptime_v2", "InvalidTimestampHint", "0x1")
        node.chain.unavailable = True
        await farm.until(lambda: "clock-drift" in node.fault_keys, within_s=2500)


async def test_a_chain_that_stands_still_after_it_refused_the_time_of_a_report_does_not_end_the_daemon(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain that halts for a minute takes a waiting report late, refuses its time, and may halt again."""

    async def refuse_late(_: object) -> Inclusion:
        farm.ledger.hold_blocks = True
        await farm.clock.sleep(90)
        raise ExtrinsicFailed("report_uptime_v2", "InvalidTimestampHint", "0x1")

    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        with monkeypatch.context() as patch:
            patch.setattr(node.chain, "report_uptime", refuse_late)
            await farm.until(lambda: "clock-drift" in node.fault_keys, within_s=1500)
        farm.ledger.hold_blocks = False
        await farm.until(lambda: len(node.recorded(UptimeReported)) > 1, within_s=300)
        await farm.until(lambda: "clock-drift" not in node.fault_keys, within_s=5)


async def test_another_failure_says_nothing_about_the_clock(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        node.chain.fail_uptime = ExtrinsicFailed("report_uptime_v2", "NodeNotExists", "0x1")
        await farm.clock.sleep(2500)
        assert "clock-drift" not in node.fault_keys


async def test_r15_a_time_that_is_refused_though_the_clock_is_right_is_a_fault_and_no_storm(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        node.chain.fail_uptime = ExtrinsicFailed("report_uptime_v2", "InvalidTimestampHint", "0x1")
        tried = len(node.chain.samples)
        await farm.clock.sleep(1200 + 600)
        assert "the chain refused the time of an uptime report" in node.fault("clock-drift").message
        assert 3 <= len(node.chain.samples) - tried <= 6
        node.chain.fail_uptime = None
        await farm.until(lambda: "clock-drift" not in node.fault_keys, within_s=1600)


@pytest.mark.parametrize(
    ("gap_s", "grew_s", "uptime_s", "lack_s"),
    [
        (1200, 1200, 9000, 0),
        (1200, 1021, 9000, 0),
        (1200, 1019, 9000, 181),
        (4800, 1200, 9000, 3600),
        (1200, 1500, 9000, 0),
        (9000, 1200, 9120, 0),
    ],
    ids=["as usual", "the clocks may explain it", "paused", "paused for an hour", "more than the gap", "as a boot"],
)
def test_r13_an_uptime_that_stood_still_is_one_that_no_difference_of_clocks_explains(
    gap_s: int, grew_s: int, uptime_s: int, lack_s: float
) -> None:
    before, now = UptimeSample(uptime_s - grew_s, 1_700_000_000), UptimeSample(uptime_s, 1_700_000_000 + gap_s)
    assert stood_still_s(before, now) == lack_s


async def test_r13_a_virtual_machine_that_was_paused_reports_nothing_that_costs_the_month_until_it_boots(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10_000)
        reports = len(node.recorded(UptimeReported))
        node.facts.stand_still(300)
        await farm.until(lambda: "uptime" in node.fault_keys, within_s=1300)
        for words in ("stood still for 300 s", "costs the month", "reboot this machine"):
            assert words in node.fault("uptime").message
        await farm.clock.sleep(5000)
        assert len(node.recorded(UptimeReported)) == reports
        assert "reboot this machine" in node.fault("uptime").message
    async with farm.running(1) as booted:
        await farm.until(lambda: bool(booted.recorded(UptimeReported)), within_s=60)
        assert not booted.fault_keys
