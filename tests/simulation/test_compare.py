"""``powerd simulate compare``: two policies side by side."""

from __future__ import annotations

import re
from pathlib import Path

import click.testing
import msgspec
import pytest

from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.experiments.compare import CompareFailed, compare
from app.entrypoints.simulator.input.planning import WorldRequest
from app.entrypoints.simulator.workers.processes import Processes
from tests.simulation.work import has_a_bug

SMALL = "--nodes 6 --farms 1 --hours 5 --load 0"


def run(text: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, ["simulate", "compare", *text.split()])


def row(shown: click.testing.Result, name: str) -> list[str]:
    return next(line for line in shown.stdout.splitlines() if line.strip().startswith(name)).split()[
        len(name.split()) :
    ]


def test_figures_stand_side_by_side_with_their_difference() -> None:
    shown = run(f"always-on bot,awake_min=2 {SMALL}")
    assert shown.exit_code == 0, shown.output
    assert row(shown, "sleeps") == ["0", "4", "+4"]
    assert row(shown, "target Up → state Up, half within") == ["–", "–", "–"]
    used = [float(word.replace("−", "-")) for word in row(shown, "energy, kWh")]
    assert used[2] == pytest.approx(used[1] - used[0], abs=0.011)
    saved = row(shown, "saved against always on, kWh")
    assert re.search(rf"^B saves {saved[1]} kWh \(\d+\.\d\d EUR\) more than A in 5 h", shown.stdout, re.MULTILINE)
    assert len(re.findall(r"All \d+ promises were kept", shown.stdout)) == 2
    assert shown.stdout.count("no_node_sleeps_for_ever") == 2, "nothing could break it"


def test_a_side_that_breaks_a_promise_is_exit_code_1_with_its_replay_line() -> None:
    shown = run(f"bot bot,set:uptime.interval_s=7200 {SMALL}")
    assert shown.exit_code == 1
    assert "A: All " in shown.stdout
    assert "B: BROKEN" in shown.stdout
    replay = "powerd simulate --nodes 6 --farms 1 --hours 5 --load 0 --set uptime.interval_s=7200 --seed 1"
    assert f"B: replay: {replay}" in shown.stdout
    assert "Both save the same" in shown.stdout


def test_a_script_stands_beside_a_policy(tmp_path: Path) -> None:
    (tmp_path / "script.csv").write_text("at_s,node,target\n600,2,Down\n")
    shown = run(f"script:{tmp_path / 'script.csv'} always-on {SMALL}")
    assert shown.exit_code == 0, shown.output
    assert row(shown, "sleeps") == ["1", "0", "−1"]
    assert re.search(r"^B saves \d.* less than A in 5 h", shown.stdout, re.MULTILINE)


FARM = """
[[farm]]
id = 1
[[farm.node]]
id = 1
[[farm.node]]
id = 2
[income]
per_node_and_month = 20.0
"""


def test_the_verdict_is_what_the_farmer_gains_or_loses_by_b_with_the_pay(tmp_path: Path) -> None:
    """Nodes that are never woken use less electricity: that is no gain."""
    (tmp_path / "farm.toml").write_text(FARM)
    world = f"--farm-file {tmp_path / 'farm.toml'} --days 3 --load 0"
    shown = run(f"bot bot,daily_wake_up=false {world}")
    net = row(shown, "saved − lost, EUR")
    assert net[2].startswith("−")
    assert f"B is worse than A by {net[2].removeprefix('−')} EUR in 72 h: it saves" in shown.stdout
    assert re.search(r"less, and loses \d+\.\d\d EUR more of the income\.$", shown.stdout, re.MULTILINE)
    assert shown.exit_code == 3, "a node is at risk"
    turned = run(f"bot,daily_wake_up=false bot {world}")
    assert f"B is better than A by {net[2].removeprefix('−')} EUR in 72 h" in turned.stdout
    assert "Both bring the same in 72 h" in run(f"bot bot {world}").stdout


def test_without_an_income_the_verdict_says_where_pay_is_lost(tmp_path: Path) -> None:
    (tmp_path / "farm.toml").write_text(FARM.partition("[income]")[0])
    shown = run(f"bot bot,daily_wake_up=false --farm-file {tmp_path / 'farm.toml'} --days 3 --load 0")
    assert re.search(
        r"^B saves .* less than A in 72 h; the pay that is lost is not in it: ", shown.stdout, re.MULTILINE
    )


def test_as_json() -> None:
    shown = run(f"always-on bot {SMALL} --json")
    read = msgspec.json.decode(shown.stdout)
    assert read["a"]["policy"] == "always-on"
    assert read["difference"]["sleeps"] == read["b"]["result"]["figures"]["sleeps"] > 0
    assert read["difference"]["wake_s.p50"] is None


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ("bot bott", "unknown policy 'bott' (did you mean bot?)"),
        ("bot bot,awake_min", "write awake_min=VALUE"),
        ("bot bot,awake_min=many", "awake_min has to be a whole number"),
        ("bot bot,wake_threshold=2", "wake_threshold"),
        ("bot always-on,awake_min=1", "only bot takes parameters"),
        ("bot script", "Write script:FILE"),
        ("bot bot,set:wake.packets", "write KEY=VALUE"),
        ("bot bot,set:wake.packet=1", "wake.packet"),
    ],
)
def test_bad_input_names_the_thing_and_the_remedy(policies: str, said: str) -> None:
    shown = run(f"{policies} {SMALL}")
    assert shown.exit_code in (1, 2)
    assert said in shown.stderr


def test_a_run_that_does_not_finish_is_named() -> None:
    with pytest.raises(CompareFailed, match=r"the run of .* did not finish: LookupError"):
        compare(("bot", "always-on"), WorldRequest(nodes=3, farms=1, hours=2, seed=2), Processes(has_a_bug, 1))
