"""``make sim``: many seeds, the first that fails, the faults that matter, and the line that replays it."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator, Sequence

import click.testing
import msgspec
import pytest
from msgspec.structs import replace

from app.domain.rules import wake
from app.domain.rules.shutdown import Step
from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.experiments import coverage
from app.entrypoints.simulator.experiments.exploration import SeedNotFinished, explore, fault_line, simulate_explored
from app.entrypoints.simulator.experiments.explore import explored_plan
from app.entrypoints.simulator.experiments.show import show_exploration
from app.entrypoints.simulator.faults.kinds import FAULT_KINDS
from app.entrypoints.simulator.plan.plan import FarmPlan, NodePlan
from app.entrypoints.simulator.run.run import run
from app.entrypoints.simulator.workers.processes import Processes
from tests.simulation.farms import fault, scripted
from tests.simulation.work import has_a_bug, run_with_no_power_cuts, simulate_with_no_power_cuts


def small(power_cuts: int) -> Iterator[int]:
    """Seeds of small worlds with this number of power cuts."""
    for seed in itertools.count(1):
        plan = explored_plan(seed)
        kinds = [fault.kind for fault in plan.faults]
        if plan.nodes <= 4 and 2 <= len(kinds) < 30 and kinds.count("power-cut") == power_cuts:
            yield seed


GOOD = tuple(itertools.islice(small(0), 2))
BAD = tuple(itertools.islice(small(1), 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_failing_seed_is_shrunk_and_shown_with_its_replay_line(workers: int) -> None:
    seed = BAD[0]
    faults = explored_plan(seed).faults
    number = [fault.kind for fault in faults].index("power-cut") + 1
    out = io.StringIO()
    pool = Processes(simulate_with_no_power_cuts, workers)
    assert not show_exploration((*GOOD, *BAD), pool, for_s=None, run=run_with_no_power_cuts, out=out)
    shown = out.getvalue().splitlines()
    assert shown[0] == f"SEED {seed} broke a promise:"
    assert shown[-3] == f"1 of its {len(faults)} faults is enough to break work:"
    assert shown[-2] == f"    {number:>4}  {fault_line(faults[number - 1])}"
    assert "power-cut  node" in shown[-2]
    assert shown[-1] == f"Replay: powerd simulate --explored {seed} --only-faults {number}"


def test_all_seeds_good_is_said() -> None:
    shown = click.testing.CliRunner().invoke(
        main, ["simulate", "explore", "--seeds", ",".join(map(str, GOOD)), "--workers", "1"]
    )
    assert shown.exit_code == 0, shown.output
    faults = sum(len(explored_plan(seed).faults) for seed in GOOD)
    said, heading, *reached = shown.stdout.splitlines()
    assert said == f"2 seeds with {faults} faults: every promise was kept."
    assert heading == "What a node can meet, and how much of it these seeds reached:"
    assert [line.split(":")[0].strip() for line in reached] == list(coverage.EVERYTHING)
    assert re.match(rf"  steps of a shutdown: \d of {len(Step)}", reached[1])
    kinds = {fault.kind for seed in GOOD for fault in explored_plan(seed).faults}
    assert reached[6].startswith(f"  kinds of faults: {len(kinds)} of {len(FAULT_KINDS)}; not ")


def test_no_more_begin_when_the_time_is_over() -> None:
    assert explore(GOOD, Processes(simulate_with_no_power_cuts, 1), for_s=0.0).seeds == 0


def test_a_seed_that_does_not_finish_is_no_broken_promise_and_has_its_replay_line() -> None:
    with pytest.raises(
        SeedNotFinished, match="seed 2 did not finish: LookupError: no such thing; replay: powerd simulate --explored 2"
    ) as failed:
        show_exploration((2,), Processes(has_a_bug, 1), for_s=None, out=io.StringIO())
    assert failed.value.exit_code == 2


def test_a_seed_that_fails_in_its_worker_alone_is_not_deterministic() -> None:
    out = io.StringIO()
    assert not show_exploration(BAD, Processes(simulate_with_no_power_cuts, 1), for_s=None, out=out)
    assert "it is not deterministic" in out.getvalue()


def test_what_a_run_reached_is_part_of_what_there_is() -> None:
    everything = {name for group in coverage.EVERYTHING.values() for name in group}
    outcome = run(explored_plan(2))
    reached = set(coverage.reached_by(outcome))
    assert reached <= everything
    kinds = {fault.kind for fault in outcome.plan.faults}
    assert {name.removeprefix(coverage.FAULT) for name in reached if name.startswith(coverage.FAULT)} == kinds
    assert {"step: power off", "order: power off", "wake ended: awake"} <= reached


def test_a_worker_notes_the_cells_of_the_wake_table_that_it_asked_for() -> None:
    everything = set(coverage.EVERYTHING["cells of the wake table"])
    answer = simulate_explored(msgspec.json.encode(explored_plan(2)))
    asked = {name for name in msgspec.json.decode(answer)["reached"] if name.startswith(coverage.CELL)}
    assert {"wake: event none asleep", "wake: due calling asleep"} <= asked < everything
    assert type(wake.TABLE) is dict


def test_a_node_that_needs_a_proof_sleeps_once_in_a_trial_and_again_when_its_wake_proved_it() -> None:
    lines = ((600, 2, "Down"), (3600, 2, "Up"), (9000, 3, "Down"), (10800, 2, "Down"))
    outcome = run(scripted(*lines, hours=6.0, settings={"power_management.require_proved_wake": True}))
    assert outcome.kept
    assert outcome.counts["order: power off"] == 2
    assert outcome.counts["guard: UNPROVED"] > 0


@pytest.mark.parametrize(
    ("faults", "pairs"),
    [
        ((("bus-away", 100, "node 1", 60), ("deaf", 130, "node 1", 60)), {"bus-away and deaf"}),
        ((("bus-away", 100, "node 1", 60), ("deaf", 130, "node 2", 60)), set()),
        ((("bus-away", 100, "node 1", 60), ("deaf", 170, "node 1", 60)), set()),
        ((("chain-stalls", 100, "all", 60), ("deaf", 130, "node 2", 0)), {"chain-stalls and deaf"}),
        ((("chain-away", 100, "farm 1", 60), ("deaf", 130, "node 9", 60)), set()),
    ],
)
def test_two_faults_are_a_pair_where_they_hit_one_machine_at_once(
    faults: Sequence[tuple[str, float, str, float]], pairs: set[str]
) -> None:
    plan = replace(scripted(hours=1.0), faults=tuple(fault(*each) for each in faults))
    farms = (*plan.farms, FarmPlan(id=2, nodes=(NodePlan(id=9),)))
    outcome = run(scripted(hours=0.1))
    outcome.plan = replace(plan, farms=farms)
    found = {name.removeprefix(coverage.PAIR) for name in coverage.reached_by(outcome) if coverage.PAIR in name}
    assert found == pairs


def test_wide_worlds_have_what_the_others_lack() -> None:
    plans = [explored_plan(seed) for seed in range(120)]
    wide = [plan for plan in plans if len(plan.farms) == 1 and plan.nodes > 8]
    assert 0.15 < len(wide) / len(plans) < 0.35
    nodes = [node for plan in wide for node in plan.farms[0].nodes]
    assert {node.segment for node in nodes} == {"", "cellar"}
    assert 0 < sum(not node.can_be_woken for node in nodes) < 0.2 * len(nodes)
    assert {plan.chain.block_time_s for plan in wide} == {3.0, 6.0, 12.0}
    assert any(fault.kind == "held-until" for plan in wide for fault in plan.faults)
    assert max(plan.nodes for plan in wide) > 25
