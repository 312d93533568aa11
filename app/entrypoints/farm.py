"""The farmer's commands: list the farm's nodes as the chain has them, and set power targets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TextIO

from app.domain.errors import ChainUnavailable, PermanentError, UnknownIdentity
from app.domain.model import FarmId, HeadKind, Node, NodeId, NodePower, Power, PowerReading, Unreadable
from app.entrypoints.container import Container


class NoFarmGiven(PermanentError):
    """Nobody said which farm is meant."""


def list_farm(container: Container, farm: int | None, out: TextIO) -> None:
    """Print a table of the farm's nodes; errors of the chain go to the caller."""
    asyncio.run(_list(container, farm, out))


def set_targets(container: Container, nodes: Sequence[int], target: Power, out: TextIO) -> None:
    """Set the targets one after the other, each waited for; stops at the first that fails."""
    asyncio.run(_set(container, nodes, target, out))


async def _list(container: Container, farm: int | None, out: TextIO) -> None:
    farm_id = FarmId(farm or container.settings().identity.farm_id)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.chain_client().close)
        chain = container.chain()
        if not farm_id:
            if not container.settings().identity.node_id:
                raise NoFarmGiven("which farm? Give --farm, or identity.farm_id in the settings")
            own = NodeId(container.settings().identity.node_id)
            record = (await chain.nodes([own])).get(own)
            if isinstance(record, Unreadable):
                raise ChainUnavailable(record.reason)
            farm_id = FarmId(0) if record is None else record.farm
        nodes = await chain.farm_nodes(farm_id)
        if not nodes:
            raise UnknownIdentity(f"the chain knows no node of farm {farm_id}; check the farm id (--farm)")
        records = await chain.nodes(nodes)
        reading = await chain.powers(nodes, HeadKind.BEST)
    for line in _table(farm_id, {node: records[node] for node in nodes if node in records}, reading):
        print(line, file=out)


async def _set(container: Container, nodes: Iterable[int], target: Power, out: TextIO) -> None:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.chain_client().close)
        targets = container.power_targets()
        for node in nodes:
            inclusion = await targets.set_power_target(NodeId(node), target)
            where = inclusion.block_number if inclusion.block_number is not None else inclusion.block_hash
            print(f"node {node}: target {target.value} since block {where}", file=out, flush=True)


def _table(farm: FarmId, nodes: Mapping[NodeId, Node | Unreadable], reading: PowerReading) -> Iterable[str]:
    block = "" if reading.head is None else f", block {reading.head.number}"
    yield f"farm {farm}: {len(nodes)} nodes{block}"
    yield f"{'node':>8}  {'target':<6}  {'state':<18}  {'mac':<17}"
    for node, record in nodes.items():
        target, state = _words(reading.powers[node])
        mac = f"? ({record.reason})" if isinstance(record, Unreadable) else record.mac or record.mac_problem
        yield f"{node:>8}  {target:<6}  {state:<18}  {mac}"


def _words(power: NodePower | Unreadable) -> tuple[str, str]:
    if isinstance(power, Unreadable):
        return "?", f"? ({power.reason})"
    since = power.state.since_block
    return power.target.value, power.state.power.value + (f" since {since}" if since is not None else "")
