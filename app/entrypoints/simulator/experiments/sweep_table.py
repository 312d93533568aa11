"""The results of a sweep: a line for every point of its grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from app.entrypoints.simulator.experiments.grid import Point
from app.entrypoints.simulator.experiments.replay import replay_line
from app.entrypoints.simulator.experiments.result import Spread, spread_of
from app.entrypoints.simulator.experiments.sweep import Sweep, Swept
from app.entrypoints.simulator.experiments.sweep_file import Run
from app.entrypoints.simulator.report.summary import seconds, verdict
from app.entrypoints.simulator.run.times import Times
from app.entrypoints.terminal.tables import aligned

NAMED_MAX = 10
"""Failed runs that are named one by one."""


class PointSummary(Struct, kw_only=True):
    """All runs of one point: means of shares and energy; wakes as if all runs were one."""

    values: dict[str, str]
    runs: int
    failed: int
    broken_runs: int
    broken: dict[str, int]
    """Promise → how often it was broken, in all runs of the point."""
    dark_share: float
    credited_share: float
    months_lost: int
    nodes_at_risk: int
    """The largest number in any run of the point."""
    saved_kwh: float
    saved_money: float
    wake_s: Spread
    packets_per_wake: float | None


class SweepSummary(Struct, kw_only=True):
    """For ``--json``."""

    points: list[PointSummary]
    failed: dict[str, str]
    """Run → why it did not finish."""
    first_broken: str | None
    """The line that replays it."""
    runs: list[Run]


def summary_of(swept: Swept) -> SweepSummary:
    """Points and runs in the grid's order."""
    first, keys = swept.first_broken, list(swept.sweep.grid)
    return SweepSummary(
        points=[_point(swept, point) for point in swept.sweep.points],
        failed={failed.task.name: failed.reason for failed in swept.failed.values()},
        first_broken=replay_line(swept.sweep.request_of(first[0])) if first else None,
        runs=[
            Run(values=dict(zip(keys, values, strict=True)), seed=seed, result=result)
            for (values, seed), result in swept.runs()
        ],
    )


def _point(swept: Swept, point: Point) -> PointSummary:
    values = tuple(point.values.values())
    results = [swept.results[values, seed] for seed in swept.sweep.seeds if (values, seed) in swept.results]
    broken: dict[str, int] = {}
    for result in results:
        for name, times in result.broken.items():
            broken[name] = broken.get(name, 0) + times
    wakes = sum(result.figures.wakes for result in results)
    packets = sum(result.figures.packets for result in results)
    return PointSummary(
        values=dict(point.values),
        runs=len(results),
        failed=sum((values, seed) in swept.failed for seed in swept.sweep.seeds),
        broken_runs=sum(not result.kept for result in results),
        broken=broken,
        dark_share=_mean([result.figures.dark_share for result in results]),
        credited_share=_mean([result.figures.credited_share for result in results]),
        months_lost=sum(result.figures.months_lost for result in results),
        nodes_at_risk=max((result.figures.nodes_at_risk for result in results), default=0),
        saved_kwh=_mean([result.figures.saved_kwh for result in results]),
        saved_money=_mean([result.figures.saved_money for result in results]),
        wake_s=spread_of(Times.merged(result.wake_times for result in results)),
        packets_per_wake=packets / wakes if wakes else None,
    )


def table(summary: SweepSummary, sweep: Sweep) -> Iterator[str]:
    """Figures, a line for every point."""
    titles = (
        "runs",
        "broken",
        "dark",
        "at risk",
        "credited",
        "months lost",
        "kWh saved",
        "wake p50",
        "p99",
        "max",
        "packets/wake",
    )
    rows = [(*sweep.grid, *titles)]
    for point in summary.points:
        wake = (point.wake_s.p50, point.wake_s.p99, point.wake_s.max)
        rows.append(
            (
                *point.values.values(),
                f"{point.runs:,}" + (f" ({point.failed:,} failed)" if point.failed else ""),
                f"{point.broken_runs:,}",
                f"{point.dark_share:.1%}" if point.runs else "–",
                f"{point.nodes_at_risk:,}" if point.runs else "–",
                f"{point.credited_share:.2%}" if point.runs else "–",
                f"{point.months_lost:,}" if point.runs else "–",
                f"{point.saved_kwh:,.1f}" if point.runs else "–",
                *(seconds(float("nan") if value is None else value) for value in wake),
                "–" if point.packets_per_wake is None else f"{point.packets_per_wake:.0f}",
            )
        )
    yield from aligned(rows, left=len(sweep.grid))


def ending(summary: SweepSummary, swept: Swept) -> Iterator[str]:
    """What did not finish, and what broke."""
    for name, reason in list(summary.failed.items())[:NAMED_MAX]:
        yield f"FAILED: {name or 'the run'}: {reason}"
    if len(summary.failed) > NAMED_MAX:
        yield f"FAILED: {len(summary.failed) - NAMED_MAX:,} more"
    if summary.failed:
        yield "The same command runs them again; with --out FILE it runs only them."
    first = swept.first_broken
    if first is None:
        if summary.runs:
            yield f"Every promise was kept in all {len(summary.runs):,} runs{' that finished' * bool(summary.failed)}."
        return
    (values, seed), result = first
    named = " ".join([*map("=".join, zip(swept.sweep.grid, values, strict=True)), f"seed {seed}"])
    broken = sum(point.broken_runs for point in summary.points)
    yield f"{broken:,} of {len(summary.runs):,} runs broke a promise; the first is {named}:"
    yield from verdict(result)
    yield f"Replay: {summary.first_broken}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
