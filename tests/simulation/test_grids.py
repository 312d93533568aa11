"""Many farms: each is a world of its own, and the outcome of all is the same, on whichever worker each ran."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from app.entrypoints.powerd.cli import main
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.plan.plan import FarmPlan, NodePlan, Plan, WorkloadPlan
from app.entrypoints.simulator.run import thinning
from app.entrypoints.simulator.run.farm_plans import farm_plans
from app.entrypoints.simulator.run.merging import Details, Merging
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.run import FarmNotSimulated, run, run_on, simulate_farm
from app.entrypoints.simulator.workers.processes import Processes
from tests.simulation.farms import fault
from tests.simulation.work import dies_in_farm


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(WorldRequest(nodes=9, farms=3, hours=6, faults="many", load=0.3))


@pytest.fixture(scope="module")
def outcome(plan: Plan) -> Outcome:
    return run(plan)


def as_bytes(outcome: Outcome) -> bytes:
    """Without the time that it took."""
    outcome.wall_s = 0.0
    return msgspec.json.encode(outcome)


def test_two_processes_give_the_bytes_of_one(plan: Plan, outcome: Outcome) -> None:
    assert as_bytes(run_on(Processes(simulate_farm, 2), plan)) == as_bytes(outcome)


def test_a_worker_that_dies_loses_nothing(plan: Plan, outcome: Outcome, tmp_path: Path) -> None:
    work = dies_in_farm(tmp_path, 2, times=1)
    assert as_bytes(run_on(Processes(work, 2), plan)) == as_bytes(outcome)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_farm_that_kills_every_worker_is_named(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(FarmNotSimulated, match="farm 2 was not simulated: its worker was killed 3 times"):
        run_on(Processes(dies_in_farm(tmp_path, 2, times=99), 1), plan)


@pytest.fixture(scope="module")
def farms(plan: Plan) -> list[Outcome]:
    return [msgspec.json.decode(simulate_farm(msgspec.json.encode(farm)), type=Outcome) for farm in farm_plans(plan)]


@pytest.mark.parametrize(("details", "marks_max", "nodes"), [(Details.NONE, 0, 0), (Details.PAGE, 30, 4)])
def test_farms_may_be_added_in_any_order(
    plan: Plan, farms: list[Outcome], details: Details, marks_max: int, nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinning, "MARKS_MAX", 30)
    monkeypatch.setattr(thinning, "LEAST_CREDITED_MAX", 4)
    merged = set()
    for order in itertools.permutations(enumerate(farms)):
        merging = Merging(plan, details)
        for number, farm in order:
            merging.add(number, farm)
        merged.add(msgspec.json.encode(merging.outcome(0.0)))
    assert len(merged) == 1
    whole = msgspec.json.decode(merged.pop(), type=Outcome)
    marks = sum(len(timeline) // 2 for timeline in whole.timelines.values())
    assert marks <= marks_max
    assert (marks > 0) is (marks_max > 0)
    assert len(whole.income.credited_s) == nodes


def test_a_farm_lives_through_the_same_beside_other_neighbours(plan: Plan, outcome: Outcome) -> None:
    """Chance, faults and workload of a farm follow from the plan, and not from how many others there are."""
    for alone in farm_plans(plan):
        assert run(alone).timelines == {
            node.id: outcome.timelines[node.id] for farm in alone.farms for node in farm.nodes
        }


def test_the_chains_weather_is_the_same_for_all_farms() -> None:
    stall = fault("chain-stalls", 600, "all", 300)
    for_one = fault("finality-stalls", 2000, "farm 1", 300)
    others = (fault("crash", 900, "node 3", 60), fault("bus-away", 900, "farm 1", 60))
    plan = replace(plan_of(WorldRequest(nodes=4, farms=2, hours=2)), faults=(stall, *others, for_one))
    first, second = farm_plans(plan)
    assert first.faults == (stall, others[1], for_one)
    assert second.faults == (stall, others[0], for_one), "a chain that stalls, stalls for all"


def test_a_trace_and_a_script_go_with_their_farms() -> None:
    script = tuple({"at_s": 600.0 * n, "node": n, "target": "Down"} for n in (1, 2, 3, 4))
    trace = tuple({"at_s": 60.0, "farm": farm, "slots": 1, "for_s": 600.0} for farm in (2, 1, 2))
    base = plan_of(WorldRequest(nodes=4, farms=2, hours=2))
    policy = msgspec.convert({"kind": "script", "script": script}, type(base.policy))
    plan = replace(base, policy=policy, workload=msgspec.convert({"trace": trace}, WorkloadPlan))
    first, second = farm_plans(plan)
    assert [line.node for line in first.policy.script] == [1, 2]
    assert [line.node for line in second.policy.script] == [3, 4]
    assert [len(each.workload.trace or ()) for each in (first, second)] == [1, 2]


def test_farms_of_the_same_machines_fare_differently() -> None:
    """Each draws from a chance of its own."""
    nodes = [tuple(NodePlan(id=10 * farm + node) for node in range(1, 5)) for farm in (1, 2)]
    farms = tuple(FarmPlan(id=number, nodes=its) for number, its in enumerate(nodes, 1))
    base = plan_of(WorldRequest(nodes=8, farms=2, hours=4, load=0.3))
    hashes = {run(farm).trace_hash for farm in farm_plans(replace(base, farms=farms))}
    assert len(hashes) == 2


def test_the_command_takes_workers_and_prints_the_same(tmp_path: Path) -> None:
    def printed(*options: str) -> list[str]:
        arguments = ["simulate", "--nodes", "4", "--farms", "2", "--hours", "2", *options]
        result = CliRunner().invoke(main, arguments, prog_name="powerd")
        assert result.exit_code == 0, result.output
        lines = result.stdout.splitlines()
        return [line.partition("trace ")[2] if line.startswith("  took") else line for line in lines]

    assert printed("--workers", "1") == printed("--workers", "2")


def test_workers_and_a_cluster_are_one_too_many() -> None:
    result = CliRunner().invoke(main, ["simulate", "--workers", "2", "--scheduler", "tcp://h:1"], prog_name="powerd")
    assert result.exit_code == 2
    assert "leave one of them out" in result.stderr
