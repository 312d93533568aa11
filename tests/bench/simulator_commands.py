"""Commands of the simulator, as a user runs them: a month with its page, and what a second worker brings."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

from app.entrypoints.demo.installation import program
from tests.bench.figure import Figure, Scale

MONTH_DAYS = 30
WORKERS = 2


async def month(scale: Scale) -> list[Figure]:
    """A farm over a month without faults, beside as many single days."""
    nodes, days = scale.nodes // 10, MONTH_DAYS if scale.simulated_hours >= 24 else 2
    with tempfile.TemporaryDirectory(prefix="powerd-") as directory:
        page = Path(directory, "page.html")
        whole_s = _core_s("--nodes", nodes, "--farms", 1, "--days", days, "--report", page)
        mb = _megabytes(page)
    alone_s = days * _core_s("--nodes", nodes, "--farms", 1, "--days", 1)
    what = f"{nodes} nodes, {days} days"
    return [
        Figure(f"{what}: time", whole_s, "s", f"{days} × a day", alone_s, whole_s / alone_s, "≤ 60 s"),
        Figure(f"{what}: page", mb, "MB", aim="≤ 5 MB"),
    ]


async def workers(scale: Scale) -> list[Figure]:
    """The same runs with two workers, and with one."""
    farms = max(WORKERS, scale.nodes // 100)
    run = ("--nodes", scale.nodes, "--farms", farms, "--hours", scale.simulated_hours, "--faults", "moderate")
    one_s, two_s = (_wall_s(*run, "--workers", workers) for workers in (1, WORKERS))
    seeds = max(WORKERS, scale.samples * 3 // 10)
    one, two = (
        3600 * seeds / _wall_s("explore", "--seeds", f"1-{seeds}", "--workers", workers) for workers in (1, WORKERS)
    )
    return [
        Figure(f"{scale.nodes:,} nodes with two", two_s, "s", "one worker", one_s, two_s / one_s, "≤ 0.55×"),
        Figure("explored worlds with two", two, "an hour", "one worker", one, two / one, "≥ 10,000"),
    ]


def _megabytes(page: Path) -> float:
    return page.stat().st_size / 1e6


def _wall_s(*arguments: object) -> float:
    began = perf_counter()
    subprocess.run([program("powerd"), "simulate", *map(str, arguments)], stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - began


def _core_s(*arguments: object) -> float:
    """Processor time of one process: other work on the machine then counts less."""
    command = [program("powerd"), "simulate", *map(str, arguments), "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used.ru_utime + used.ru_stime
