"""``powerd check`` on a host without faults, from its start to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter

from app.entrypoints.demo.installation import program
from tests.bench.figure import Figure, Scale, percentile
from tests.rigs.node import node_rig


async def measure(scale: Scale) -> list[Figure]:
    """The medians of several processes. The card is simulated, since no bench machine has one that can be woken."""
    async with node_rig(block_time_s=1.0) as node:
        check = [program("powerd"), "--config", str(node.directory / "powerd.toml"), "check", "--json"]
        times = max(3, scale.samples // 10)
        whole = percentile([await _seconds(check) for _ in range(times)], 50)
        alone = percentile([await _seconds([*check, "--only", "settings"]) for _ in range(times)], 50)
    against = "powerd check --only settings"
    return [Figure("a healthy host, all checks", whole, "s", against, alone, whole / alone, "≤ 3 s")]


async def _seconds(command: Sequence[str]) -> float:
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return perf_counter() - began
