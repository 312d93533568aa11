"""From the event in Redis to the magic packet on the wire, in the profile zos: the chain is behind api-gateway."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any
from uuid import uuid4

from app.adapters.codecs.zbus_frames import decode_response
from app.adapters.zbus.neighbours import GATEWAY
from app.domain.model import NodeId
from tests.bench.figure import Figure, Scale, percentile
from tests.bench.packet_listener import BROADCAST, HEAD, PacketEar
from tests.bench.plain_redis import plain_redis
from tests.bench.wakes import body, macs, one_wake, sender, settings
from tests.bench.zbus_responder import request
from tests.rigs.node import Node, node_rig

AGAIN_S = 2.0
"""After this time an event of a peer that was just woken counts as another event."""


async def measure(scale: Scale) -> list[Figure]:
    """One wake at a time: of every peer a first one, for which the daemon also reads its record, and then a second one.

    Floor and wake take turns, so that other work of the machine affects both.
    """
    nodes = scale.samples + 1
    async with AsyncExitStack() as stack:
        ear = PacketEar()
        stack.callback((await ear.open()).close)
        rig = node_rig(profile="zos", nodes=nodes, block_time_s=0, settings=settings(ear.port))
        node = await stack.enter_async_context(rig)
        redis = await stack.enter_async_context(plain_redis(node.redis.url()))
        other = await stack.enter_async_context(plain_redis(node.redis.url()))
        for client in (redis, other):
            await client.ping()
        await _floor(node, redis, other, ear)  # the gateway reads the runtime's metadata only once
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        await node.daemon.says("Reconciled", trigger="the farm")
        peers = [NodeId(number) for number in range(2, nodes + 1)]
        floor: list[float] = []
        first: list[float] = []
        second: list[float] = []
        for taken in (first, second):
            again_s = perf_counter() + AGAIN_S
            for peer in peers:
                floor.append(await _floor(node, redis, other, ear))
                taken.append(await one_wake(node, redis, ear, peer))
            await asyncio.sleep(max(0.0, again_s - perf_counter()))
    figures = []
    for which, taken in (("record known", second), ("unknown", first)):
        for percent, aim in ((50, "≤ 2×"), (99, "≤ 4×")):
            value, base = percentile(taken, percent) * 1e3, percentile(floor, percent) * 1e3
            against = "a delivery + a zbus round trip + a sendto"
            name = f"event → first packet, {which}, p{percent}"
            figures.append(Figure(name, value, "ms", against, base, value / base, aim))
    return figures


async def _floor(node: Node, redis: Any, other: Any, ear: PacketEar) -> float:
    """The least that must happen: the bus delivers, the gateway answers, a packet leaves."""
    ear.forget()
    name, mac = str(uuid4()), macs(node)[2]
    reading = asyncio.ensure_future(redis.xread({"floor": "$"}, block=5000))
    await asyncio.sleep(0.002)  # the reader has to wait before there is something to deliver
    began = perf_counter()
    await other.xadd("floor", {"body": body(NodeId(2))})
    await reading
    await redis.rpush(GATEWAY.queue, request(name))
    _, answer = await redis.blpop([name], timeout=60)
    with sender() as sending:
        sending.sendto(HEAD + mac * 16, (BROADCAST, ear.port))
        await ear.heard(1)
    assert decode_response(answer).data
    return ear.first_s[mac] - began
