"""What a farmer reads of a month: the farm file, runs of days, and figures per month, on a page of a bearable size."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from app.domain.minting.period import LENGTH_S
from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.input.example import EXAMPLE
from app.entrypoints.simulator.input.farm_file import FarmFile, read_farm_file
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.plan.plan import (
    BotPlan,
    ChainPlan,
    EnergyPlan,
    IncomePlan,
    NodePlan,
    Part,
    WorkloadPlan,
)
from app.entrypoints.simulator.report import data as report_data_module
from app.entrypoints.simulator.report.data import report_data, thinned
from app.entrypoints.simulator.report.month import month_of
from app.entrypoints.simulator.report.next_steps import next_steps
from app.entrypoints.simulator.report.page import report_page_of
from app.entrypoints.simulator.report.progress import progress_bar
from app.entrypoints.simulator.report.summary import figures
from app.entrypoints.simulator.run import thinning
from app.entrypoints.simulator.run.merging import Details
from app.entrypoints.simulator.run.run import run
from tests.rigs.documents import block
from tests.simulation.farms import scripted

NUMBER = re.compile(r"\d+(?:\.\d+)?")


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *arguments], prog_name="powerd")


@pytest.fixture
def example(tmp_path: Path) -> Path:
    file = tmp_path / "farm.toml"
    file.write_text(simulate("--example").stdout)
    return file


def test_the_example_names_everything_that_a_farm_file_can_hold(example: Path) -> None:
    parts: dict[str, type[Part]] = {
        "[[farm.node]]": NodePlan,
        "[bot]": BotPlan,
        "[workload]": WorkloadPlan,
        "[energy]": EnergyPlan,
        "[income]": IncomePlan,
        "[chain]": ChainPlan,
    }
    tables = set(re.findall(r"^\[+(\w+)", EXAMPLE, re.MULTILINE))
    assert tables == {field.name for field in msgspec.structs.fields(FarmFile)}
    for title, part in parts.items():
        section = EXAMPLE.partition(f"\n{title}\n")[2].partition("\n[")[0]
        written = set(re.findall(r"^(\w+) = ", section, re.MULTILINE))
        assert written == {field.name for field in msgspec.structs.fields(part)} - {"trace"}, title
    assert read_farm_file(example).farms[0].nodes[2].slots == 32


def test_the_values_of_the_example_are_the_defaults(example: Path) -> None:
    read = read_farm_file(example)
    assert (read.bot, read.workload, read.energy, read.chain) == (
        BotPlan(),
        WorkloadPlan(),
        EnergyPlan(),
        ChainPlan(),
    )
    first = read.farms[0].nodes[0]
    own = {"mac": "", "asleep_w": None, "idle_w": None, "busy_w": None, "price_per_kwh": None, "target": ""}
    assert replace(first, **own) == NodePlan(id=11)
    assert EnergyPlan().of(first) == EnergyPlan()


def test_a_farm_of_the_example_runs(example: Path) -> None:
    result = simulate("--farm-file", str(example), "--hours", "1")
    assert result.exit_code == 0, result.output
    assert re.search(r"saved per month +-?[\d.,]+ kWh \(\d+%\), -?[\d.,]+ EUR", result.stdout)


def test_the_sample_in_the_readme_is_what_the_command_prints(example: Path) -> None:
    """Numbers may be off by a tenth, so that a change of timing is no change of the README."""
    sample = block("README.md", "All 19 promises")
    shown = simulate("--farm-file", str(example), "--days", "30", "--faults", "moderate").stdout
    printed = {NUMBER.sub("N", line): line for line in shown.splitlines()}
    lines = [line for line in sample.splitlines() if line.strip() != "…"]
    assert len(lines) > 8
    for line in lines:
        assert NUMBER.sub("N", line) in printed
        numbers = [[float(each) for each in NUMBER.findall(text)] for text in (line, printed[NUMBER.sub("N", line)])]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.1, abs=0.5), line


def test_the_last_lines_are_the_net_of_a_month_and_what_to_do_and_fit_on_a_screen(example: Path) -> None:
    shown = simulate("--farm-file", str(example), "--hours", "2").stdout.splitlines()
    titles = ["saved per month", "income lost per month", "net per month", "nodes at risk"]
    month = shown.index("What a month of this brings:") + 1
    assert [line[2:28].strip() for line in shown[month : month + 4]] == titles
    assert len(shown) - month < 24
    todo = shown[shown.index("What to do next:") :]
    assert any("--faults moderate" in line for line in todo)
    assert shown[month + 3].endswith("none (no fault was in this run)")
    assert any("--days 30" in line for line in todo)
    assert "docs/farmer.md" in todo[-1]


def test_a_run_without_a_farm_file_says_that_its_farm_is_made_up() -> None:
    assert any("powerd simulate --example" in step for step in next_steps(run(plan_of(WorldRequest(nodes=3, hours=2)))))


def test_without_an_income_no_net_is_claimed_and_the_setting_is_named() -> None:
    own = NodePlan(id=2, idle_w=200.0)
    outcome = run(scripted((600, 2, "Down"), farm=(NodePlan(id=1), own)))
    rows = dict(figures(outcome))
    assert rows["income lost per month"] == "not known: [income] is not set"
    assert "net per month" not in rows
    assert any("per_node_and_month" in step for step in next_steps(outcome))


def test_a_sleeper_that_is_not_woken_is_a_negative_net_with_its_remedy() -> None:
    plan = scripted((600, 2, "Down"), (600 + 25 * 3600, 2, "Up"), nodes=2, hours=27)
    outcome = run(replace(plan, income=IncomePlan(per_node_and_month=20.0)))
    month = month_of(outcome)
    assert month.lost_money == pytest.approx(20.0, rel=0.01)
    assert month.net_money == pytest.approx(month.saved_money - 20.0, abs=0.2)
    assert dict(figures(outcome))["net per month"].startswith("-")
    assert any("daily_wake_up" in step for step in next_steps(outcome))


def test_days_are_hours() -> None:
    arguments = ("--nodes", "2", "--policy", "always-on")
    by_days = simulate(*arguments, "--days", "0.25").stdout
    by_hours = simulate(*arguments, "--hours", "6").stdout
    assert by_days.split("  took")[0] == by_hours.split("  took")[0]
    refused = simulate(*arguments, "--days", "1", "--hours", "6")
    assert refused.exit_code == 2
    assert "--days says it already: leave out --hours" in refused.stderr


def test_wattage_and_price_of_a_node_are_its_own() -> None:
    own = NodePlan(id=2, asleep_w=10.0, idle_w=200.0, price_per_kwh=1.0)
    outcome = run(scripted((600, 2, "Down"), farm=(NodePlan(id=1), own)))
    hours_dark = outcome.seconds_in["off"] / 3600
    assert outcome.energy.saved_kwh == pytest.approx(hours_dark * (200 - 10) / 1000)
    assert outcome.energy.saved_money == pytest.approx(outcome.energy.saved_kwh * 1.0)
    assert outcome.energy.always_on_kwh == pytest.approx(4 * (60 + 200) / 1000)
    assert outcome.energy.always_on_money == pytest.approx(4 * (60 * 0.3 + 200 * 1.0) / 1000)


def test_the_first_tiles_say_what_a_month_of_this_brings() -> None:
    outcome = run(scripted((600, 2, "Down")))
    tiles = report_data(outcome).tiles
    assert [what for what, _, _ in tiles[:5]] == [
        *("energy saved per month", "money saved per month", "credited by the grid"),
        *("nodes that sleep", "nodes at risk"),
    ]
    per_month = outcome.energy.saved_kwh * LENGTH_S / (4 * 3600)
    assert tiles[0][1] == f"{per_month:,.1f} kWh"
    assert tiles[1][1] == f"{per_month * 0.3:,.2f} EUR"


def test_a_page_of_too_much_is_thinned_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "MARKS_MAX", 40)
    monkeypatch.setattr(report_data_module, "POINTS_MAX", 10)
    monkeypatch.setattr(report_data_module, "FAULTS_MAX", 2)
    outcome = run(plan_of(WorldRequest(nodes=6, farms=2, hours=6, faults="many")), details=Details.PAGE)
    data = report_data(outcome)
    shown = [node for _, nodes in data.farms for node in nodes]
    assert 0 < len(shown) == len(data.timelines) < 6
    assert len(data.series) <= 11
    assert data.series[-1][0] == 6 * 3600
    assert len(data.faults) == 2
    assert [line.split(":")[0] for line in data.left_out] == [
        f"It has the timelines of {len(shown)} of 6 nodes",
        "The curves over time show one of 8 points.",
        f"It lists the first 2 of {len(outcome.plan.faults)} faults.",
    ]
    assert "It has the timelines of" in report_page_of(outcome)


def test_a_curve_keeps_its_last_point() -> None:
    series = [(float(n), n, 0, 0) for n in range(4001)]
    assert thinned(series)[-1] == series[-1]
    assert len(thinned(series)) <= report_data_module.POINTS_MAX + 1
    assert list(thinned(series[:5])) == series[:5]


def test_a_long_run_in_a_pipe_says_first_that_it_has_begun(capsys: pytest.CaptureFixture[str]) -> None:
    for hours, says in ((10.0, ""), (1000.0, "simulating 10 nodes for 1000 h; the outcome is printed at the end\n")):
        with progress_bar(plan_of(WorldRequest(nodes=10, hours=hours))):
            assert capsys.readouterr().err == says
