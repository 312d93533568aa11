"""One line of a row of the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and its floor. On a noisy machine ``ratio`` says more than each of them."""

    measure: str
    value: float
    unit: str
    against: str = ""
    floor: float | None = None
    ratio: float | None = None
    aim: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    samples: int
    nodes: int
    blocks: int
    idle_s: float
    soak_s: float
    soak_events: float = float("inf")
    simulated_hours: float = 24.0


FULL = Scale(samples=200, nodes=1000, blocks=512, idle_s=60.0, soak_s=30.0)
QUICK = Scale(samples=5, nodes=20, blocks=32, idle_s=1.0, soak_s=1.0, simulated_hours=4.0)


def seconds_of(work: Callable[[], object], times: int, repeats: int = 5) -> float:
    """Seconds per call, the best of some repeats."""
    best = float("inf")
    for _ in range(repeats):
        began = perf_counter()
        for _ in range(times):
            work()
        best = min(best, (perf_counter() - began) / times)
    return best


def percentile(values: Sequence[float], percent: int) -> float:
    """By linear interpolation; of few values the largest stands for the last percents."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
