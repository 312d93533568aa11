"""What metrics cost the daemon: memory and start-up, and how long a scrape takes."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass
from time import perf_counter

from tests.bench.figure import Figure, Scale
from tests.bench.footprint import memory_mib
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import Settings

ON: Settings = {"metrics": {"kind": "http", "port": 0}}
OFF: Settings = {}
SCRAPES = 50
TURNS_MAX = 5
"""This number of daemons with metrics, and without, in turns: the least of each counts."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Memory and start-up of one daemon."""

    mib: float
    start_s: float
    scrape_s: float = 0.0


async def measure(scale: Scale) -> list[Figure]:
    turns = min(TURNS_MAX, scale.samples // 5)
    without, having = [], []
    for _ in range(turns):
        without.append(await _cost(OFF))
        having.append(await _cost(ON))
    mib_off, mib_on = min(each.mib for each in without), min(each.mib for each in having)
    start_off, start_on = min(each.start_s for each in without), min(each.start_s for each in having)
    scrape_s = min(each.scrape_s for each in having)
    added_mib, added_ms = max(0.0, mib_on - mib_off), max(0.0, 1e3 * (start_on - start_off))
    return [
        Figure(
            f"memory added, after {SCRAPES} scrapes",
            added_mib,
            "MiB",
            "without",
            mib_off,
            mib_on / mib_off,
            "≤ 3 MiB",
        ),
        Figure("start-up added", added_ms, "ms", "without", 1e3 * start_off, start_on / start_off),
        Figure("a scrape of all metrics", 1e3 * scrape_s, "ms"),
    ]


async def _cost(settings: Settings) -> Cost:
    async with node_rig(settings=settings, block_time_s=6) as node:
        node.daemon.fresh = True
        began = perf_counter()
        await node.daemon.start()
        await node.daemon.says("Reconciled", trigger="the farm: ")
        start_s = perf_counter() - began
        await node.daemon.says("UptimeReported")
        scrape_s = await _scrape(node) if settings else 0.0
        return Cost(memory_mib(node.daemon.pid), start_s, scrape_s)


async def _scrape(node: Node) -> float:
    """The median of several scrapes, each over a new connection, as Prometheus can do."""
    url = (await node.daemon.says("MetricsServed"))["facts"]["url"]
    host, _, port = url.partition("://")[2].partition("/")[0].partition(":")
    took_s = []
    for _ in range(SCRAPES):
        began = perf_counter()
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n")
        await reader.read()
        writer.close()
        took_s.append(perf_counter() - began)
    return statistics.median(took_s)
