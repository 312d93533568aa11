"""How slow this machine is now, measured: deadlines grow with it, and a failure says it."""

from __future__ import annotations

import os
import time
from functools import cache

VARIABLE = "POWERD_TEST_SLOWNESS"
"""Set by the process that starts the workers, before they keep the cores busy; or by hand."""

NOMINAL_S = 0.08
"""What `_work` takes on an idle core of a common server."""

SLOW = 2.0
MOST = 4.0
"""More would make a run endless: what hangs on purpose is waited for as patiently as what is healthy."""


def measured() -> float:
    """1 on an idle machine of common speed, 3 where the same work takes three times as long; never below 1."""
    began_s = time.perf_counter()
    _work()
    return max(1.0, (time.perf_counter() - began_s) / NOMINAL_S)


@cache
def slowness() -> float:
    """As measured when the run began; the load of the minute before counts too, since a short work may be lucky."""
    if VARIABLE not in os.environ:
        waiting = os.getloadavg()[0] / (os.cpu_count() or 1)
        os.environ[VARIABLE] = f"{min(MOST, max(measured(), waiting)):.1f}"
    return float(os.environ[VARIABLE])


def patient(seconds: float) -> float:
    """So long on an idle machine, and longer on a slow one: for deadlines of those who are healthy."""
    return seconds * slowness()


def about_the_machine() -> str | None:
    """What a failure says of it; None when it is not slow."""
    now = measured()
    if max(now, slowness()) < SLOW:
        return None
    return (
        f"The machine was slow: a piece of work that takes {NOMINAL_S:g} s took {now * NOMINAL_S:.2f} s just now"
        f" ({now:.1f} times as long; {slowness():.1f} times when the run began); load average {os.getloadavg()[0]:.1f}"
        f" on {os.cpu_count()} cores. All deadlines were {slowness():.1f} times as long as on an idle machine."
    )


def _work() -> None:
    total = 0
    for number in range(400_000):
        total += number * number % 7
