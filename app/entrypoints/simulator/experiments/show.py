"""Runs what the command line asks for, and prints the results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

import click
import msgspec

from app.entrypoints.simulator.experiments import compare as comparing
from app.entrypoints.simulator.experiments import coverage, sweep_table
from app.entrypoints.simulator.experiments.exploration import SeedNotFinished, explore, finding_of, lines_of
from app.entrypoints.simulator.experiments.explore import Runner
from app.entrypoints.simulator.experiments.result import simulate
from app.entrypoints.simulator.experiments.shards import WHOLE
from app.entrypoints.simulator.experiments.sweep import Sweep, Swept, run_sweep
from app.entrypoints.simulator.input.planning import WorldRequest
from app.entrypoints.simulator.report.exit_codes import exit_code
from app.entrypoints.simulator.report.progress import counted
from app.entrypoints.simulator.run.run import run
from app.entrypoints.simulator.workers.processes import Processes
from app.entrypoints.simulator.workers.work import Failed, Workers


def show_comparison(names: tuple[str, str], request: WorldRequest, *, as_json: bool) -> int:
    """The exit code: that of the worse one."""
    a, b = comparing.compare(names, request, Processes(simulate, 2))
    if as_json:
        sides = {letter: {"policy": side.name, "result": side.result} for letter, side in (("a", a), ("b", b))}
        click.echo(msgspec.json.encode({**sides, "difference": comparing.difference(a, b)}))
    else:
        _print(comparing.table(a, b))
    results = (a.result, b.result)
    return exit_code(
        kept=all(result.kept for result in results),
        at_risk=any(result.figures.nodes_at_risk for result in results),
    )


def show_sweep(sweep: Sweep, workers: Workers, *, out: Path | None, as_json: bool) -> int:
    """The exit code, as that of `show_swept`."""
    with counted("sweep", sum(1 for _ in sweep.here())) as passed:
        swept = run_sweep(sweep, workers, out=out, say=_say, passed=passed)
    code = show_swept(swept, as_json=as_json)
    if out and not as_json:
        click.echo(f"Every run is a line of {out.resolve()}")
        if sweep.shard != WHOLE:
            click.echo(f"This is shard {sweep.shard} only; powerd simulate sweep merge FILE… puts all of them together")
    return code


def show_swept(swept: Swept, *, as_json: bool) -> int:
    """The exit code: that of the worst run."""
    summary = sweep_table.summary_of(swept)
    if as_json:
        click.echo(msgspec.json.encode(summary))
    else:
        _print([*sweep_table.table(summary, swept.sweep), "", *sweep_table.ending(summary, swept)])
    return exit_code(
        kept=swept.first_broken is None,
        at_risk=any(point.nodes_at_risk for point in summary.points),
        finished=not swept.failed,
    )


def show_exploration(
    seeds: Sequence[int], workers: Workers, *, for_s: float | None, run: Runner = run, out: TextIO | None = None
) -> bool:
    """Whether every promise was kept; if not, shrinks and shows the first seed that broke one."""
    with counted("explored seeds", len(seeds)) as passed:
        explored = explore(seeds, workers, for_s=for_s, passed=passed)
    first = explored.first
    if first is None:
        click.echo(f"{explored.seeds:,} seeds with {explored.faults:,} faults: every promise was kept.", out)
        click.echo("What a node can meet, and how much of it these seeds reached:", out)
        for line in coverage.lines(explored.reached):
            click.echo(line, out)
        return True
    if isinstance(first, Failed):
        raise SeedNotFinished(
            f"seed {first.task.key} did not finish: {first.reason}; replay: powerd simulate --explored {first.task.key}"
        )
    _say(f"seed {first.task.key} broke a promise after {explored.seeds:,} seeds; looking for the faults that matter …")
    finding = finding_of(first.task.key, run)
    if finding is None:
        click.echo(f"SEED {first.task.key} broke a promise in its worker and not here: it is not deterministic.", out)
        return False
    for line in lines_of(finding):
        click.echo(line, out)
    return False


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _say(text: str) -> None:
    click.echo(text, err=True)
