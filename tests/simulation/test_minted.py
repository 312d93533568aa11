"""What the grid's minting credits the nodes of a run (docs/minting.md), and to whom lost time is lost."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from app.domain.minting.month import Loss, Month
from app.domain.model import NodeId, Power
from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.income import minted
from app.entrypoints.simulator.income.lost_to import Attribution, LostTo
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.plan.farmer_policies import Bot, NodeView
from app.entrypoints.simulator.plan.plan import BotPlan
from app.entrypoints.simulator.report.data import report_data
from app.entrypoints.simulator.run.run import run
from app.entrypoints.simulator.world.fault_history import FaultHistory
from tests.simulation.defects import DEFECTS
from tests.simulation.farms import fault, scripted

HOUR = 3600


def test_a_farm_whose_nodes_sleep_and_wake_in_time_is_credited_whole() -> None:
    income = run(plan_of(WorldRequest(nodes=8, hours=48, load=0.1))).income
    assert min(income.credited_s.values()) >= 48 * HOUR - 120
    assert (income.lost, income.slow_boots, income.months, income.months_lost) == ([], 0, 8, {})
    assert income.lost_otherwise_s == 8 * 48 * HOUR - sum(income.credited_s.values()), "before the first reports"


def test_a_sleep_of_more_than_24_hours_is_lost_to_the_farmer_whose_script_says_so() -> None:
    outcome = run(scripted((600, 2, "Down"), (600 + 25 * HOUR, 2, "Up"), hours=27))
    (lost,) = outcome.income.lost
    assert (lost.node, lost.loss, lost.to) == (2, Loss.OVERSLEPT, LostTo.FARMER)
    assert 25 * HOUR <= lost.seconds <= 25 * HOUR + 300
    assert list(outcome.income.months_lost) == [2]


def test_a_wake_that_faults_held_up_is_a_slow_boot_and_is_lost_to_them() -> None:
    deaf = fault("deaf", 3500, "node 2", 2400)
    outcome = run(scripted((600, 2, "Down"), (3600, 2, "Up"), faults=(deaf,)))
    assert outcome.income.slow_boots == 1
    assert {each.to for each in outcome.income.lost} == {LostTo.FAULTS}


def test_a_machine_without_mains_earns_nothing_meanwhile() -> None:
    outcome = run(scripted(hours=8, faults=(fault("power-cut", HOUR, "node 2", 2 * HOUR),)))
    (lost,) = outcome.income.lost
    assert (lost.loss, lost.to) == (Loss.REBOOT, LostTo.FAULTS)
    assert 2 * HOUR <= lost.seconds <= 2 * HOUR + 2460, "and what ran since the last report before"


def test_a_long_run_is_judged_period_by_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minted, "LENGTH_S", 5 * HOUR)
    outcome = run(scripted((4 * HOUR, 2, "Down"), (7 * HOUR, 2, "Up"), nodes=2, hours=12))
    assert outcome.income.months == 3 * 2
    assert (outcome.income.months_lost, outcome.income.lost) == ({}, []), "a sleep over a boundary is credited in both"


def test_money_lost_is_that_of_lost_months_and_of_shares_not_credited() -> None:
    plan = scripted((600, 2, "Down"), (600 + 25 * HOUR, 2, "Up"), nodes=2, hours=27)
    income = run(plan).income
    month_h = 2_630_880 / HOUR
    assert income.lost_money(20.0) == pytest.approx(20.0 * 27 / month_h, rel=0.01), "all that node 2 could have earned"


def test_the_page_shows_shares_and_what_every_lost_hour_was_lost_to() -> None:
    outcome = run(scripted((600, 2, "Down"), (600 + 25 * HOUR, 2, "Up"), hours=27))
    data = report_data(outcome)
    assert data.credited[0][0] == 2
    assert data.credited[0][2].endswith("% credited")
    assert data.lost["lost: OVERSLEPT"] == "not credited: asleep for more than 24 hours"
    assert "lost: OVERSLEPT" in [data.marks[mark] for mark in outcome.timelines[2][1::2]]
    assert "credited by the grid" in [tile[0] for tile in data.tiles]


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *arguments], prog_name="powerd")


@pytest.fixture
def farm_file(tmp_path: Path) -> str:
    file = tmp_path / "farm.toml"
    nodes = "".join(f"[[farm.node]]\nid = {node}\n" for node in (1, 2, 3))
    file.write_text(f"[[farm]]\nid = 1\n{nodes}[income]\nper_node_and_month = 20.0\n")
    return str(file)


def test_the_table_and_a_comparison_show_income_beside_electricity(farm_file: str) -> None:
    table = simulate("--farm-file", farm_file, "--hours", "5", "--load", "0").stdout
    assert re.search(r"credited +(99\.9\d|100\.00)% of the time", table)
    assert "lost to powerd / faults    0 s / 0 s" in table
    assert "income lost                0.00 EUR" in table
    compared = simulate("compare", "always-on", "bot", "--farm-file", farm_file, "--hours", "5", "--load", "0").stdout
    assert "saved − lost, EUR" in compared


def test_json_has_every_loss_with_its_reason() -> None:
    arguments = ("--nodes", "3", "--hours", "4", "--faults", "storm:power-cut", "--policy", "always-on", "--json")
    income = json.loads(simulate(*arguments).stdout)["income"]
    assert income["months"] == 3
    assert {lost["to"] for lost in income["lost"]} == {"faults"}


def view(node: int, *, slow_boots: int) -> NodeView:
    return NodeView(NodeId(node), Power.UP, 0.0, 0.0, 8, 0, slow_boots)


def test_the_bot_lets_a_node_sleep_no_more_after_a_slow_boot() -> None:
    nodes = [view(1, slow_boots=0), view(2, slow_boots=1), view(3, slow_boots=0)]
    assert Bot(BotPlan()).targets(nodes, 0, 10 * HOUR) == {1: Power.DOWN, 3: Power.DOWN}


def test_the_bot_wakes_by_the_mintings_clock_whatever_the_state_said_since() -> None:
    day = NodeView(NodeId(1), Power.DOWN, None, 23 * HOUR, 8, 0, 0, 100.0)
    awake = [replace(view(n, slow_boots=0), used=4) for n in (2, 3)]
    assert Bot(BotPlan()).targets([day, *awake], 0, 23.5 * HOUR) == {1: Power.UP}
    assert Bot(BotPlan()).targets([replace(day, window_since_s=23 * HOUR), *awake], 0, 23.5 * HOUR) == {}


def test_a_run_of_less_than_a_second_is_a_run() -> None:
    assert run(scripted(hours=0.0001)).income.months == 3


def test_a_short_fault_does_not_excuse_a_long_gap_between_reports() -> None:
    def gap_of(seconds: float) -> LostTo:
        troubles = FaultHistory(lambda: now_s)
        now_s = 2400.0
        troubles.begin("extrinsics-lost")
        now_s += seconds
        troubles.end("extrinsics-lost")
        machine = SimpleNamespace(fault_history=troubles)
        attribution = Attribution(SimpleNamespace(plan=scripted()), 0)  # type: ignore[arg-type]  # all that it reads here
        return attribution.of(machine, Month(NodeId(1)), Loss.GAP, 2460.0, 4800.0)  # type: ignore[arg-type]

    assert gap_of(90.0) is LostTo.POWERD
    assert gap_of(2300.0) is LostTo.FAULTS


def test_what_powerd_lost_breaks_the_promise_and_what_a_fault_took_does_not() -> None:
    cut = fault("power-cut", HOUR, "node 2", 600)
    assert run(scripted(hours=4, faults=(cut,))).kept
    aborted = scripted((600, 2, "Down"), (632, 2, "Up"), hours=4)
    assert run(aborted).kept
    outcome = run(aborted, build=DEFECTS["says Up and stays"].build)
    assert outcome.broken == {"no_paid_hour_lost": 1}
    assert "said Down, stayed on" in outcome.violations[0].detail


def test_nodes_that_a_script_leaves_without_a_waker_are_lost_to_the_farmer() -> None:
    lines = [(600.0, node, "Down") for node in (1, 2)] + [(3600.0, 2, "Up")]
    off: dict[str, object] = {"power_management.last_waker_guard": False}
    income = run(scripted(*lines, nodes=2, hours=4, settings=off)).income
    assert {(lost.node, lost.to) for lost in income.lost} == {(2, LostTo.FARMER)}
