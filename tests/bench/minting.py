"""The judgement of a month of events, and the read of a period's blocks beside a follower that catches up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter

from app.adapters.codecs import minting_events
from app.adapters.substrate.blocks import SubstrateBlocks
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.farm_history import SubstrateFarmHistory
from app.domain.minting.events import NodeUptimeReported
from app.domain.minting.ledger import MonthLedger
from app.domain.minting.period import Period
from app.domain.model import NodeId
from tests.bench.figure import Figure, Scale, seconds_of
from tests.rigs.chain.as_process import dev_chain
from tests.rigs.dev_rpc import line

BATCH = 64
INTERVAL_S = 1200


async def measure(scale: Scale) -> list[Figure]:
    """The figures, with a dev chain in a separate process."""
    with dev_chain(nodes=scale.nodes) as running:
        client = SubstrateClient([running.url])
        try:
            return [_judging(), await _reading(running.url, client, scale)]
        finally:
            await client.close()


def _judging() -> Figure:
    period = Period.at(90)
    events = [
        NodeUptimeReported(at_s, NodeId(7), at_s - period.start_s + 90_000)
        for at_s in range(period.start_s + 60, period.end_s, INTERVAL_S)
    ]
    lines = [minting_events.encode(event) for event in events]

    def judge() -> None:
        ledger = MonthLedger(period)
        for event in events:
            ledger.add(event)
        ledger.close(NodeId(7))

    judged = len(events) / seconds_of(judge, 1)
    decoded = len(lines) / seconds_of(lambda: [minting_events.decode(each) for each in lines], 1)
    against = "their lines decoded"
    return Figure("events of a node judged", judged, "events/s", against, decoded, judged / decoded)


async def _reading(url: str, client: SubstrateClient, scale: Scale) -> Figure:
    with line(url) as admin:
        admin.ask("dev_newBlocks", scale.blocks)
        last = admin.height()
    first = last - scale.blocks + 1
    follower, history = SubstrateBlocks(client), SubstrateFarmHistory(client)
    nodes = [NodeId(number) for number in range(1, scale.nodes + 1)]
    followed = read = 0.0
    for _ in range(3):
        followed = max(followed, await _pace(first, last, follower.blocks))
        read = max(read, await _pace(first, last, lambda begin, end: history.blocks(nodes, begin, end)))
    against = "powerd events catching up"
    return Figure("blocks of a period read", read, "blocks/s", against, followed, read / followed, "≥ 0.83×")


async def _pace(first: int, last: int, read: Callable[[int, int], Awaitable[object]]) -> float:
    began = perf_counter()
    for begin in range(first, last + 1, BATCH):
        await read(begin, min(begin + BATCH - 1, last))
    return (last - first + 1) / (perf_counter() - began)
