"""Takes farms from a real chain: their nodes, MACs, and powers as they stand now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from app.domain.errors import PermanentError, PowerdError
from app.domain.model import FarmId, HeadKind, Power, Unreadable
from app.entrypoints.settings.schema import Settings
from app.entrypoints.simulator.plan.bad_input import BadInput
from app.entrypoints.simulator.plan.plan import FarmPlan, NodePlan
from app.entrypoints.wiring.container import Container
from app.entrypoints.wiring.injection import providers
from app.entrypoints.wiring.quiet import quiet_endpoints
from app.ports.chain import ChainReader


class FarmsNotRead(PermanentError):
    """The chain can't be read. The program ends with 2, since 1 means that a promise was broken."""

    exit_code = 2


def farms_from_chain(settings: Settings, farms: Sequence[int]) -> tuple[FarmPlan, ...]:
    """Raises `FarmsNotRead`, and `BadInput` for a farm without nodes."""
    given = farms or ((settings.identity.farm_id,) if settings.identity.farm_id else ())
    if not given:
        raise BadInput("which farm? Give --farm with --from-chain (or identity.farm_id in the settings)")
    quiet_endpoints(settings)
    try:
        return asyncio.run(_read(Container(settings=providers.Object(settings)), given))
    except PowerdError as error:
        if error.exit_code != PowerdError.exit_code:
            raise
        raise FarmsNotRead(f"{error}; name an endpoint of the chain in POWERD_CHAIN_URLS, or in chain.urls") from error


async def _read(container: Container, farms: Sequence[int]) -> tuple[FarmPlan, ...]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.chain_client().close)
        chain: ChainReader = container.chain()
        return tuple([await _farm(chain, FarmId(farm)) for farm in farms])


async def _farm(chain: ChainReader, farm: FarmId) -> FarmPlan:
    ids = await chain.farm_nodes(farm)
    if not ids:
        raise BadInput(f"the chain knows no node of farm {farm}; check the farm id (--farm)")
    records = await chain.nodes(ids)
    reading = await chain.powers(ids, HeadKind.BEST)
    nodes = []
    for node in ids:
        power, record = reading.powers[node], records.get(node)
        if isinstance(record, Unreadable):
            raise BadInput(record.reason)
        if isinstance(power, Unreadable):
            raise BadInput(f"the chain's answer about node {node} is broken: {power.reason}")
        nodes.append(
            NodePlan(
                id=node,
                mac=str(record.mac) if record is not None and record.mac is not None else "",
                chain_mac="" if record is None or record.mac is not None else "unusable",
                target=power.target.value,
                asleep=power.state.power is Power.DOWN,
            )
        )
    return FarmPlan(id=farm, nodes=tuple(nodes))
