"""Memory and start-up of the daemon in the profile zos, beside a bare Python with asyncio and redis."""

from __future__ import annotations

from time import perf_counter

from tests.bench.figure import Figure, Scale
from tests.bench.footprint import bare_mib, memory_mib
from tests.integration.node_rig import node_rig

ROW = "zos daemon"


async def measure(scale: Scale) -> list[Figure]:
    """Of one daemon, with the neighbours running before it."""
    bare = await bare_mib()
    async with node_rig(profile="zos", block_time_s=6) as node:
        began = perf_counter()
        await node.daemon.start()
        await node.daemon.says("Reconciled", trigger="itself: ")
        start_s = perf_counter() - began
        await node.daemon.says("Reconciled", trigger="the farm: ")
        await node.daemon.says("UptimeReported")
        mib = memory_mib(node.daemon.pid)
    return [
        Figure(ROW, "memory after the first looks", mib, "MiB", "bare Python", bare, mib / bare, "≤ 55 MiB"),
        Figure(ROW, "start → first look at itself", start_s, "s"),
    ]
