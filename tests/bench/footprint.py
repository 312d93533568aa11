"""Memory, start-up and idle CPU of the daemon, beside a bare Python with asyncio and redis; and a soak."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from app.domain.model import Power
from tests.bench.figure import Figure, Scale
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import PEER, Settings
from tests.rigs.program import Program
from tests.rigs.redis import hand

STREAM = "stream:power-target"
BARE = "import asyncio, redis.asyncio, sys; asyncio.run(asyncio.sleep(0)); print(flush=True); sys.stdin.read()"
WITHOUT_CHAIN: Settings = {"chain": {"kind": "simulated"}, "identity": {"kind": "simulated"}}
EVENTS = 100
"""Events between two drops of the connections."""
SETTLED_S = 0.5
"""After this time the looks at the chain that follow a reconnection are over."""


async def measure(scale: Scale) -> list[Figure]:
    """The figures of one daemon each, with this machine's Python."""
    bare, bare_s = await bare_python()
    figures = []
    async with node_rig(settings=WITHOUT_CHAIN) as node:
        node.daemon.fresh = True
        await node.daemon.start()
        await node.daemon.says("Reconciled", trigger="itself: ")
        mib = memory_mib(node.daemon.pid)
        figures.append(Figure("memory without chain client", mib, "MiB", "bare Python", bare, mib / bare, "≤ 50 MiB"))
    async with node_rig(block_time_s=6) as node:
        node.daemon.fresh = True
        began = perf_counter()
        await node.daemon.start()
        await node.daemon.says("Reconciled", trigger="the farm: ")
        start_s = perf_counter() - began
        await node.daemon.says("UptimeReported")
        mib = memory_mib(node.daemon.pid)
        used_s = _cpu_s(node.daemon.pid)
        await asyncio.sleep(scale.idle_s)
        idle = 100 * (_cpu_s(node.daemon.pid) - used_s) / scale.idle_s
        figures += [
            Figure("memory with chain client", mib, "MiB", "bare Python", bare, mib / bare, "≤ 50 MiB"),
            Figure("start → first look at the farm", start_s, "s", "bare Python", bare_s, start_s / bare_s, "≤ 0.35 s"),
            Figure(f"idle for {scale.idle_s:.0f} s", idle, "% of a core", aim="< 0.2 %"),
        ]
    return figures


async def soak(scale: Scale) -> list[Figure]:
    """Handle as many events and dropped connections as fit into the time, or as asked for: nothing must grow."""
    async with node_rig() as node:
        node.daemon.command = [sys.executable, "-m", "tests.bench.powerd_quick_reconnect", *node.daemon.command[1:]]
        node.daemon.fresh = True
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        with hand(node.redis.url()) as redis:
            await node.event(PEER, Power.UP)
            await node.daemon.says("EventsHandled")
            fields = redis.xrange(STREAM)[0][1]
            for _ in range(10):
                await _round(node, redis, fields)
            before = await _counts(node.daemon)
            events = reconnections = 0
            began = perf_counter()
            while events < scale.soak_events and perf_counter() - began < scale.soak_s:
                events += await _round(node, redis, fields)
                reconnections += 1
            took_s = perf_counter() - began
            after = await _counts(node.daemon)
    told = [
        Figure("events handled", events, "events"),
        Figure("reconnections", reconnections, "times"),
        Figure("time it took", took_s, "s"),
    ]
    return told + [
        Figure(f"{name} after", after[name], "", "before", was, after[name] / was, "1×") for name, was in before.items()
    ]


async def _round(node: Node, redis: Any, fields: Any) -> int:
    """Kill every connection, then let a hundred events be handled."""
    del node.daemon.said[:]
    redis.client_kill_filter(_type="normal", skipme=True)
    pipeline = redis.pipeline(transaction=False)
    for _ in range(EVENTS):
        pipeline.xadd(STREAM, fields, maxlen=2000)
    pipeline.execute()
    mark = handled = 0
    while handled < EVENTS:
        line = await node.daemon.says("EventsHandled", since=mark)
        mark = node.daemon.said.index(line, mark) + 1
        handled += line["facts"]["deliveries"]
    return handled


async def bare_python() -> tuple[float, float]:
    """A Python that imports what every such program needs: its memory in MiB, and its start in seconds."""
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BARE, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    start_s = perf_counter() - began
    mib = memory_mib(process.pid)
    await process.communicate(b"")
    return mib, start_s


async def _counts(daemon: Program) -> dict[str, float]:
    await asyncio.sleep(SETTLED_S)
    account = await daemon.account()
    counts = {name: float(len(account[name])) for name in ("descriptors", "threads", "tasks")}
    return {"memory (MiB)": memory_mib(daemon.pid), **counts}


def memory_mib(pid: int) -> float:
    """The resident memory of the process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
