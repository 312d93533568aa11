"""Farms in virtual time, beside a plain SimPy program that does nothing but wait as often.

Each run is a separate process, so that the memory is that of one run. Times are processor times: each run
uses one core, and other work on the machine then counts less.
"""

from __future__ import annotations

import json
import subprocess
import sys

from tests.bench.figure import Figure, Scale

RUN = """
import json, sys, time
from app.adapters.simulated.clock import VirtualLoop
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.run.merging import Details
from app.entrypoints.simulator.run.run import run

timers = 0
close = VirtualLoop.close

def counting(self):
    global timers
    timers += self.timers_set
    close(self)

VirtualLoop.close = counting
nodes, hours = int(sys.argv[1]), float(sys.argv[2])
plan = plan_of(WorldRequest(nodes=nodes, farms=max(1, nodes // 100), hours=hours, faults="moderate"))
began_s = time.process_time()
outcome = run(plan, details=Details.NONE)
core_s = time.process_time() - began_s
# Not of getrusage: its peak is at least that of the bench, which was this process before it became another.
(peak_kib,) = (int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(json.dumps({
    "core_s": core_s,
    "mib": peak_kib / 1024,
    "timers": timers,
    "broken": sum(outcome.broken.values()),
}))
"""

SIMPY = """
import random, sys, time
import simpy

timers, processes = int(sys.argv[1]), int(sys.argv[2])
each = timers // processes

def wait(environment, chance):
    for _ in range(each):
        yield environment.timeout(chance.random() * 600)

environment = simpy.Environment()
for number in range(processes):
    environment.process(wait(environment, random.Random(number)))
began_s = time.process_time()
environment.run()
print(time.process_time() - began_s)
"""

SMALLER = 10


async def measure(scale: Scale) -> list[Figure]:
    """The whole simulation, a tenth of it, and the same number of bare timers."""
    nodes = 10 * scale.nodes
    large, small = _run(nodes, scale.simulated_hours), _run(nodes // SMALLER, scale.simulated_hours)
    bare_s = float(_python(SIMPY, str(int(large["timers"])), str(nodes)))
    what = f"{nodes:,} nodes, {scale.simulated_hours:g} h"
    growth = large["core_s"] / small["core_s"]
    return [
        Figure(
            f"{what}: time",
            large["core_s"],
            "s",
            f"SimPy, {large['timers']:,.0f} timers",
            bare_s,
            large["core_s"] / bare_s,
            "≤ 120 s, ≤ 8×",
        ),
        Figure(f"{what}: memory", large["mib"], "MiB", f"{nodes // SMALLER:,} nodes", small["mib"], None, "≤ 200 MiB"),
        Figure(f"{what}: broken promises", large["broken"], "times", aim="0"),
        Figure(
            f"time of {SMALLER} × the nodes",
            large["core_s"],
            "s",
            f"{nodes // SMALLER:,} nodes",
            small["core_s"],
            growth,
            f"≤ {SMALLER * 1.05:g}×",
        ),
    ]


def _run(nodes: int, hours: float) -> dict[str, float]:
    figures: dict[str, float] = json.loads(_python(RUN, str(nodes), str(hours)))
    return figures


def _python(program: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout
