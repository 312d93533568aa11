"""From the event in Redis to the magic packet on the wire, with the real daemon."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any

from app.adapters.codecs.power_target import TargetChange, encode
from app.domain.model import HeadKind, NodeId
from tests.bench.figure import Figure, Scale, percentile
from tests.bench.packet_listener import BROADCAST, HEAD, PacketEar
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import Settings

STREAM = "stream:power-target"
REFERENCE_BURST_S = 5.0
"""The Go powerd wakes one node after the other, with ten packets half a second apart for each."""


async def measure(scale: Scale) -> list[Figure]:
    """One wake at a time, then the whole farm at once."""
    async with AsyncExitStack() as stack:
        ear = PacketEar()
        stack.callback((await ear.open()).close)
        rig = node_rig(nodes=scale.nodes, block_time_s=0, settings=settings(ear.port))
        node = await stack.enter_async_context(rig)
        redis = await stack.enter_async_context(_plain_redis(node))
        await _floor(node, redis, ear)  # the chain client reads the runtime's metadata only once
        floor = [await _floor(node, redis, ear) for _ in range(scale.samples)]
        await node.daemon.start()
        await node.daemon.says("Reconciled", trigger="the farm")
        peers = [NodeId(number) for number in range(2, scale.nodes + 1)]
        singles = [await one_wake(node, redis, ear, peer) for peer in peers[: scale.samples]]
        all_at_once = await _all(node, redis, ear, peers)
        ideal = await _ideal(node, peers)
    figures = []
    for percent, aim in ((50, "≤ 2×"), (99, "≤ 4×")):
        value, base = percentile(singles, percent) * 1e3, percentile(floor, percent) * 1e3
        against = "a delivery + a chain read + a sendto"
        figures.append(Figure(f"event → first packet, p{percent}", value, "ms", against, base, value / base, aim))
    name = f"{len(peers)} events at once → last one's first packet"
    reference_s = REFERENCE_BURST_S * len(peers)
    return [
        *figures,
        Figure(name, all_at_once, "s", "as many sendto + one read", ideal, all_at_once / ideal, "≤ 0.1 s"),
        Figure(name, all_at_once, "s", "the reference (5 s each)", reference_s, reference_s / all_at_once),
    ]


def settings(port: int) -> Settings:
    """Settings by which a wake is one packet, and powerd begins nothing by itself during the measurement."""
    return {
        "magic_packets": {"port": port},
        # It leaves no wake to other nodes: the bench measures the time of one daemon.
        "wake": {"packets": 1, "retry_delay_s_min": 3600, "retry_delay_s_max": 3600, "first_wakers": 0},
        "power_management": {"reconcile_interval_s": 3600},
        "chain": {"best_head_age_s_max": 0, "finalized_head_age_s_max": 0},
        "log": {"level": "debug"},
    }


def _plain_redis(node: Node) -> Any:
    from redis.asyncio import Redis

    return Redis(unix_socket_path=str(node.redis.socket))


def body(node: NodeId) -> bytes:
    """The payload of the event whose target is Up."""
    return encode(TargetChange(1, node, is_up=True, is_down=False))


def macs(node: Node) -> dict[int, bytes]:
    """The addresses of the farm's nodes, by id."""
    return {each["id"]: bytes.fromhex(each["mac"].replace(":", "")) for each in node.chain.about["nodes"]}


async def _floor(node: Node, redis: Any, ear: PacketEar) -> float:
    """The least that must happen: the bus delivers, the chain answers, a packet leaves."""
    ear.forget()
    reading = asyncio.ensure_future(redis.xread({"floor": "$"}, block=5000))
    async with _plain_redis(node) as other:
        await other.ping()
        await asyncio.sleep(0.002)  # the reader has to wait before there is something to deliver
        began = perf_counter()
        await other.xadd("floor", {"body": body(NodeId(2))})
        await reading
        await node.reader.powers([NodeId(2)], HeadKind.BEST)
        with sender() as sending:
            sending.sendto(HEAD + macs(node)[2] * 16, (BROADCAST, ear.port))
            await ear.heard(1)
    return ear.first_s[macs(node)[2]] - began


async def one_wake(node: Node, redis: Any, ear: PacketEar, peer: NodeId) -> float:
    """Seconds from the event of a peer to its first packet; returns once the daemon is done with the event."""
    ear.forget()
    mark = node.daemon.mark()
    began = perf_counter()
    await redis.xadd(STREAM, {"body": body(peer)})
    await ear.heard(1)
    await node.daemon.says("EventsHandled", since=mark)
    return ear.first_s[macs(node)[peer]] - began


async def _all(node: Node, redis: Any, ear: PacketEar, peers: list[NodeId]) -> float:
    """Seconds from the events of all peers to the last one's first packet, by a new daemon that has called no peer."""
    await node.daemon.kill()
    mark = node.daemon.mark()
    await node.daemon.start()
    await node.daemon.says("Reconciled", since=mark, trigger="the farm")
    ear.forget()
    pipeline = redis.pipeline(transaction=False)
    for peer in peers:
        pipeline.xadd(STREAM, {"body": body(peer)})
    began = perf_counter()
    await pipeline.execute()
    await ear.heard(len(peers))
    return max(ear.first_s.values()) - began


async def _ideal(node: Node, peers: list[NodeId]) -> float:
    began = perf_counter()
    await node.reader.powers(peers, HeadKind.BEST)
    called = macs(node)
    with sender() as sending:
        for peer in peers:
            sending.sendto(HEAD + called[peer] * 16, (BROADCAST, 9))
    return perf_counter() - began


def sender() -> socket.socket:
    """A socket for magic packets."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return made
