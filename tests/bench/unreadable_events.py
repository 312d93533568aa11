"""The cost of an hour in which the event stream opens and cannot be read, beside a healthy hour; in virtual time.

The daemon's own services run on simulated adapters, so that the counts do not depend on the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.adapters.simulated.clock import VirtualClock, VirtualLoop
from tests.bench.figure import Figure, Scale
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

NODES = 30
HOUR_S = 3600.0
AGAINST = "an hour in which it can be read"


async def measure(_: Scale) -> Sequence[Figure]:
    """The figures, from a separate event loop in a thread, where time passes as fast as possible."""
    return await asyncio.to_thread(_in_virtual_time)


def _in_virtual_time() -> Sequence[Figure]:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_two_hours())


async def _two_hours() -> Sequence[Figure]:
    farm = VirtualFarm(VirtualClock(), nodes=NODES)
    async with farm.running(1) as node:
        await farm.clock.sleep(600)
        healthy = await _hour(farm, node)
        node.events.unreadable = True
        ill = await _hour(farm, node)
    return [
        Figure(f"{what}, events unreadable", bad, "an hour", AGAINST, good, bad / good, "≤ 2×")
        for what, good, bad in zip(("chain reads", "log lines"), healthy, ill, strict=True)
    ]


async def _hour(farm: VirtualFarm, node: VirtualNode) -> tuple[int, int]:
    reads, told = node.chain.reads, len(node.telemetry.recorded)
    await farm.clock.sleep(HOUR_S)
    return node.chain.reads - reads, len(node.telemetry.recorded) - told
