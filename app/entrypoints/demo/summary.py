"""What the chain says at the end of the demo: powers, and how often each node reported."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.model import FarmId, HeadKind, NodeId, NodePower, Unreadable
from app.entrypoints.demo.farm_on_loopback import Farm
from app.ports.chain import ChainReader


async def summary(chain: ChainReader, farm: Farm) -> Sequence[str]:
    """A table, one line per node."""
    nodes = await chain.farm_nodes(FarmId(farm.farm_id))
    reading = await chain.powers(nodes, HeadKind.BEST)
    said = await asyncio.to_thread(_said, farm.chain_url)
    lines = [f"{'node':>4}  {'target':<6}  {'state':<6}  {'went Down':>9}  {'came Up':>7}  {'uptime reports':>14}"]
    lines += [_line(node, reading.powers[node], said) for node in nodes]
    return lines


def _line(node: NodeId, power: NodePower | Unreadable, said: Counter[tuple[int, str]]) -> str:
    if isinstance(power, Unreadable):
        return f"{node:>4}  {power.reason}"
    downs, ups, reports = (said[node, word] for word in ("Down", "Up", "uptime"))
    return f"{node:>4}  {power.target.value:<6}  {power.state.power.value:<6}  {downs:>9}  {ups:>7}  {reports:>14}"


def _said(chain_url: str) -> Counter[tuple[int, str]]:
    """How often each node reported what, counted in the events of all blocks."""
    from substrateinterface import SubstrateInterface

    with SubstrateInterface(url=chain_url, ws_options={"timeout": 30}) as substrate:
        newest = substrate.get_block_number(substrate.get_chain_head())
        words: Counter[tuple[int, str]] = Counter()
        for number in range(1, newest + 1):
            for record in substrate.get_events(substrate.get_block_hash(number)):
                words.update(_words(record.value))
        return words


def _words(event: dict[str, Any]) -> Iterator[tuple[int, str]]:
    attributes = event["attributes"]
    if event["event_id"] == "PowerStateChanged":
        state = attributes["power_state"]
        yield attributes["node_id"], state if isinstance(state, str) else "Down"
    elif event["event_id"] == "NodeUptimeReported":
        yield attributes[0], "uptime"
