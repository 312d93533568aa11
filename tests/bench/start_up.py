"""How long a person waits for a command that works on this machine alone, beside a Python that does nothing."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from time import perf_counter

from app.entrypoints.demo.installation import program
from tests.bench.figure import Figure, Scale
from tests.bench.footprint import WITHOUT_CHAIN
from tests.rigs.node import node_rig

FLOOR = [sys.executable, "-c", "pass"]
RUNS_MAX = 20


async def measure(scale: Scale) -> list[Figure]:
    """The medians. Floor and commands take turns, so that a slow moment affects all of them."""
    async with node_rig(settings=WITHOUT_CHAIN) as node:
        node.daemon.fresh = True
        await node.daemon.start()
        await node.daemon.says("Reconciled", trigger="the farm: ")
        return await asyncio.to_thread(_measure, scale, str(node.directory / "powerd.toml"))


def _measure(scale: Scale, settings: str) -> list[Figure]:
    powerd = program("powerd")
    completing = {"COMP_WORDS": "powerd farm d", "COMP_CWORD": "2", "_POWERD_COMPLETE": "bash_complete"}
    commands: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
        "powerd --help": ([powerd, "--help"], {}),
        "powerd farm --help": ([powerd, "farm", "--help"], {}),
        "powerd farm d<Tab>": ([powerd], completing),
        "powerd status": ([powerd, "--config", settings, "status"], {}),
        "powerd hold list": ([powerd, "--config", settings, "hold", "list"], {}),
    }
    took: dict[str, list[float]] = {name: [] for name in ("", *commands)}
    for _ in range(min(RUNS_MAX, scale.samples)):
        took[""].append(_seconds(FLOOR, {}))
        for name, (command, environment) in commands.items():
            took[name].append(_seconds(command, environment))
    floor_s = statistics.median(took.pop(""))
    aims = {"powerd --help": f"≤ {1500 * floor_s + 100:.0f} ms"}  # 1.5 times the floor, and 100 ms
    figures = []
    for name, times in took.items():
        value_s = statistics.median(times)
        aim = aims.get(name, "≤ 250 ms")
        figures.append(Figure(name, 1000 * value_s, "ms", "python -c pass", 1000 * floor_s, value_s / floor_s, aim))
    return figures


def _seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    began = perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - began
