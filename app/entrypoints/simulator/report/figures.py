"""The figures of a report, in words: tiles, latencies, energy and money, packets and chain calls."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from app.domain.minting.period import LENGTH_S
from app.entrypoints.simulator.income.lost_to import LostTo
from app.entrypoints.simulator.plan.at_risk import counted
from app.entrypoints.simulator.report.summary import seconds
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.thinning import LEAST_CREDITED_MAX
from app.entrypoints.simulator.run.times import Times

Row = tuple[str, str, str]

MINUTE_S, HOUR_S = 60.0, 3600.0

LADDER_S = (
    *(0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0),
    *(MINUTE_S * minutes for minutes in (1, 1.25)),
    *(90.0, 95.0, 100.0, 105.0, 110.0, 115.0),
    *(MINUTE_S * minutes for minutes in (2, 2.5, 3, 4, 5, 7, 10, 15, 20, 30, 45)),
    *(HOUR_S * hours for hours in (1, 2, 4, 8, 12, 24, 48)),
)
"""Where the bars of a distribution begin: milliseconds for packets, and fine around the minutes a boot takes."""

EXTRINSIC = "extrinsic "

MANY = 10_000
"""kWh, or money, whose fractions mean nothing."""


class Distribution(Struct, kw_only=True):
    """How many values lie from each edge to the next; the last bar has no end."""

    name: str
    of: str
    """What the distribution counts."""
    counts: list[int]


class EnergyBar(Struct, kw_only=True):
    """One bar, and the words beside it."""

    name: str
    kwh: float
    text: str
    money: str
    share: str
    """Of the energy of always on."""


def tiles(outcome: Outcome) -> Iterator[Row]:
    """What a farmer wants to know first: what a month of this brings, and what it puts at risk."""
    yield from _per_month(outcome)
    energy, counts = outcome.energy, outcome.counts
    wakes, wanted = len(outcome.wake_latencies_s), counts.get("wakes wanted", 0)
    total_s = outcome.plan.nodes * outcome.plan.end_s
    yield (
        "saved in this run",
        _kwh(energy.saved_kwh),
        f"{_percent(_saved_share(outcome))}, {_money(outcome, energy.saved_money)}",
    )
    yield "time dark", _percent(outcome.seconds_in.get("off", 0.0) / total_s), "of all node hours"
    yield "wakes", f"{wakes:,}", f"of {wanted:,} wanted; {counts.get('powered off', 0):,} sleeps"
    latencies_s = outcome.wake_latencies_s
    half = seconds(latencies_s.percentile(0.5))
    yield "until awake", half, f"median; 99 % within {seconds(latencies_s.percentile(0.99))}" if wakes else "no wakes"
    waits_s, still = outcome.waits_s, outcome.still_waiting
    waited = sum(count for wait_s, count in waits_s.counts if wait_s > 0)
    hours = outcome.seconds_in.get("running", 0.0) / HOUR_S
    reads = counts.get("chain reads", 0)
    yield "chain reads", f"{reads / hours:,.0f}" if hours else "–", f"per running node and hour; {reads:,} in all"
    yield "workloads that waited", f"{waited + still:,}", f"of {len(waits_s) + still:,}; {still:,} still waiting"


def _per_month(outcome: Outcome) -> Iterator[Row]:
    """A month is a period of the grid's minting, some 30 days and 11 hours."""
    energy, income, plan = outcome.energy, outcome.income, outcome.plan
    months = plan.end_s / LENGTH_S
    yield (
        "saved per month",
        _kwh(energy.saved_kwh / months),
        f"{_percent(_saved_share(outcome))}, {_money(outcome, energy.saved_money / months)}",
    )
    lost = ", ".join(f"{seconds(income.lost_s(to))} to {to.value}" for to in LostTo if income.lost_s(to))
    lost_months = f"; {len(income.months_lost):,} months lost" if income.months_lost else ""
    share = income.credited_in_all_s / (plan.nodes * plan.end_s)
    yield "credited", f"{100 * share:.2f} %", f"of the time; {lost or 'nothing'} lost{lost_months}"
    dark = [sample[2] for sample in outcome.series]
    yield "asleep at a time", f"{sum(dark) / len(dark):,.1f}", f"nodes of {plan.nodes:,}, on average"
    at_risk = outcome.at_risk
    yield "nodes at risk", f"{counted(at_risk):,}", "may be lost, whatever powerd does" if at_risk else "none"


