"""Runs that a report is made of."""

from __future__ import annotations

from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.run.outcome import Energy, Outcome
from app.entrypoints.simulator.run.run import run
from app.entrypoints.simulator.run.times import Times
from app.entrypoints.simulator.watching.tally import MARKS
from app.entrypoints.simulator.watching.violation import Violation
from tests.simulation.farms import fault, scripted

HOSTILE = "</script><script>document.title='stolen'</script><img src=x onerror=\"document.title='stolen'\"> &amp; <!--"
"""What a careless page would take for markup."""


def eventful() -> Outcome:
    """A farm with sleeps, wakes and faults, and two broken promises (made up)."""
    outcome = run(
        scripted(
            *((600, 2, "Down"), (3600, 2, "Up"), (7200, 3, "Down")),
            nodes=5,
            faults=(
                fault("chain-away", 900, "all", 300),
                fault("power-cut", 1200, "node 4", 600),
                fault("bus-away", 2000, "farm 1", 120),
                fault("crash", 9000, "node 5", 600),
            ),
        )
    )
    name = next(iter(outcome.promises))
    outcome.violations = [
        Violation(promise=name, at_s=3725.5, node=4, detail=HOSTILE),
        Violation(promise=name, at_s=5000.0, node=0, detail="no node alone; a word without a " + "br" * 200 + "eak"),
    ]
    outcome.broken = {name: 30}
    return outcome


def quiet() -> Outcome:
    """One node that never sleeps: no wakes, no faults, no violations, nothing saved."""
    return run(plan_of(WorldRequest(nodes=1, farms=1, hours=2, policy="always-on", load=0.0)))


def large() -> Outcome:
    """Ten thousand nodes with forty marks each, and figures of many digits, made up, over a day."""
    outcome = run(plan_of(WorldRequest(nodes=1, farms=1, hours=24, policy="always-on", load=0.0)))
    outcome.plan = plan_of(WorldRequest(nodes=10_000, farms=100, hours=24, faults="moderate"))
    times = [n * 2160 + n * n % 997 for n in range(40)]
    marks = [value for n, at_s in enumerate(times) for value in (at_s, n % len(MARKS))]
    outcome.energy = Energy(
        used_kwh=1_900_000.0,
        always_on_kwh=5_256_000.0,
        used_money=570_000.0,
        always_on_money=1_576_800.0,
        currency="EUR",
    )
    outcome.counts.update({"packets": 123_456_789, "chain reads": 987_654_321})
    outcome.wake_latencies_s = outcome.packet_latencies_s = Times.of(0.05 * 1.001**n for n in range(14_000))
    outcome.seconds_in = {"running": 3e8, "off": 5.6e8, "booting": 3e6, "stopping": 1e6}
    outcome.series = [(at_s, n % 7000, 10_000 - n % 8000, n % 9000) for n, (at_s, *_) in enumerate(outcome.series)]
    outcome.timelines = {node.id: marks for farm in outcome.plan.farms for node in farm.nodes}
    return outcome
