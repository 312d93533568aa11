"""Memory and start-up of the daemon in the profile zos, beside a bare Python with asyncio and redis."""

from __future__ import annotations

from time import perf_counter

from app.adapters.zbus.neighbours import GATEWAY
from tests.bench.figure import Figure, Scale
from tests.bench.footprint import bare_python, memory_mib
from tests.bench.plain_redis import plain_redis
from tests.bench.zbus_responder import request
from tests.rigs.node import node_rig
from tests.rigs.node_settings import Settings

SETTINGS: Settings = {"chain": {"best_head_age_s_max": 0, "finalized_head_age_s_max": 0}}


async def measure(scale: Scale) -> list[Figure]:
    """The figures of one daemon; the neighbours run before it starts."""
    bare, bare_s = await bare_python()
    async with (
        node_rig(profile="zos", block_time_s=0, settings=SETTINGS) as node,
        plain_redis(node.redis.url()) as redis,
    ):
        await redis.rpush(GATEWAY.queue, request("ready"))  # its first read takes the runtime's metadata
        await redis.blpop(["ready"], timeout=60)
        node.daemon.fresh = True
        began = perf_counter()
        await node.daemon.start()
        await node.daemon.says("Reconciled", trigger="itself: ")
        start_s = perf_counter() - began
        await node.daemon.says("Reconciled", trigger="the farm: ")
        await node.daemon.says("UptimeReported")
        mib = memory_mib(node.daemon.pid)
    return [
        Figure("memory after the first looks", mib, "MiB", "bare Python", bare, mib / bare, "≤ 38 MiB"),
        Figure("start → first look at itself", start_s, "s", "bare Python", bare_s, start_s / bare_s, "≤ 0.25 s"),
    ]
