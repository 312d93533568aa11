"""From the event of the own node to the power-off command, on a chain that makes blocks at once."""

from __future__ import annotations

import asyncio
from time import perf_counter, time

from app.adapters.codecs.power_target import TargetChange, encode
from app.adapters.substrate.chain import SubstrateChain
from app.domain.model import Power, UptimeSample
from tests.bench.figure import Figure, Scale, percentile
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import ME, Settings
from tests.rigs.redis import hand

SETTINGS: Settings = {
    "chain": {"best_head_age_s_max": 0, "finalized_head_age_s_max": 0},
    "uptime": {"interval_s": 4},
}
SAMPLES_APART_S = 1.1
"""Two reports never carry the same second. A node that has run for a while need not wait for this."""


async def measure(scale: Scale) -> list[Figure]:
    """The medians; each sample is another daemon."""
    taken, floor = [], []
    for _ in range(max(3, scale.samples // 20)):
        async with node_rig(block_time_s=0, settings=SETTINGS) as node:
            floor.append(await _two_extrinsics(node))
            taken.append(await _shutdown(node))
    value, base = percentile(taken, 50) * 1e3, percentile(floor, 50) * 1e3
    against = "two extrinsics submitted by hand"
    return [Figure("event → command", value, "ms", against, base, value / base, "≤ 1.8×")]


async def _shutdown(node: Node) -> float:
    await node.daemon.start()
    await node.daemon.says("UptimeReported")
    await node.daemon.says("Reconciled", trigger="itself: ")
    # A node with fewer than two reports sends another one before Down. A node that has run for a while has two.
    await node.daemon.says("UptimeReported", since=node.daemon.mark())
    await asyncio.sleep(SAMPLES_APART_S)
    await node.set_target(Power.DOWN)
    with hand(node.redis.url()) as redis:
        redis.ping()
        began = perf_counter()
        redis.xadd("stream:power-target", {"body": encode(TargetChange(1, ME, is_up=False, is_down=True))})
        await node.daemon.says("PowerOffOrdered")
        taken = perf_counter() - began
    await node.daemon.kill()
    return taken


async def _two_extrinsics(node: Node) -> float:
    from app.adapters.substrate.client import SubstrateClient

    client = SubstrateClient([node.chain.url])
    peer = SubstrateChain(client, seed=node.chain.node_seeds[1])
    try:
        await peer.report_uptime(_sample)
        began = perf_counter()
        await peer.set_power_state(Power.DOWN)
        await peer.report_uptime(_sample)
        taken = perf_counter() - began
        await peer.set_power_state(Power.UP)
        return taken
    finally:
        await client.close()


def _sample() -> UptimeSample:
    return UptimeSample(60, int(time()))
