"""A progress bar with virtual time and speed on a terminal; elsewhere one line where it takes long."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from app.entrypoints.simulator.plan.plan import Plan
from app.entrypoints.simulator.report.summary import clock

LONG_NODE_H = 5_000.0
"""Node hours that take some 15 s of one core."""


@contextmanager
def progress_bar(plan: Plan) -> Iterator[Callable[[float], None]]:
    """Yields a function that takes the virtual seconds that all nodes have passed together."""
    began_s = time.perf_counter()

    def words(now_s: float | None) -> str:
        if not now_s:
            return ""
        return f"{clock(now_s)}, {now_s / max(1e-9, time.perf_counter() - began_s):,.0f} × real time"

    if not sys.stderr.isatty() and plan.nodes * plan.hours > LONG_NODE_H:
        click.echo(f"simulating {plan.nodes:,} nodes for {plan.hours:g} h; the outcome is printed at the end", err=True)
    with click.progressbar(
        length=int(plan.end_s),
        label=f"{plan.nodes:,} nodes",
        file=sys.stderr,
        item_show_func=words,
        update_min_steps=max(1, int(plan.end_s / 400)),
        hidden=not sys.stderr.isatty(),
    ) as bar:
        passed = 0

        def passes(node_s: float) -> None:
            nonlocal passed
            now_s = node_s / plan.nodes
            bar.update(int(now_s) - passed, now_s)
            passed = int(now_s)

        yield passes
