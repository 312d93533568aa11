"""``powerd simulate compare``: two policies side by side."""

from __future__ import annotations

import re
from pathlib import Path

import click.testing
import msgspec
import pytest

from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.experiments.compare import CompareFailed, compare
from app.entrypoints.simulator.input.planning import Wish
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
    assert row(shown, "target Up → state Up, p50") == ["–", "–", "–"]
    used = [float(word.replace("−", "-")) for word in row(shown, "energy, kWh")]
    assert used[2] == pytest.approx(used[1] - used[0], abs=0.011)
    assert f"B uses {-used[2]:.2f} kWh" in shown.stdout
    assert "less than A" in shown.stdout
    assert len(re.findall(r"All \d+ promises were kept", shown.stdout)) == 2
    assert shown.stdout.count("no_node_sleeps_for_ever") == 2, "nothing could break it"


def test_a_side_that_breaks_a_promise_is_exit_code_1_with_its_replay_line() -> None:
    shown = run(f"bot bot,set:uptime.interval_s=7200 {SMALL}")
    assert shown.exit_code == 1
    assert "A: All " in shown.stdout
    assert "B: BROKEN" in shown.stdout
    replay = "powerd simulate --nodes 6 --farms 1 --hours 5 --load 0 --set uptime.interval_s=7200 --seed 1"
    assert f"B: replay: {replay}" in shown.stdout
    assert "Both use the same" in shown.stdout


def test_a_script_stands_beside_a_policy(tmp_path: Path) -> None:
    (tmp_path / "script.csv").write_text("at_s,node,target\n600,2,Down\n")
    shown = run(f"script:{tmp_path / 'script.csv'} always-on {SMALL}")
    assert shown.exit_code == 0, shown.output
    assert row(shown, "sleeps") == ["1", "0", "−1"]
    assert "more than A" in shown.stdout


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
        compare(("bot", "always-on"), Wish(nodes=3, farms=1, hours=2, seed=2), Processes(has_a_bug, 1))
