"""The checks before a target is set, and before anything is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.adapters.substrate.farm_view import FarmView
from app.adapters.substrate.farmer_account import Account
from app.domain.errors import PermanentError
from app.domain.model import FarmId, NodeId, TwinId, Unreadable
from app.domain.rules.farm_risk import Member
from app.entrypoints.farm.farm_choice import no_twin
from app.entrypoints.farm.looking import look
from app.entrypoints.wiring.container import Container

FEE = "about 0.001 TFT"


class NothingDone(PermanentError):
    """The command was refused as a whole, before anything was paid."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The farmer's account, and the farms of the nodes that were named; each node's ``farm``.

    ``doubts``: why the view of the farms may be out of date.
    """

    account: Account
    farm: Mapping[NodeId, FarmId]
    views: Mapping[FarmId, FarmView]
    doubts: Sequence[str]

    def member(self, node: NodeId) -> Member:
        return next(member for member in self.views[self.farm[node]].members if member.id == node)


async def check(container: Container, nodes: Sequence[NodeId]) -> Checked:
    """Every node exists and is of a farm of the key's twin, and the account can pay; else `NothingDone`."""
    account: Account = await container.farmer_account().look()
    if account.twin is None:
        raise no_twin(account)
    farms, problems = await _farms(container, nodes, account.twin)
    owners = {farm: await container.farm_owners().owner(farm) for farm in sorted(set(farms.values()))}
    problems += [
        problem
        for node, farm in farms.items()
        if (problem := _foreign(node, farm, owners[farm], account, container.settings().identity.farm_id))
    ]
    if not account.free_tft:
        problems.append(f"account {account.address} has no balance, and a target costs {FEE}; send it some TFT")
    if problems:
        raise NothingDone(f"{'; '.join(problems)}. Nothing was changed")
    seen = {farm: await look(container, farm) for farm in owners}
    views = {farm: view for farm, (view, _) in seen.items()}
    lost = [node for node, farm in farms.items() if node not in {member.id for member in views[farm].members}]
    if lost:
        raise NothingDone(f"nodes {', '.join(map(str, lost))} left their farm just now. Nothing was changed")
    return Checked(account, farms, views, list(dict.fromkeys(doubt for _, doubt in seen.values() if doubt)))


async def _farms(container: Container, nodes: Sequence[NodeId], twin: TwinId) -> tuple[dict[NodeId, FarmId], list[str]]:
    records = await container.farm_chain().nodes(nodes)
    farms: dict[NodeId, FarmId] = {}
    problems = []
    for node in nodes:
        record = records.get(node)
        if record is None:
            problems.append(f"the chain knows no node {node}")
        elif isinstance(record, Unreadable):
            farm = await _listed(container, node, twin)
            if farm is None:
                problems.append(f"none of the farms of twin {twin} lists node {node}, and {record.reason}")
            else:
                farms[node] = farm
        else:
            farms[node] = record.farm
    return farms, problems


async def _listed(container: Container, node: NodeId, twin: TwinId) -> FarmId | None:
    """The twin's farm that lists the node, for a node whose own record can't be read."""
    farms: Sequence[FarmId] = await container.farm_owners().farms_of(twin)
    for farm in farms:
        if node in await container.farm_chain().farm_nodes(farm):
            return farm
    return None


def _foreign(node: NodeId, farm: FarmId, owner: TwinId | None, account: Account, configured: int) -> str:
    if owner != account.twin:
        return (
            f"node {node} is of farm {farm}, which twin {owner} owns, and the farmer's key is of twin {account.twin} "
            f"(account {account.address})"
        )
    if configured and farm != configured:
        return f"node {node} is of farm {farm}, and farm {configured} was named (--farm, or identity.farm_id)"
    return ""
