"""What a sweep keeps of each run: figures, the trace's hash, broken promises; no timelines.

It holds nothing that depends on where and how fast it ran: two runs of one plan give equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from app.entrypoints.simulator.income.lost_to import LostTo
from app.entrypoints.simulator.plan.at_risk import counted
from app.entrypoints.simulator.plan.plan import Plan
from app.entrypoints.simulator.promises import ALL
from app.entrypoints.simulator.run.merging import Details
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.run import run
from app.entrypoints.simulator.run.times import Times
from app.entrypoints.simulator.watching.violation import Violation


class Spread(Struct, frozen=True, kw_only=True):
    """Of many times, in seconds; None of none."""

    p50: float | None = None
    p99: float | None = None
    max: float | None = None


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of `app.entrypoints.simulator.report.summary` as numbers."""

    nodes: int
    faults: int
    running_share: float
    dark_share: float
    nodes_at_risk: int
    credited_share: float
    lost_to_powerd_h: float
    lost_to_faults_h: float
    slow_boots: int
    months_lost: int
    income_lost: float | None
    """Money; None where the plan does not say what a month earns."""
    sleeps: int
    wakes: int
    wakes_wanted: int
    packet_s: Spread
    """From the target Up of a dark node to the packet that switched it on."""
    wake_s: Spread
    """From the target Up of a dark node to its state Up."""
    wait_s: Spread
    """How long deployments waited."""
    still_waiting: int
    packets: int
    chain_reads: int
    uptime_reports: int
    used_kwh: float
    always_on_kwh: float
    saved_kwh: float
    saved_money: float
    currency: str

    def paid_alike(self, other: Figures) -> bool:
        """Whether the grid pays the nodes for the same time."""
        return (self.credited_share, self.months_lost) == (other.credited_share, other.months_lost)


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of a run."""

    trace_hash: str
    figures: Figures
    wake_times: Times
    not_checked: list[str]
    broken: dict[str, int]
    violations: list[Violation]
    reached: list[str] = []
    """For an explored world: the items of `experiments.coverage` that it reached."""

    @property
    def kept(self) -> bool:
        return not self.violations

    @property
    def promises(self) -> Mapping[str, str]:
        """Name → text."""
        texts = {promise.__module__.rpartition(".")[2]: promise.text for promise in ALL}
        watched = {name: text for name, text in texts.items() if name not in self.not_checked}
        return {**{name: name for name in self.broken}, **watched}


def simulate(plan: bytes) -> bytes:
    """The work of a worker: a plan in, a `Result` out, both as JSON."""
    return msgspec.json.encode(result_of(run(msgspec.json.decode(plan, type=Plan), details=Details.NONE)))


def result_of(outcome: Outcome) -> Result:
    plan, counts, energy = outcome.plan, outcome.counts, outcome.energy
    total_s, income = plan.nodes * plan.end_s, outcome.income
    return Result(
        trace_hash=outcome.trace_hash,
        figures=Figures(
            nodes=plan.nodes,
            faults=len(plan.faults),
            running_share=outcome.seconds_in.get("running", 0.0) / total_s,
            dark_share=outcome.seconds_in.get("off", 0.0) / total_s,
            nodes_at_risk=counted(outcome.at_risk),
            credited_share=income.credited_in_all_s / total_s,
            lost_to_powerd_h=income.lost_s(LostTo.POWERD) / 3600,
            lost_to_faults_h=income.lost_s(LostTo.FAULTS) / 3600,
            slow_boots=income.slow_boots,
            months_lost=len(income.months_lost),
            income_lost=income.lost_money(per_month) if (per_month := plan.income.per_node_and_month) else None,
            sleeps=counts.get("powered off", 0),
            wakes=len(outcome.wake_latencies_s),
            wakes_wanted=counts.get("wakes wanted", 0),
            packet_s=spread_of(outcome.packet_latencies_s),
            wake_s=spread_of(outcome.wake_latencies_s),
            wait_s=spread_of(outcome.waits_s),
            still_waiting=outcome.still_waiting,
            packets=counts["packets"],
            chain_reads=counts["chain reads"],
            uptime_reports=counts.get("UptimeReported", 0),
            used_kwh=energy.used_kwh,
            always_on_kwh=energy.always_on_kwh,
            saved_kwh=energy.saved_kwh,
            saved_money=energy.saved_money,
            currency=energy.currency,
        ),
        wake_times=outcome.wake_latencies_s,
        not_checked=outcome.not_checked,
        broken=outcome.broken,
        violations=outcome.violations,
    )


def spread_of(times: Times) -> Spread:
    if not times:
        return Spread()
    return Spread(p50=times.percentile(0.5), p99=times.percentile(0.99), max=times.longest)
