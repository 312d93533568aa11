"""Nodes that the farmer may lose, though powerd keeps every promise: listed before the run and after it (R14)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.plan.at_risk import Risk, unwakeable
from app.entrypoints.simulator.plan.plan import NodePlan
from app.entrypoints.simulator.report.exit_codes import NODES_AT_RISK
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.run import run
from tests.simulation.farms import fault, scripted

ALONE_IN_THE_CELLAR = (NodePlan(id=1), NodePlan(id=2), NodePlan(id=3, segment="cellar"))
MAC = "52:54:00:00:00:01"


def risks(outcome: Outcome) -> list[tuple[int, Risk]]:
    return [(each.node, each.risk) for each in outcome.at_risk]


@pytest.mark.parametrize(
    ("farm", "reason"),
    [
        ((NodePlan(id=1),), "it is the only node of its farm"),
        (ALONE_IN_THE_CELLAR, "no other node of its farm is in segment 'cellar'"),
        ((NodePlan(id=1), NodePlan(id=2, can_be_woken=False)), "its card does not support Wake-on-LAN"),
        ((NodePlan(id=1), NodePlan(id=2, chain_mac="unusable")), "the chain has 'unusable' as its MAC"),
        ((NodePlan(id=1), NodePlan(id=2, mac=MAC, chain_mac="52:54:00:00:00:02")), "the chain has '52:54:00:00:00:02'"),
    ],
)
def test_r14_the_plan_alone_shows_who_can_be_woken_by_no_other_node(farm: tuple[NodePlan, ...], reason: str) -> None:
    (at_risk,) = unwakeable(scripted(farm=farm))
    assert at_risk.node == farm[-1].id
    assert reason in at_risk.detail


def test_a_farm_in_which_each_node_can_be_woken_has_no_node_at_risk() -> None:
    assert run(scripted((600, 2, "Down"), (3600, 2, "Up"))).at_risk == []
    assert list(unwakeable(scripted(farm=(NodePlan(id=1), NodePlan(id=2, mac=MAC, chain_mac=MAC.upper()))))) == []


def test_a_node_that_is_wanted_up_and_dark_at_the_end_is_at_risk_and_its_darkness_saves_nothing() -> None:
    outcome = run(scripted((600, 3, "Down"), (3600, 3, "Up"), farm=ALONE_IN_THE_CELLAR))
    assert outcome.kept, "powerd could do nothing about it"
    assert risks(outcome) == [(3, Risk.UNWAKEABLE), (3, Risk.DARK_AND_WANTED)]
    assert outcome.energy.saved_kwh == pytest.approx(0.0)


def test_a_wake_that_has_just_begun_is_no_risk() -> None:
    end_s = 4 * 3600
    assert run(scripted((600, 2, "Down"), (end_s - 60, 2, "Up"))).at_risk == []


def test_a_node_that_was_dark_for_more_than_24_hours_is_at_risk_though_it_was_not_wanted() -> None:
    outcome = run(scripted((600, 2, "Down"), (600 + 25 * 3600, 2, "Up"), hours=27))
    assert risks(outcome) == [(2, Risk.DARK_TOO_LONG)]
    assert outcome.energy.saved_kwh == pytest.approx(0.0)
    assert run(scripted((600, 2, "Down"), (600 + 23 * 3600, 2, "Up"), hours=27)).at_risk == []


def test_a_machine_that_crashed_and_stays_so_is_at_risk_as_a_dark_one_is() -> None:
    outcome = run(scripted(hours=3, faults=(fault("crash", 1000, "node 2", for_s=20_000),)))
    assert risks(outcome) == [(2, Risk.DARK_AND_WANTED)]


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *arguments], prog_name="powerd")


@pytest.fixture
def farm_file(tmp_path: Path) -> str:
    file = tmp_path / "farm.toml"
    nodes = "[[farm.node]]\nid = 1\n[[farm.node]]\nid = 2\n[[farm.node]]\nid = 3\nsegment = 'cellar'\n"
    file.write_text(f"[[farm]]\nid = 1\n{nodes}")
    return str(file)


def test_the_command_says_so_once_before_the_run_and_has_an_exit_code_for_it(farm_file: str) -> None:
    done = simulate("--farm-file", farm_file, "--hours", "2")
    assert done.exit_code == NODES_AT_RISK == 3
    line = "node 3: cannot be woken by any other node (no other node of its farm is in segment 'cellar')"
    before, _, after = done.stdout.partition("nodes / farms")
    assert line in before
    assert "NODES AT RISK" not in after
    assert "promises were kept" in after


def test_json_has_them_and_nothing_else_is_printed(farm_file: str) -> None:
    done = simulate("--farm-file", farm_file, "--hours", "2", "--json")
    assert done.exit_code == NODES_AT_RISK
    (at_risk,) = json.loads(done.stdout)["at_risk"]
    assert (at_risk["node"], at_risk["risk"]) == (3, "cannot be woken by any other node")


def test_a_comparison_counts_them(farm_file: str) -> None:
    done = simulate("compare", "always-on", "bot", "--farm-file", farm_file, "--hours", "2")
    assert done.exit_code == NODES_AT_RISK
    names_them = f"powerd simulate --hours 2 --policy always-on --farm-file {farm_file} --seed 1"
    assert f"A: NODES AT RISK: 1; this names them: {names_them}" in done.stdout
    assert [line.split()[-3:] for line in done.stdout.splitlines() if "nodes at risk" in line] == [["1", "1", "0"]]


@pytest.mark.parametrize(("nodes", "farms"), [(1, 1), (12, 1), (199, 1), (1000, 10)])
def test_nodes_without_a_number_of_farms_are_one_farm_a_hundred(nodes: int, farms: int) -> None:
    assert len(plan_of(WorldRequest(nodes=nodes)).farms) == farms
