"""What the metrics of a daemon say, in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.domain.errors import ExtrinsicFailed
from app.domain.events import (
    EventDeadLettered,
    Malformed,
    PowerOffOrdered,
    ShutdownStep,
    StayingUp,
    UptimeReported,
    WakeEnded,
)
from app.domain.faults import FaultKind
from app.domain.model import Hold, Power
from app.domain.services.operator_service import OperatorService
from tests.rigs.metered import Metered
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio


async def test_a_node_that_is_well(farm: VirtualFarm, clock: VirtualClock) -> None:
    meters: list[Metered] = []
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        before = meters[0].scrape()
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        await clock.sleep(400)
        after = meters[0].scrape()
    assert before("powerd_power_target_up") is before("powerd_last_uptime_report_timestamp_seconds") is None
    assert before("powerd_power_management_enabled") == 0
    assert before("powerd_power_management_not_enabled_info", reason="not checked yet") == 1
    assert after("powerd_node_info", node="1", farm="1", twin="2") == 1
    assert after("powerd_power_target_up") == after("powerd_power_state_up") == 1
    assert after("powerd_power_management_enabled") == 1
    assert "powerd_power_management_not_enabled_info" not in after.of
    assert after("powerd_uncredited_seconds") == after("powerd_holds") == 0
    assert after("powerd_extrinsics_total", call="report_uptime_v2", outcome="included") == 1
    assert after("powerd_last_uptime_report_timestamp_seconds") == node.recorded(UptimeReported)[0].sample.taken_at_s
    now_s = clock.now()
    for scope in ("node", "farm"):
        reconciled_at_s = after("powerd_last_reconcile_timestamp_seconds", scope=scope)
        assert reconciled_at_s is not None
        assert now_s - 340 <= reconciled_at_s <= now_s
    head_s = after("powerd_chain_head_timestamp_seconds")
    assert head_s is not None
    assert now_s - 340 <= head_s <= now_s


async def test_a_wake_and_its_packets(farm: VirtualFarm) -> None:
    meters: list[Metered] = []
    farm.put_to_sleep(2)
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)))
        during = meters[0].scrape()
        await farm.clock.sleep(50)
        await farm.report_state(2, Power.UP)
        await farm.until(lambda: bool(node.recorded(WakeEnded)), within_s=400)
        after = meters[0].scrape()
    assert during("powerd_wakes_running", overdue="false") == 1
    assert after("powerd_wakes_running", overdue="false") == 0
    assert after("powerd_wakes_total", outcome="awake") == 1
    assert after("powerd_wake_duration_seconds_count") == 1
    took_s = after("powerd_wake_duration_seconds_sum")
    assert took_s is not None
    assert took_s == pytest.approx(node.recorded(WakeEnded)[0].took_s)
    assert 50 <= took_s < 400
    assert after("powerd_magic_packets_total", outcome="sent") == len(node.packets_to(2))
    assert after("powerd_events_total", outcome="handled") == 1
    handled_at_s = after("powerd_last_event_timestamp_seconds")
    assert handled_at_s is not None
    assert handled_at_s <= farm.clock.now()


async def test_a_wake_that_is_not_wanted_any_more_has_no_duration(farm: VirtualFarm) -> None:
    meters: list[Metered] = []
    farm.put_to_sleep(2)
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)))
        await farm.set_target(2, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(WakeEnded)), within_s=60)
        after = meters[0].scrape()
    assert after("powerd_wakes_total", outcome="unwanted") == 1
    assert after("powerd_wake_duration_seconds_count") == 0


async def test_what_keeps_a_node_up_and_what_is_wrong(farm: VirtualFarm) -> None:
    meters: list[Metered] = []
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        node.holds.place(Hold("backup", "copies", None))
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(StayingUp)))
        node.container.faults().report(FaultKind.ENDPOINT.key("wss://one"), "out")
        held = meters[0].scrape()
        node.container.faults().clear(FaultKind.ENDPOINT.key("wss://one"))
        after = meters[0].scrape()
    assert held("powerd_holds") == 1
    assert held("powerd_staying_up", guard="held") == 1
    assert held("powerd_power_target_up") == 0
    assert held("powerd_fault", key="endpoint-wss://one", kind="endpoint", urgency="this_week") == 1
    assert "powerd_fault" not in after.of


async def test_a_power_off_that_was_aborted(farm: VirtualFarm) -> None:
    meters: list[Metered] = []
    async with farm.running(1, before=lambda node: meters.append(Metered(node))):
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: farm.state(1) is Power.DOWN, within_s=200)
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=200)
        aborted = meters[0].scrape()
        await farm.clock.sleep(30)
        uncredited = meters[0].scrape()
    assert sum(aborted.of["powerd_shutdowns_aborted_total"].values()) == 1
    assert aborted("powerd_extrinsics_total", call="change_power_state", outcome="included") == 2
    seconds = uncredited("powerd_uncredited_seconds")
    assert seconds is not None
    assert seconds > 30
    assert uncredited("powerd_uncredited_deadline_timestamp_seconds", deadline="boot") is not None


async def test_a_power_off(farm: VirtualFarm) -> None:
    meters: list[Metered] = []
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(ShutdownStep)))
        during = meters[0].scrape()
        await farm.until(lambda: bool(node.recorded(PowerOffOrdered)), within_s=400)
        after = meters[0].scrape()
    assert during("powerd_shutdown_step_info", step=node.steps[0]) == 1
    assert after("powerd_power_orders_total", order="power-off", forced="false") == 1
    assert after("powerd_power_orders_total", order="power-off", forced="true") == 0


async def test_what_fails_is_counted(farm: VirtualFarm) -> None:
    meters: list[Metered] = []

    def trouble(node: VirtualNode) -> None:
        meters.append(Metered(node))
        node.facts.problems = ("readonly-cache",)
        node.packets.failing = True

    farm.put_to_sleep(2)
    async with farm.running(1, before=trouble) as node:
        await node.deliver(Malformed("rubbish"))
        await farm.until(lambda: bool(node.recorded(EventDeadLettered)))
        await farm.set_target(2, Power.UP)
        await farm.clock.sleep(20)
        after = meters[0].scrape()
    assert after("powerd_events_total", outcome="dead") == 1
    failed = after("powerd_magic_packets_total", outcome="failed")
    assert failed is not None
    assert failed > 0
    assert after("powerd_magic_packets_total", outcome="sent") == 0
    skipped = after("powerd_uptime_reports_skipped_total")
    assert skipped is not None
    assert skipped >= 1
    assert after("powerd_fault", key="magic-packets") == 1
    assert after("powerd_fault", key="unhealthy", urgency="at_once") == 1


async def test_extrinsics_and_events_that_fail(farm: VirtualFarm) -> None:
    meters: list[Metered] = []

    def trouble(node: VirtualNode) -> None:
        meters.append(Metered(node))
        node.chain.unavailable = True

    async with farm.running(1, before=trouble) as node:
        await farm.set_target(2, Power.UP)
        await farm.clock.sleep(30)
        away = meters[0].scrape()
        node.chain.unavailable = False
        node.chain.fail_uptime = ExtrinsicFailed("report_uptime_v2", "InvalidTimestampHint", "0xabc")
        await farm.clock.sleep(120)
        refused = meters[0].scrape()
    for name, labels in (
        ("powerd_extrinsics_total", {"call": "report_uptime_v2", "outcome": "not_sent"}),
        ("powerd_events_total", {"outcome": "retried"}),
        ("powerd_operations_failed_total", {"doing": "handling events"}),
    ):
        count = away(name, **labels)
        assert count is not None
        assert count > 0
    failed = refused("powerd_extrinsics_total", call="report_uptime_v2", outcome="failed")
    assert failed is not None
    assert failed > 0
    assert refused("powerd_events_total", outcome="handled") == 1


async def test_a_reason_from_outside_can_always_be_written(farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    meters: list[Metered] = []
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        await farm.until(lambda: bool(node.recorded(UptimeReported)))
        told = replace(node.container.operator().status(), not_enabled='half of a character, \ud800, "quotes"\n')
        monkeypatch.setattr(OperatorService, "status", lambda _: told)
        after = meters[0].scrape()
    reason = 'half of a character, ?, "quotes"\n'
    assert after("powerd_power_management_not_enabled_info", reason=reason) == 1
    assert after("powerd_power_management_enabled") == 0
