"""Runs one plan and shows the outcome."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import click
import msgspec

from app.entrypoints.simulator.plan.at_risk import Risk, lines, unwakeable
from app.entrypoints.simulator.plan.plan import Plan
from app.entrypoints.simulator.report.exit_codes import exit_code
from app.entrypoints.simulator.report.next_steps import next_steps
from app.entrypoints.simulator.report.progress import progress_bar
from app.entrypoints.simulator.report.summary import month_figures, run_figures, table, verdict
from app.entrypoints.simulator.run.merging import Details
from app.entrypoints.simulator.run.run import run, run_on
from app.entrypoints.simulator.workers.work import Workers
from app.entrypoints.simulator.world.world import daemon_settings


def show(plan: Plan, out: TextIO, workers: Workers | None, *, report: Path | None, as_json: bool) -> int:
    """Print table and verdict, or JSON; write the page. Returns the exit code.

    Without ``workers`` everything runs in this process.
    """
    if report is not None:
        from app.entrypoints.simulator.report.page import check_place, write_report

        check_place(report)
    if not as_json:
        _print_red(out, lines(list(unwakeable(plan))))  # now, so that the farmer can stop a long run
    daemon_settings(plan)
    details = Details.ALL if as_json else Details.PAGE if report else Details.NONE
    with progress_bar(plan) as passes:
        if workers is None:
            outcome = run(plan, progress=passes, details=details)
        else:
            outcome = run_on(workers, plan, progress=passes, details=details)
    if as_json:
        print(msgspec.json.encode(outcome).decode(), file=out)
    else:
        for line in (*table(run_figures(outcome)), "", *verdict(outcome)):
            print(line, file=out)
        _print_red(out, lines([each for each in outcome.at_risk if each.risk is not Risk.UNWAKEABLE]))
        # Last, so that a reader who does not scroll sees it.
        print("\nWhat a month of this brings:", *table(month_figures(outcome)), sep="\n", file=out)
        print("\nWhat to do next:", *(f"- {step}" for step in next_steps(outcome)), sep="\n  ", file=out)
    if report is not None:
        # Written last, so that a full disk does not prevent what is printed.
        write_report(outcome, report)
        if not as_json:
            print(f"The page is {report.resolve()}", file=out)
    return exit_code(kept=outcome.kept, at_risk=bool(outcome.at_risk))


def _print_red(out: TextIO, text: Iterable[str]) -> None:
    for line in text:
        click.secho(line, file=out, fg="red")
