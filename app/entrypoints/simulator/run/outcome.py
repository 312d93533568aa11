"""The outcome of a run: figures, curves, and broken promises, as values that can be stored and compared."""

from __future__ import annotations

from msgspec import Struct

from app.entrypoints.simulator.income.minted import Income
from app.entrypoints.simulator.plan.at_risk import NodeAtRisk
from app.entrypoints.simulator.plan.plan import Plan
from app.entrypoints.simulator.run.farmer import Farmer
from app.entrypoints.simulator.run.times import Times
from app.entrypoints.simulator.watching.tally import Tally
from app.entrypoints.simulator.watching.violation import Violation
from app.entrypoints.simulator.watching.watch import Watch
from app.entrypoints.simulator.world.world import World

KWH_WS = 3_600_000.0

Sample = tuple[float, int, int, int]
"""(time, nodes running, nodes dark, nodes whose target is Up)"""


class Energy(Struct, kw_only=True):
    """kWh of the run, and what they cost; ``always_on`` is the same workload on nodes that never sleep."""

    used_kwh: float
    always_on_kwh: float
    used_money: float
    always_on_money: float
    currency: str

    @property
    def saved_kwh(self) -> float:
        """Negative where sleeping cost more than it saved."""
        return self.always_on_kwh - self.used_kwh

    @property
    def saved_money(self) -> float:
        """In ``currency``."""
        return self.always_on_money - self.used_money


class Outcome(Struct, kw_only=True):
    """All results of a run, of one farm or of many; times are virtual seconds."""

    plan: Plan
    trace_hash: str
    counts: dict[str, int]
    seconds_in: dict[str, float]
    energy: Energy
    series: list[Sample]
    wake_latencies_s: Times
    """From the target Up of a dark node to the state Up on chain."""
    packet_latencies_s: Times
    """From the target Up of a dark node to the magic packet that switched it on."""
    waits_s: Times
    """How long deployments waited for a node that is up."""
    still_waiting: int
    promises: dict[str, str]
    """The promises that were watched, and their texts."""
    not_checked: list[str]
    """The promises that this run could not break: their subject is switched off, or the run is too short."""
    broken: dict[str, int]
    violations: list[Violation]
    timelines: dict[int, list[int]]
    """Per node: second and index into `tally.MARKS`, alternating. Of many nodes, some may be left out."""
    income: Income
    """What the grid's minting credits the nodes."""
    timelines_left_out: int = 0
    at_risk: list[NodeAtRisk] = []
    """Nodes that the farmer may lose, even where powerd kept its promises."""
    wall_s: float = 0.0

    @property
    def kept(self) -> bool:
        return not self.violations


def outcome_of(world: World, tally: Tally, watch: Watch, farmer: Farmer) -> Outcome:
    """The outcome of one farm, collected at the end of its run."""
    return Outcome(
        plan=world.plan,
        trace_hash=watch.trace_hash,
        counts=dict(sorted(tally.counts.items())),
        seconds_in=dict(sorted(tally.seconds_in.items())),
        energy=_energy(world, tally, farmer),
        series=tally.series,
        wake_latencies_s=Times.of(tally.wake_latencies_s),
        packet_latencies_s=Times.of(tally.packet_latencies_s),
        waits_s=Times.of(farmer.placement.waits_s),
        still_waiting=len(farmer.placement.waiting),
        promises={promise.name: promise.text for promise in watch.promises},
        not_checked=watch.not_checked,
        broken={promise.name: promise.broken_times for promise in watch.promises if promise.broken_times},
        violations=sorted(
            (violation for promise in watch.promises for violation in promise.violations),
            key=lambda violation: violation.at_s,
        ),
        timelines={node: list(marks) for node, marks in sorted(tally.timelines.items())},
        income=watch.minted.income,
        at_risk=tally.at_risk,
    )


def _energy(world: World, tally: Tally, farmer: Farmer) -> Energy:
    """A node draws ``idle_w`` while it is on, more in proportion to its used slots, and little while dark."""
    energy = Energy(
        used_kwh=0.0, always_on_kwh=0.0, used_money=0.0, always_on_money=0.0, currency=world.plan.energy.currency
    )
    busy_s = farmer.placement.busy_s()
    for node, machine in world.machines.items():
        plan = world.plan.energy.of(machine.plan)
        cut_off_s = tally.cut_off_s.get(node, 0.0)
        total_s = world.plan.end_s - cut_off_s
        dark_s = tally.dark_s.get(node, 0.0) - cut_off_s
        busy_ws = busy_s[node] * (plan.busy_w - plan.idle_w)
        used_kwh = (dark_s * plan.asleep_w + (total_s - dark_s) * plan.idle_w + busy_ws) / KWH_WS
        always_on_kwh = (total_s * plan.idle_w + busy_ws) / KWH_WS
        energy.used_kwh += used_kwh
        energy.always_on_kwh += always_on_kwh
        energy.used_money += used_kwh * plan.price_per_kwh
        energy.always_on_money += always_on_kwh * plan.price_per_kwh
    return energy
