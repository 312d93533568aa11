"""What a simulated farm does, seen from outside: sleep, wake, faults, figures."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app.entrypoints.simulator.experiments.explore import explored_plan
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.plan.plan import NodePlan
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.run import run
from app.entrypoints.simulator.watching.tally import MARKS
from tests.simulation.defects import DEFECTS
from tests.simulation.farms import fault, scripted


def marks(outcome: Outcome, node: int) -> list[str]:
    """A node's timeline without its times, and without what the minting says of it."""
    timeline = [MARKS[mark] for mark in outcome.timelines[node][1::2]]
    return [mark for mark in timeline if not mark.startswith("lost: ")]


def test_a_node_sleeps_and_wakes_as_the_farmer_says() -> None:
    outcome = run(scripted((600, 2, "Down"), (3600, 2, "Up")))
    assert outcome.kept
    assert marks(outcome, 2) == [
        "booting",
        "running",
        "target Down",
        "state Down",
        "stopping",
        "off",
        "target Up",
        "booting",
        "running",
        "state Up",
    ]
    assert outcome.packet_latencies_s.longest < 1
    assert 90 < outcome.wake_latencies_s.longest < 130


def test_a_dark_node_draws_little() -> None:
    outcome = run(scripted((600, 2, "Down")))
    hours_dark = outcome.seconds_in["off"] / 3600
    assert outcome.energy.saved_kwh == pytest.approx(hours_dark * (60 - 3) / 1000)


def test_a_node_in_another_segment_is_not_reached_and_the_operator_sees_it() -> None:
    farm = (NodePlan(id=1), NodePlan(id=2, segment="cellar"))
    outcome = run(scripted((600, 2, "Down"), (3600, 2, "Up"), farm=farm))
    assert marks(outcome, 2)[-1] == "target Up"
    assert outcome.kept, "no node in its segment could wake it: that breaks no promise"


def test_a_card_without_wake_on_lan_keeps_its_node_awake() -> None:
    outcome = run(scripted((600, 2, "Down"), farm=(NodePlan(id=1), NodePlan(id=2, can_be_woken=False))))
    assert outcome.kept
    assert "off" not in marks(outcome, 2)


def test_a_hold_with_an_end_keeps_its_node_awake_until_then() -> None:
    plan = scripted((600, 2, "Down"), faults=(fault("held-until", 500, "node 2", 3000),))
    outcome = run(plan)
    assert outcome.kept, outcome.violations
    timeline = outcome.timelines[2]
    off_s = [at_s for at_s, mark in zip(timeline[::2], timeline[1::2], strict=True) if MARKS[mark] == "off"]
    assert len(off_s) == 1
    assert 3500 <= off_s[0] < 4000
    assert list(run(plan, build=DEFECTS["ignores holds"].build).broken) == ["never_off_under_a_hold"]


def test_a_node_is_called_at_once_where_the_answer_about_it_is_broken() -> None:
    broken = fault("peers-garbled", 3500, "node 1", 600)
    outcome = run(scripted((600, 2, "Down"), (3600, 2, "Up"), nodes=2, faults=(broken,)))
    assert outcome.kept
    assert outcome.packet_latencies_s.longest < 1


def test_power_that_comes_back_boots_the_node() -> None:
    outcome = run(scripted(faults=(fault("power-cut", 1000, "node 2", 300),)))
    assert marks(outcome, 2) == ["booting", "running", "off", "booting", "running"]


def test_a_node_that_wakes_by_itself_goes_to_sleep_again() -> None:
    outcome = run(scripted((600, 2, "Down"), faults=(fault("spontaneous-wake", 4000, "node 2"),)))
    assert outcome.kept
    assert marks(outcome, 2).count("off") == 2


def test_the_bot_lets_idle_nodes_sleep_and_wakes_them_for_work_and_once_a_day() -> None:
    plan = plan_of(WorldRequest(nodes=20, farms=1, hours=24, load=0.3))
    outcome = run(plan)
    assert outcome.kept
    assert outcome.seconds_in["off"] > 0.3 * plan.nodes * plan.end_s
    assert outcome.counts["magic packet"] > 10
    assert outcome.still_waiting == 0
    always_on = run(plan_of(WorldRequest(nodes=20, farms=1, hours=24, load=0.3, policy="always-on")))
    assert always_on.seconds_in["off"] == 0
    assert outcome.energy.used_kwh < 0.8 * always_on.energy.used_kwh


def test_every_sleeper_is_woken_once_a_day() -> None:
    outcome = run(plan_of(WorldRequest(nodes=6, farms=1, hours=48, load=0.0)))
    dark = [node for node in outcome.timelines if "off" in marks(outcome, node)]
    assert len(dark) >= 5
    assert all(marks(outcome, node).count("off") >= 2 for node in dark)


RUN_ONE = """
from app.entrypoints.simulator.experiments.explore import explored_plan
from app.entrypoints.simulator.run.run import run
print(run(explored_plan(5)).trace_hash)
"""


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_same_seed_gives_the_same_trace_in_every_process(hash_seed: str) -> None:
    other = subprocess.run(
        [sys.executable, "-c", RUN_ONE],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == run(explored_plan(5)).trace_hash


def test_another_seed_gives_another_trace() -> None:
    assert run(explored_plan(5)).trace_hash != run(explored_plan(6)).trace_hash


def test_a_setting_that_takes_a_frozen_node_for_awake_breaks_the_promise_of_the_last_waker() -> None:
    def broken(sign_of_life_s: float) -> list[str]:
        plan = scripted(
            (20_000, 2, "Down"),
            nodes=2,
            hours=8.0,
            faults=(fault("crash", 3600, "node 1", for_s=36_000),),
            settings={"power_management.sign_of_life_s": sign_of_life_s},
        )
        return sorted(run(plan).broken)

    assert broken(2700.0) == []
    assert broken(86_400.0) == ["the_last_waker_stays"]
