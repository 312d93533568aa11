"""Each alert rule fires for a daemon in that condition, and no other rule does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
import yaml

from app.adapters.prometheus.metrics import METRICS, Kind
from app.domain.errors import ExtrinsicFailed
from app.domain.events import Malformed
from app.domain.faults import FaultKind
from app.domain.model import Hold, NodeId, Power
from app.entrypoints.documents.alerts import (
    ALERTS,
    NOT_SEEN,
    OF_THE_FOLLOWER,
    OTHERS,
    SEVERITY,
    Alert,
    document,
    of_fault,
)
from tests.rigs import promtool
from tests.rigs.metered import Metered
from tests.rigs.promql import Scrapes, selectors
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

RULES = Path(__file__).resolve().parents[2] / "packaging/prometheus/powerd.rules.yaml"
STEP_S = 300
BY_NAME = {alert.name: alert for alert in ALERTS}


# -- the file ------------------------------------------------------------------------------------------
def test_the_file_is_up_to_date_and_is_yaml() -> None:
    assert RULES.read_text() == document(), "run python -m app.entrypoints.documents.alerts"
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [alert.name for alert in ALERTS]
    assert {rule["labels"]["severity"] for rule in group["rules"]} == set(SEVERITY.values())
    assert all(rule["annotations"]["summary"] and rule["annotations"]["description"] for rule in group["rules"])


def test_promtool_takes_the_file() -> None:
    promtool.needed()
    promtool.run("check", "rules", str(RULES))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_metric_and_label_that_a_rule_names_is_declared(alert: Alert) -> None:
    declared = {metric.name: metric for metric in METRICS}
    named = list(selectors(alert.expr))
    assert named
    for name, matchers in named:
        if name == "up":
            continue
        base = re.sub(r"_(sum|count)$", "", name)
        metric = declared[base]
        assert base == name or metric.kind is Kind.HISTOGRAM
        for label, how, wanted in matchers:
            values = metric.labels[label]
            assert not values or how == "=~" or wanted in values
            if metric.name == "powerd_fault" and label == "kind":
                assert wanted.upper() in FaultKind.__members__
            if how == "=~":
                assert set(wanted.split("|")) <= set(values)


def test_every_fault_of_the_daemon_has_a_rule_with_its_meaning_and_remedy() -> None:
    for kind in FaultKind:
        alert = of_fault(kind)
        assert (alert is None) == (kind in OF_THE_FOLLOWER | NOT_SEEN)
        if alert is not None:
            assert (alert.summary, alert.action) == (kind.meaning, kind.remedy)
    assert len(BY_NAME) == len(ALERTS)


# -- daemons in these conditions -----------------------------------------------------------------------
class Watched:
    """A node whose daemon Prometheus scrapes every five minutes of virtual time."""

    def __init__(self, farm: VirtualFarm, scrapes: Scrapes, before: Callable[[VirtualNode], None]) -> None:
        self.farm = farm
        self.scrapes = scrapes
        self._before = before

    def meet(self, node: VirtualNode) -> None:
        self.node = node
        self._meter = Metered(node)
        self._before(node)

    async def pass_by(self, seconds: float, before_scrape: Callable[[], None] = lambda: None) -> None:
        for _ in range(round(seconds / STEP_S)):
            await self.farm.clock.sleep(STEP_S)
            before_scrape()
            self.scrapes.add(self.farm.clock.now(), self._meter.scrape())

    def unreachable(self, seconds: float) -> None:
        at_s = self.scrapes.taken[-1][0]
        for number in range(round(seconds / STEP_S)):
            self.scrapes.add(at_s + (number + 1) * STEP_S, None)


Condition = Callable[[Watched], Awaitable[None]]


async def never(*_: object, **__: object) -> None:
    await asyncio.Event().wait()


async def well(watched: Watched) -> None:
    await watched.farm.set_target(2, Power.UP)
    await watched.pass_by(7200)


async def unreachable(watched: Watched) -> None:
    await watched.pass_by(900)
    watched.unreachable(1200)


async def asleep(watched: Watched) -> None:
    """No alert: its target was Down when it was last seen."""
    watched.node.holds.place(Hold("backup", "copies", watched.farm.clock.now() + 1000))
    await watched.farm.set_target(1, Power.DOWN)
    await watched.pass_by(900)
    watched.unreachable(1200)


async def hangs(watched: Watched) -> None:
    await watched.pass_by(300)
    watched.node.holds.active = never  # type: ignore[assignment, method-assign]
    await watched.pass_by(1800)


async def no_report(watched: Watched) -> None:
    """And the daemon does not notice."""
    await watched.pass_by(300)
    watched.node.chain.hang_uptime = True
    silence = FaultKind.UPTIME.key()
    await watched.pass_by(3600, lambda: watched.node.container.faults().clear(silence))


async def not_reconciled(watched: Watched) -> None:
    await watched.pass_by(300)

    async def fails(**_: object) -> object:
        raise ExtrinsicFailed("x", "y", "z")

    watched.node.container.services().observer.look = fails  # type: ignore[assignment, method-assign]
    await watched.pass_by(1800, lambda: watched.node.container.faults().clear(FaultKind.OWN_POWER.key()))


async def farm_not_reconciled(watched: Watched) -> None:
    await watched.pass_by(300)

    async def fails(**_: object) -> object:
        raise ExtrinsicFailed("x", "y", "z")

    watched.node.container.services().farm.peers = fails  # type: ignore[assignment, method-assign]
    await watched.pass_by(7200, lambda: watched.node.container.faults().clear(FaultKind.FARM_POWER.key()))


async def old_head(watched: Watched) -> None:
    await watched.pass_by(300)
    watched.farm.ledger.produce = lambda _: None  # type: ignore[assignment, method-assign]
    await watched.pass_by(2100)


async def deadline_near(watched: Watched) -> None:
    await watched.farm.set_target(1, Power.DOWN)
    await watched.farm.until(lambda: watched.farm.state(1) is Power.DOWN, within_s=200)
    await watched.farm.set_target(1, Power.UP)
    await watched.pass_by(900)


async def stays_up(watched: Watched) -> None:
    watched.node.holds.place(Hold("backup", "copies", None))
    await watched.farm.set_target(1, Power.DOWN)
    await watched.pass_by(9000)


async def extrinsics_fail(watched: Watched) -> None:
    await watched.pass_by(300)
    watched.node.chain.fail_uptime = ExtrinsicFailed("report_uptime_v2", "Odd", "0xabc")
    await watched.pass_by(4 * 3600, lambda: watched.node.container.faults().clear(FaultKind.UPTIME.key()))


async def unreadable_events(watched: Watched) -> None:
    await watched.pass_by(600)
    await watched.node.deliver(Malformed("rubbish"))
    await watched.pass_by(600)


async def slow_wakes(watched: Watched) -> None:
    watched.farm.put_to_sleep(2)
    await watched.pass_by(300)
    await watched.farm.set_target(2, Power.UP)
    await watched.pass_by(1500)
    await watched.farm.report_state(2, Power.UP)
    await watched.pass_by(1200)


CONDITIONS: Mapping[str, tuple[Condition, set[str]]] = {
    "well": (well, set()),
    "unreachable": (unreachable, {"PowerdUnreachable"}),
    "asleep": (asleep, set()),
    "hangs": (hangs, {"PowerdUnhealthy", "PowerdNotReconciled"}),
    "no report": (no_report, {"PowerdNoUptimeReport"}),
    "not reconciled": (not_reconciled, {"PowerdNotReconciled"}),
    "farm not reconciled": (farm_not_reconciled, {"PowerdFarmNotReconciled"}),
    "old head": (old_head, {"PowerdOldHead"}),
    "deadline near": (deadline_near, {"PowerdDeadlineNear", "PowerdFaultUncredited"}),
    "stays up": (stays_up, {"PowerdStaysUp"}),
    "extrinsics fail": (extrinsics_fail, {"PowerdExtrinsicsFail", "PowerdNoUptimeReport"}),
    "unreadable events": (unreadable_events, {"PowerdUnreadableEvents"}),
    "slow wakes": (slow_wakes, {"PowerdSlowWakes"}),
}
"""Daemons, and which rules fire then; ``for`` is not waited for here."""


def firing(scrapes: Scrapes) -> set[str]:
    return {alert.name for alert in ALERTS if scrapes.fires(alert.expr)}


async def scraped(farm: VirtualFarm, condition: Condition) -> Scrapes:
    scrapes = Scrapes()
    watched = Watched(farm, scrapes, lambda _: None)
    settings: dict[str, object] = {"power_management.reboot_after_aborted_sleep": False}
    async with farm.running(1, before=watched.meet, settings=settings):
        await condition(watched)
    return scrapes


@pytest.mark.parametrize("name", CONDITIONS)
async def test_a_rule_fires_for_a_daemon_in_its_condition_and_no_other_does(
    farm: VirtualFarm, name: str, tmp_path: Path
) -> None:
    condition, expected = CONDITIONS[name]
    scrapes = await scraped(farm, condition)
    assert firing(scrapes) == expected
    promtool.agrees(scrapes, RULES, expected, tmp_path, STEP_S)


async def test_a_daemon_that_starts_again_and_again(farm: VirtualFarm, tmp_path: Path) -> None:
    scrapes = Scrapes()
    for number in range(5):
        watched = Watched(farm, scrapes, lambda _: None)
        async with farm.running(1, before=watched.meet, same_boot=number > 0):
            await watched.pass_by(300)
    assert firing(scrapes) == {"PowerdRestarts"}
    promtool.agrees(scrapes, RULES, {"PowerdRestarts"}, tmp_path, STEP_S)


async def test_each_fault_fires_its_rule_and_no_other(farm: VirtualFarm) -> None:
    scrapes = Scrapes()
    watched = Watched(farm, scrapes, lambda _: None)
    async with farm.running(1, before=watched.meet):
        await watched.pass_by(300)
        board = watched.node.container.faults()
        for kind in FaultKind:
            key = kind.key(NodeId(7) if "{}" in kind.pattern else "")
            await watched.pass_by(STEP_S, partial(board.report, key, "something is wrong"))
            board.clear(key)
            alert = of_fault(kind)
            assert firing(scrapes) == (set() if alert is None else {alert.name}), kind


def test_every_rule_is_tried() -> None:
    tried = {"PowerdRestarts"}.union(*(expected for _, expected in CONDITIONS.values()))
    assert {alert.name for alert in OTHERS} <= tried
