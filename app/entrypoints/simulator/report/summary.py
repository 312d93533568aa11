"""The outcome of a run, in a few lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from app.entrypoints.simulator.income.lost_to import LostTo
from app.entrypoints.simulator.plan.at_risk import counted
from app.entrypoints.simulator.report.month import month_of
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.times import Times
from app.entrypoints.simulator.watching.violation import Violation

Row = tuple[str, str]
BITS = "less than a minute at a time, as before the first report"
DAY_H = 24.0
"""A shorter run says little about a month: a farm that has just started, or one night of it."""
CALM = " (no fault was in this run)"
"""Else a run in which nothing could go wrong reads as a farm without risk."""


def seconds(value: float) -> str:
    """``95 s``, ``12 min``, ``3.4 h``; a dash for "there was none"."""
    if value != value:
        return "–"
    if value < 120:
        return f"{value:.3g} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def figures(outcome: Outcome) -> Iterator[Row]:
    """All figures: what, and how much; what a farmer wants to know first comes first."""
    yield from month_figures(outcome)
    yield from run_figures(outcome)


def run_figures(outcome: Outcome) -> Iterator[Row]:
    plan, counts, energy = outcome.plan, outcome.counts, outcome.energy
    total_s = plan.nodes * plan.end_s
    running_s, dark_s = outcome.seconds_in.get("running", 0.0), outcome.seconds_in.get("off", 0.0)
    wakes, wanted = len(outcome.wake_latencies_s), counts.get("wakes wanted", 0)
    packets, reads = counts["packets"], counts["chain reads"]
    yield "nodes / farms", f"{plan.nodes:,} / {len(plan.farms):,}"
    yield "virtual time", f"{plan.hours:g} h, {len(plan.faults):,} faults, policy {plan.policy.kind}, seed {plan.seed}"
    yield "running / dark", f"{running_s / total_s:.1%} / {dark_s / total_s:.1%}"
    dark = [sample[2] for sample in outcome.series]
    yield "asleep at a time", f"{sum(dark) / len(dark):,.0f} on average, {max(dark):,} at most"
    yield from _income(outcome)
    yield "sleeps / wakes", f"{counts.get('powered off', 0):,} / {wakes:,} (of {wanted:,} asked for)"
    yield "target Up → magic packet", _spread(outcome.packet_latencies_s)
    yield "target Up → state Up", _spread(outcome.wake_latencies_s)
    yield "deployments waited", f"{_spread(outcome.waits_s)}; {outcome.still_waiting:,} still waiting"
    yield "magic packets", f"{packets:,}{f' ({packets / wakes:.0f} per wake)' if wakes else ''}"
    yield "reads of the chain", f"{reads:,} ({reads / max(1.0, running_s / 3600):.0f} per running hour)"
    yield "uptime reports", f"{counts.get('UptimeReported', 0):,}"
    yield "energy", f"{energy.used_kwh:,.1f} kWh; always on: {energy.always_on_kwh:,.1f} kWh"
    yield "saved", f"{energy.saved_kwh:,.1f} kWh, {energy.saved_money:,.2f} {energy.currency}"
    speed = plan.end_s / outcome.wall_s if outcome.wall_s else float("nan")
    yield "took", f"{outcome.wall_s:.1f} s ({speed:,.0f} × real time); hash of the run {outcome.trace_hash}"


def month_figures(outcome: Outcome) -> Iterator[Row]:
    month, currency, hours = month_of(outcome), outcome.energy.currency, outcome.plan.hours
    short = f" (of {hours:g} h only: too short to say)" if hours < DAY_H else ""
    yield (
        "saved per month",
        (f"{month.saved_kwh:,.1f} kWh ({month.saved_share:.0%}), {month.saved_money:,.2f} {currency}{short}"),
    )
    lost, calm = month.lost_money, "" if outcome.plan.faults else CALM
    yield "income lost per month", "not known: [income] is not set" if lost is None else f"{lost:,.2f} {currency}{calm}"
    if lost is not None:
        yield "net per month", f"{month.net_money:+,.2f} {currency}"
    yield "nodes at risk", f"{counted(outcome.at_risk):,}" if outcome.at_risk else f"none{calm}"


def _income(outcome: Outcome) -> Iterator[Row]:
    """What the grid's minting says of the run (docs/minting.md)."""
    income, plan = outcome.income, outcome.plan
    yield "credited", f"{min(1.0, income.credited_in_all_s / (plan.nodes * plan.end_s)):.2%} of the time"
    yield "lost to powerd / faults", " / ".join(seconds(income.lost_s(to)) for to in (LostTo.POWERD, LostTo.FAULTS))
    if farmer_s := income.lost_s(LostTo.FARMER):
        yield "lost to the farmer", f"{seconds(farmer_s)}: slept for too long by the bot or the script"
    if otherwise_s := income.lost_otherwise_s:
        yield "lost otherwise", f"{seconds(otherwise_s)}: {BITS}"
    if per_month := plan.income.per_node_and_month:
        yield "income lost", f"{max(0.0, income.lost_money(per_month)):,.2f} {outcome.energy.currency}"
    lost = len(income.months_lost)
    yield "slow boots, months lost", f"{income.slow_boots:,}, {lost:,} of {income.months:,}"


class Judged(Protocol):
    """What a verdict is about: an `Outcome`, or what is kept of one."""

    @property
    def kept(self) -> bool:
        """Whether every promise held."""
        ...

    @property
    def promises(self) -> Mapping[str, str]:
        """Name → text."""
        ...

    @property
    def not_checked(self) -> Sequence[str]:
        """Names of those that the run could not break."""
        ...

    @property
    def broken(self) -> Mapping[str, int]:
        """Name → how many times."""
        ...

    @property
    def violations(self) -> Sequence[Violation]:
        """The first of them."""
        ...


def verdict(outcome: Judged) -> Iterator[str]:
    """A line for every promise that was broken, with its first cases; or one that says that none was."""
    if outcome.kept:
        untried = outcome.not_checked
        yield f"All {len(outcome.promises)} promises were kept{' that this run put to the test' if untried else ''}."
        if untried:
            yield f"It could not test {len(untried)} more: {', '.join(untried)}"
        return
    for name, times in outcome.broken.items():
        yield f"BROKEN, {times:,} times: {outcome.promises[name]} ({name})"
        cases = [violation for violation in outcome.violations if violation.promise == name]
        for case in cases[:3]:
            yield f"    {clock(case.at_s)}  {f'node {case.node}' if case.node else 'all'}: {case.detail}"


def clock(at_s: float) -> str:
    """Virtual time as ``1d 04:05:06``."""
    days, rest = divmod(int(at_s), 86_400)
    hours, minutes = divmod(rest // 60, 60)
    return f"{f'{days}d ' if days else ''}{hours:02}:{minutes:02}:{rest % 60:02}"


def table(rows: Iterable[Row]) -> Iterator[str]:
    for what, how_much in rows:
        yield f"  {what:<26} {how_much}"


def _spread(times: Times) -> str:
    if not times:
        return "none"
    half, most = seconds(times.percentile(0.5)), seconds(times.percentile(0.99))
    return f"half within {half}, 99 % within {most}, longest {seconds(times.longest)}"
