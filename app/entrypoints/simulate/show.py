"""Runs one plan and shows what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import msgspec

from app.entrypoints.simulate.plan import Plan
from app.entrypoints.simulate.progress import progress_bar
from app.entrypoints.simulate.run import run
from app.entrypoints.simulate.summary import table, verdict


def show(plan: Plan, out: TextIO, *, report: Path | None, as_json: bool) -> bool:
    """Print table and verdict, or JSON; write the page. Returns whether every promise was kept."""
    if report is not None:
        from app.entrypoints.simulate.report import check_place, write_report

        check_place(report)
    with progress_bar(plan) as passes:
        outcome = run(plan, progress=passes)
    if as_json:
        print(msgspec.json.encode(outcome).decode(), file=out)
    else:
        for line in (*table(outcome), "", *verdict(outcome)):
            print(line, file=out)
    if report is not None:
        # Last: a full disk takes nothing of what is printed.
        write_report(outcome, report)
        if not as_json:
            print(f"The page is {report.resolve()}", file=out)
    return outcome.kept