def distributions(outcome: Outcome) -> tuple[list[float], list[Distribution]]:
    """Edges that both share, so that one can be read below the other; nothing where nothing was woken."""
    measured = {
        "From target Up to the magic packet": ("wakes by packet", outcome.packet_latencies_s),
        "From target Up to state Up on chain": ("wakes", outcome.wake_latencies_s),
    }
    steps = {name: _by_step(times) for name, (_, times) in measured.items()}
    used = [step for counted in steps.values() for step in counted]
    if not used:
        return [], []
    first, last = max(0, min(used) - 1), min(len(LADDER_S) - 1, max(used) + 1)
    return list(LADDER_S[first : last + 1]), [
        Distribution(name=name, of=of, counts=[steps[name][step] for step in range(first, last + 1)])
        for name, (of, times) in measured.items()
        if times
    ]


def _by_step(times: Times) -> Counter[int]:
    steps: Counter[int] = Counter()
    for value, count in times.counts:
        steps[bisect_right(LADDER_S, value) - 1] += count
    return steps


def spreads(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """What, how many, and the percentiles."""
    yield "", "number", "p50", "p90", "p99", "longest"
    yield _spread("magic packet", outcome.packet_latencies_s)
    yield _spread("Up on chain", outcome.wake_latencies_s)
    yield _spread("workload runs", outcome.waits_s)


def energy_bars(outcome: Outcome) -> Iterator[EnergyBar]:
    """Always on, this run, and the difference."""
    energy = outcome.energy
    for name, kwh, money in (
        ("always on", energy.always_on_kwh, energy.always_on_money),
        ("this run", energy.used_kwh, energy.used_money),
        ("saved", energy.saved_kwh, energy.saved_money),
    ):
        share = kwh / energy.always_on_kwh if energy.always_on_kwh else 0.0
        yield EnergyBar(name=name, kwh=kwh, text=_kwh(kwh), money=_money(outcome, money), share=_percent(share))


def credited_bars(outcome: Outcome) -> list[tuple[int, float, str]]:
    """Node, credited share, why its month is lost; the least credited first, where there are many."""
    income, end_s = outcome.income, outcome.plan.end_s
    shares = sorted((credited_s / end_s, node) for node, credited_s in income.credited_s.items())
    return [(node, round(share, 4), income.months_lost.get(node, "")) for share, node in shares[:LEAST_CREDITED_MAX]]


def energy_note(outcome: Outcome) -> str:
    """The assumptions behind the figures."""
    plan = outcome.plan.energy
    differs = any(plan.of(node) != plan for farm in outcome.plan.farms for node in farm.nodes)
    return (
        f"A node draws {plan.asleep_w:g} W while dark, {plan.idle_w:g} W while on, and up to {plan.busy_w:g} W when "
        f"all of its slots are used; a kWh costs {plan.price_per_kwh:.2f} {plan.currency}. "
        f"{'Some nodes differ, as the farm file says. ' if differs else ''}"
        "“Always on” is the same workload on nodes that never sleep."
    )


def traffic(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """What, in all, per hour of a running node, per wake."""
    counts, wakes = outcome.counts, len(outcome.wake_latencies_s)
    hours = outcome.seconds_in.get("running", 0.0) / HOUR_S
    extrinsics = sorted(name for name in counts if name.startswith(EXTRINSIC))
    rows = [
        ("magic packets", counts.get("packets", 0), True),
        ("bursts of them", counts.get("WakeBurstStarted", 0), True),
        ("chain reads", counts.get("chain reads", 0), False),
        *((f"extrinsic {name.removeprefix(EXTRINSIC)}", counts[name], False) for name in extrinsics),
    ]
    yield "", "in all", "per running node and hour", "per wake"
    for name, number, by_wake in rows:
        per_wake = f"{number / wakes:,.1f}" if by_wake and wakes else "–"
        yield name, f"{number:,}", f"{number / hours:,.2f}" if hours else "–", per_wake


def _spread(name: str, times: Times) -> tuple[str, ...]:
    percentiles = (seconds(times.percentile(share)) for share in (0.5, 0.9, 0.99))
    return name, f"{len(times):,}", *percentiles, seconds(times.longest)


def _saved_share(outcome: Outcome) -> float:
    energy = outcome.energy
    return energy.saved_kwh / energy.always_on_kwh if energy.always_on_kwh else 0.0


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _kwh(amount: float) -> str:
    return f"{amount:,.{1 if abs(amount) < MANY else 0}f} kWh"


def _money(outcome: Outcome, amount: float) -> str:
    return f"{amount:,.{2 if abs(amount) < MANY else 0}f} {outcome.energy.currency}"
