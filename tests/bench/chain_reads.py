"""Batched reads of the chain beside one request at a time, and what the dev chain itself can do."""

from __future__ import annotations

import asyncio
from time import perf_counter, time

from app.adapters.substrate.blocks import SubstrateBlocks
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.domain.model import HeadKind, NodeId, UptimeSample
from tests.bench.figure import Figure, Scale
from tests.rigs.chain.as_process import dev_chain
from tests.rigs.dev_rpc import line


async def measure(scale: Scale) -> list[Figure]:
    """The figures, with a dev chain in a separate process."""
    with dev_chain(nodes=scale.nodes) as running:
        client = SubstrateClient([running.url])
        chain = SubstrateChain(client, seed=running.node_seeds[0])
        try:
            await chain.head(HeadKind.BEST)
            return [
                await _powers(chain, [NodeId(number) for number in range(1, scale.nodes + 1)]),
                await _extrinsics(chain, scale.samples),
                await _reads(chain, scale.samples),
                await _catching_up(running.url, SubstrateBlocks(client), scale.blocks),
            ]
        finally:
            await client.close()


async def _powers(chain: SubstrateChain, nodes: list[NodeId]) -> Figure:
    began = perf_counter()
    for node in nodes:
        await chain.powers([node], HeadKind.BEST)
    single = perf_counter() - began
    batch = float("inf")
    for _ in range(5):
        began = perf_counter()
        await chain.powers(nodes, HeadKind.BEST)
        batch = min(batch, perf_counter() - began)
    measure = f"power of {len(nodes)} nodes"
    return Figure(measure, batch * 1e3, "ms", "one by one", single * 1e3, single / batch, "≥ 20×")


async def _catching_up(url: str, blocks: SubstrateBlocks, count: int) -> Figure:
    with line(url) as admin:
        admin.ask("dev_newBlocks", count)
        last = admin.height()
    numbers = range(last - count + 1, last + 1)
    began = perf_counter()
    for number in numbers:
        await blocks.blocks(number, number)
    single = count / (perf_counter() - began)
    began = perf_counter()
    for first in numbers[::64]:
        await blocks.blocks(first, min(first + 63, last))
    batched = count / (perf_counter() - began)
    against = "one block at a time"
    return Figure("powerd events catching up", batched, "blocks/s", against, single, batched / single, "≥ 5×")


async def _extrinsics(chain: SubstrateChain, count: int) -> Figure:
    began = perf_counter()
    for _ in range(count):
        await chain.report_uptime(lambda: UptimeSample(60, int(time())))
    return Figure("dev chain: extrinsics, one after the other", count / (perf_counter() - began), "1/s")


async def _reads(chain: SubstrateChain, count: int) -> Figure:
    began = perf_counter()
    for _ in range(count):
        await asyncio.gather(*(chain.head(HeadKind.BEST) for _ in range(10)))
    return Figure("dev chain: reads of the head, ten at once", 10 * count / (perf_counter() - began), "1/s")
