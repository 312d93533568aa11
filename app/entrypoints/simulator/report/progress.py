"""Progress bars on a terminal, of a run or of many runs; elsewhere a line where it takes long."""

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
SAY_EVERY_S = 15.0


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


@contextmanager
def counted(label: str, length: int) -> Iterator[Callable[[], None]]:
    """Yields a function to call for every run that is over; it writes to stderr."""
    terminal = sys.stderr.isatty()
    with click.progressbar(
        length=length, label=label, file=sys.stderr, show_pos=True, update_min_steps=1, hidden=not terminal
    ) as bar:
        over = 0
        said_s = time.monotonic()

        def passed() -> None:
            nonlocal over, said_s
            over += 1
            bar.update(1)
            if not terminal and time.monotonic() - said_s > SAY_EVERY_S:
                said_s = time.monotonic()
                print(f"{label}: {over:,} of {length:,}", file=sys.stderr, flush=True)

        yield passed
