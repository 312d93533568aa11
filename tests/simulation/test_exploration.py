"""``make sim``: many seeds, the first that fails, the faults that matter, and the line that replays it."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import click.testing
import pytest

from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.experiments.exploration import explore, fault_line
from app.entrypoints.simulator.experiments.explore import explored_plan
from app.entrypoints.simulator.experiments.show import show_exploration
from app.entrypoints.simulator.workers.processes import Processes
from tests.simulation.work import has_a_bug, run_with_no_power_cuts, simulate_with_no_power_cuts


def small(power_cuts: int) -> Iterator[int]:
    """Seeds of small worlds with so many power cuts."""
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
    assert shown.stdout == f"2 seeds with {faults} faults: every promise was kept.\n"


def test_no_more_begin_when_the_time_is_over() -> None:
    assert explore(GOOD, Processes(simulate_with_no_power_cuts, 1), for_s=0.0).seeds == 0


def test_a_seed_that_does_not_finish_is_shown_with_its_replay_line() -> None:
    out = io.StringIO()
    assert not show_exploration((2,), Processes(has_a_bug, 1), for_s=None, out=out)
    assert out.getvalue().splitlines() == [
        "SEED 2 did not finish: LookupError: no such thing",
        "Replay: powerd simulate --explored 2",
    ]


def test_a_seed_that_fails_in_its_worker_alone_is_not_deterministic() -> None:
    out = io.StringIO()
    assert not show_exploration(BAD, Processes(simulate_with_no_power_cuts, 1), for_s=None, out=out)
    assert "it is not deterministic" in out.getvalue()
