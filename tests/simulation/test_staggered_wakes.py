"""What it saves that not every node calls every sleeper; and that no sleeper is called later for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.model import NodeIdentity
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.node_services import NodeServices
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.run import run
from app.entrypoints.wiring.node_services import Ports, assemble
from app.entrypoints.wiring.policies import Policies

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"


def all_at_once(node: NodeIdentity, ports: Ports, policies: Policies, faults: FaultBoard) -> NodeServices:
    """As it was before: every node that is awake calls."""
    wake = replace(policies.wake, order=replace(policies.wake.order, first_wakers=0))
    return assemble(node, ports, replace(policies, wake=wake), faults)


def packets_a_wake(outcome: Outcome) -> float:
    return outcome.counts["packets"] / len(outcome.wake_latencies_s)


@pytest.mark.parametrize(("faults", "seed"), [("none", 1), ("moderate", 2)])
def test_a_farm_of_forty_sends_less_than_half_the_packets_and_wakes_as_soon(faults: str, seed: int) -> None:
    plan = plan_of(WorldRequest(nodes=40, farms=1, hours=12, load=0.5, faults=faults, seed=seed))
    before, staggered = run(plan, build=all_at_once), run(plan)
    assert staggered.kept, staggered.violations
    assert len(staggered.wake_latencies_s) == len(before.wake_latencies_s) > 10
    assert packets_a_wake(staggered) < 0.5 * packets_a_wake(before)
    # A block is where times may differ: what nodes hand in shares it.
    assert staggered.packet_latencies_s.longest <= before.packet_latencies_s.longest + 6.0
    assert staggered.wake_latencies_s.longest <= before.wake_latencies_s.longest + 6.0
    if faults == "none":
        rows = [
            ("magic packets per wake", *(f"{packets_a_wake(each):.0f}" for each in (staggered, before))),
            (
                "target Up → magic packet, slowest",
                *(f"{each.packet_latencies_s.longest:.0f} s" for each in (staggered, before)),
            ),
        ]
        assert [row for row in rows if f"| {' | '.join(row)} |" not in PAGE.read_text()] == []
