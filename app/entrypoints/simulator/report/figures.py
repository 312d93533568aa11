"""The figures of a report, in words: tiles, latencies, energy and money, packets and chain calls."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from app.entrypoints.simulator.income.lost_to import LostTo
from app.entrypoints.simulator.plan.at_risk import counted
from app.entrypoints.simulator.report.month import month_of
from app.entrypoints.simulator.report.summary import BITS, CALM, seconds
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.thinning import LEAST_CREDITED_MAX
from app.entrypoints.simulator.run.times import Times

Row = tuple[str, str, str]

MINUTE_S, HOUR_S = 60.0, 3600.0

STEPS_S = (
    *(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0),
    *(MINUTE_S * minutes for minutes in (1, 2, 5, 10, 20, 30)),
    *(HOUR_S * hours for hours in (1, 2, 4, 8, 12, 24)),
)
BARS_MIN, BARS_MAX = 10, 30
"""99 % of the times fit into at most ``BARS_MAX`` bars; there are up to twice as many where all times fit then."""

EXTRINSIC = "extrinsic "
EXTRINSICS = {
    "change_power_state": "states that nodes reported",
    "change_power_target": "targets that the farmer set",
    "report_uptime_v2": "uptime reports",
}

MANY = 10_000
"""kWh, or money, whose fractions mean nothing."""


class Distribution(Struct, kw_only=True):
    """Bars of equal width, from 0 on."""

    name: str
    step_s: float
    """The width of a bar."""
    counts: list[int]
    longer: int
    """Number of the times that are beyond the last bar."""


class EnergyBar(Struct, kw_only=True):
    """One bar, and the words beside it."""

    name: str
    kwh: float
    text: str
    money: str
    share: str
    """Of the energy of nodes that never sleep."""


def tiles(outcome: Outcome) -> Iterator[Row]:
    """What a farmer wants to know first: what a month of this brings, and what it puts at risk."""
    yield from _per_month(outcome)
    energy, counts = outcome.energy, outcome.counts
    wakes, wanted = len(outcome.wake_latencies_s), counts.get("wakes wanted", 0)
    yield (
        "saved in this run",
        _kwh(energy.saved_kwh),
        f"{_percent(month_of(outcome).saved_share)}, {_money(outcome, energy.saved_money)}",
    )
    yield "wakes", f"{wakes:,}", f"of {wanted:,} wanted; nodes went to sleep {counts.get('powered off', 0):,} times"
    latencies_s = outcome.wake_latencies_s
    half = seconds(latencies_s.percentile(0.5))
    rest = f"or less for half of the wakes; {seconds(latencies_s.percentile(0.99))} or less for 99 %"
    yield "from called to up", half, rest if wakes else "no wakes"
    waits_s, still = outcome.waits_s, outcome.still_waiting
    waited = sum(count for wait_s, count in waits_s.counts if wait_s > 0)
    yield (
        "deployments that waited",
        f"{waited + still:,}",
        f"of {len(waits_s) + still:,}, until a node was up" + (f"; {still:,} still waiting" if still else ""),
    )


def _per_month(outcome: Outcome) -> Iterator[Row]:
    """A month is a period of the grid's minting, some 30 days and 11 hours."""
    income, plan, month = outcome.income, outcome.plan, month_of(outcome)
    yield (
        "energy saved per month",
        _kwh(month.saved_kwh),
        f"{_percent(month.saved_share)} of what nodes use that never sleep",
    )
    lost, net = month.lost_money, _money(outcome, month.net_money)
    yield (
        "money saved per month",
        _money(outcome, month.saved_money),
        "on electricity" if lost is None else f"on electricity; income lost: {_money(outcome, lost)}; net: {net}",
    )
    reasons = [f"{seconds(income.lost_s(to))} to {to.value}" for to in LostTo if income.lost_s(to)]
    if otherwise_s := income.lost_otherwise_s:
        reasons.append(f"{seconds(otherwise_s)} {BITS}")
    lost_to = ", ".join(reasons)
    lost_months = f"; {len(income.months_lost):,} months lost" if income.months_lost else ""
    share = min(1.0, income.credited_in_all_s / (plan.nodes * plan.end_s))
    yield (
        "credited by the grid",
        f"{100 * share:.2f} %",
        f"of the time is credited; lost: {lost_to or 'nothing'}{lost_months}",
    )
    dark = [sample[2] for sample in outcome.series]
    yield "nodes that sleep", f"{sum(dark) / len(dark):,.1f}", f"of {plan.nodes:,}, on average"
    at_risk = outcome.at_risk
    yield "nodes at risk", f"{counted(at_risk):,}", f"may be lost, whatever powerd does{'' if plan.faults else CALM}"


