"""The number of runs that are over: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

SAY_EVERY_S = 15.0


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