def distributions(outcome: Outcome) -> Iterator[Distribution]:
    """Nothing where nothing was woken."""
    for name, times in (
        ("From the target Up to the magic packet that woke the node", outcome.packet_latencies_s),
        ("From the target Up until the chain showed the node Up", outcome.wake_latencies_s),
    ):
        if times:
            yield _distribution(name, times)


def _distribution(name: str, times: Times) -> Distribution:
    most_s = times.percentile(0.99)
    days = int(most_s / BARS_MAX / STEPS_S[-1]) + 1
    step_s = next((step_s for step_s in STEPS_S if most_s < BARS_MAX * step_s), days * STEPS_S[-1])
    bars = max(BARS_MIN, int(most_s / step_s) + 1)
    if times.longest < 2 * BARS_MAX * step_s:
        bars = max(bars, int(times.longest / step_s) + 1)
    counts = [0] * (bars + 1)
    for value_s, count in times.counts:
        counts[min(bars, int(value_s / step_s))] += count
    return Distribution(name=name, step_s=step_s, counts=counts[:bars], longer=counts[bars])


def spreads(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """What, how many, and the percentiles."""
    yield "until", "number", "half within", "90 % within", "99 % within", "longest"
    yield _spread("the magic packet", outcome.packet_latencies_s)
    yield _spread("up on the chain", outcome.wake_latencies_s)
    yield _spread("a deployment runs", outcome.waits_s)


def energy_bars(outcome: Outcome) -> Iterator[EnergyBar]:
    """Nodes that never sleep, this run, and the difference."""
    energy = outcome.energy
    for name, kwh, money in (
        ("no sleep", energy.always_on_kwh, energy.always_on_money),
        ("this run", energy.used_kwh, energy.used_money),
        ("saved", energy.saved_kwh, energy.saved_money),
    ):
        share = kwh / energy.always_on_kwh if energy.always_on_kwh else 0.0
        yield EnergyBar(name=name, kwh=kwh, text=_kwh(kwh), money=_money(outcome, money), share=_percent(share))


def credited_bars(outcome: Outcome) -> list[tuple[int, float, str]]:
    """Node, credited share, why its month is lost; the least credited first, where there are many.

    The minting credits some seconds more than have passed: such a node has its whole time.
    """
    income, end_s = outcome.income, outcome.plan.end_s
    shares = sorted((round(min(1.0, credited_s / end_s), 4), node) for node, credited_s in income.credited_s.items())
    return [(node, share, income.months_lost.get(node, "")) for share, node in shares[:LEAST_CREDITED_MAX]]


def energy_note(outcome: Outcome) -> str:
    """The assumptions behind the figures."""
    plan = outcome.plan.energy
    differs = any(plan.of(node) != plan for farm in outcome.plan.farms for node in farm.nodes)
    return (
        f"A node draws {plan.asleep_w:g} W while dark, {plan.idle_w:g} W while on, and up to {plan.busy_w:g} W when "
        f"it is full; a kWh costs {plan.price_per_kwh:.2f} {plan.currency}. "
        f"{'Some nodes differ, as the farm file says. ' if differs else ''}"
        "“No sleep” is the same workload on the same nodes."
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
        *((_extrinsic_words(name.removeprefix(EXTRINSIC)), counts[name], False) for name in extrinsics),
    ]
    yield "", "in all", "per running node and hour", "per wake"
    for name, number, by_wake in rows:
        per_wake = f"{number / wakes:,.1f}" if by_wake and wakes else "–"
        yield name, f"{number:,}", f"{number / hours:,.2f}" if hours else "–", per_wake


def _extrinsic_words(call: str) -> str:
    return f"{EXTRINSICS[call]} ({call})" if call in EXTRINSICS else call


def _spread(name: str, times: Times) -> tuple[str, ...]:
    percentiles = (seconds(times.percentile(share)) for share in (0.5, 0.9, 0.99))
    return name, f"{len(times):,}", *percentiles, seconds(times.longest)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _kwh(amount: float) -> str:
    return f"{amount:,.{1 if abs(amount) < MANY else 0}f} kWh"


def _money(outcome: Outcome, amount: float) -> str:
    return f"{amount:,.{2 if abs(amount) < MANY else 0}f} {outcome.energy.currency}"
